//! `encode`: one image in memory to the bytes of its file. `object_id`: a name to its id.

use std::sync::atomic::AtomicBool;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use synthesis_exr::{Asset, Error, Image, Mode};

use crate::background;
use crate::exr_error::raise_exr;

/// The file of an image; see the stub.
#[pyfunction]
pub fn encode(
    py: Python<'_>,
    asset: &str,
    width: usize,
    height: usize,
    samples: PyBackedBytes,
    mode: &str,
) -> PyResult<Py<PyBytes>> {
    let fail = |error: Error| raise_exr(py, &error);
    let mode = Mode::parse(mode).map_err(fail)?;
    let asset = Asset::parse(asset).map_err(fail)?;
    let work = move || {
        let image = Image::of(asset, width, height, &samples)?;
        synthesis_exr::encode(&image, mode, &AtomicBool::new(false))
    };
    let bytes = background::run(py, work)?.map_err(fail)?;
    Ok(PyBytes::new(py, &bytes).unbind())
}

/// The cryptomatte id of an object's name.
#[pyfunction]
pub fn object_id(name: &str) -> u32 {
    synthesis_exr::object_id(name)
}
