//! `exr_channels`, `exr_planes`, `exr_assets`: samples of an EXR in memory.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use synthesis_exr::arrays::{self, Array, Arrays, Values};
use synthesis_exr::{Error, Reading, Rules};

use crate::background;
use crate::exr_error::raise_exr;
use crate::extract::{missing, parse};
use crate::memory::Memory;
use crate::wait::Wait;

/// Channels of an EXR in one array; see the stub.
#[pyfunction]
pub fn exr_channels(
    py: Python<'_>,
    path: PathBuf,
    names: Vec<String>,
    partial: bool,
    verify: bool,
) -> PyResult<Py<PyDict>> {
    let reading = Reading { partial, verify };
    run(py, move |stop| {
        synthesis_exr::channels(&path, &names, reading, stop)
    })
}

/// Channels of an EXR in an array each; see the stub.
#[pyfunction]
pub fn exr_planes(
    py: Python<'_>,
    path: PathBuf,
    names: Vec<String>,
    partial: bool,
    verify: bool,
) -> PyResult<Py<PyDict>> {
    let reading = Reading { partial, verify };
    run(py, move |stop| {
        synthesis_exr::planes(&path, &names, reading, stop)
    })
}

/// Assets of an EXR as arrays; see the stub.
#[pyfunction]
pub fn exr_assets(
    py: Python<'_>,
    path: PathBuf,
    assets: Vec<String>,
    rgb_is_srgb: bool,
    background_competes: bool,
    partial: bool,
    verify: bool,
) -> PyResult<Py<PyDict>> {
    let assets = parse(&assets).map_err(|error| raise_exr(py, &error))?;
    let rules = Rules {
        rgb_is_srgb,
        background_competes,
    };
    let reading = Reading { partial, verify };
    run(py, move |stop| {
        arrays::assets(&path, &assets, rules, reading, stop)
    })
}

fn run(
    py: Python<'_>,
    work: impl FnOnce(&AtomicBool) -> Result<Arrays, Error> + Send + 'static,
) -> PyResult<Py<PyDict>> {
    let stop = Arc::new(AtomicBool::new(false));
    let shared = Arc::clone(&stop);
    let result = background::start(py, move || work(&shared))?;
    let found = Wait::silent(result, &|| stop.store(true, Ordering::Relaxed), None)
        .run(py)?
        .map_err(|error| raise_exr(py, &error))?;
    let arrays = PyList::empty(py);
    for array in found.all {
        arrays.append(describe(py, array.map_err(|error| raise_exr(py, &error))?)?)?;
    }
    let dict = PyDict::new(py);
    dict.set_item("arrays", arrays)?;
    dict.set_item("missing", missing(&found.missing))?;
    Ok(dict.unbind())
}

/// Memory, type and shape.
fn describe(py: Python<'_>, array: Array) -> PyResult<(Py<Memory>, &'static str, [usize; 3])> {
    let shape = [array.height, array.width, array.channels];
    let kind = match array.values {
        Values::U8 => "u1",
        Values::U16 => "<u2",
        Values::F16 => "<f2",
        Values::F32 => "<f4",
        Values::U32 => "<u4",
    };
    Ok((Py::new(py, Memory::new(array.memory))?, kind, shape))
}
