//! `write_exr`: arrays to an EXR file.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use synthesis_exr::{write, Error, Kind, Samples};

use crate::background;
use crate::exr_error::raise_exr;

/// Writes a scanline EXR with ZIP blocks of one line; see the stub.
#[pyfunction]
pub fn write_exr(
    py: Python<'_>,
    path: PathBuf,
    width: usize,
    height: usize,
    channels: Vec<(String, String, PyBackedBytes)>,
    attributes: Vec<(String, String)>,
) -> PyResult<()> {
    background::run(py, move || {
        let channels = channels
            .iter()
            .map(|(name, kind, bytes)| match kind.as_str() {
                "half" => Ok((name.as_str(), Samples::Half(bytes))),
                "float" => Ok((name.as_str(), Samples::Float(bytes))),
                other => Err(Error::new(
                    Kind::Usage,
                    format!("not a sample type: {other}"),
                )),
            })
            .collect::<Result<Vec<_>, _>>()?;
        let attributes: Vec<_> = attributes
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        write(&path, width, height, &channels, &attributes)
    })?
    .map_err(|error| raise_exr(py, &error))
}
