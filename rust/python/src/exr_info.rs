//! `exr_info`: what an EXR holds.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use synthesis_exr::{attributes, Info, Part, Value};

use crate::exr_error::raise_exr;

/// Reads the header of an EXR; see the stub.
#[pyfunction]
pub fn exr_info(py: Python<'_>, path: PathBuf) -> PyResult<Py<PyDict>> {
    let info = py
        .detach(|| synthesis_exr::info(&path))
        .map_err(|error| raise_exr(py, &error))?;
    Ok(describe(py, &info)?.unbind())
}

fn describe<'py>(py: Python<'py>, info: &Info) -> PyResult<Bound<'py, PyDict>> {
    let parts = PyList::empty(py);
    for part in &info.header.parts {
        parts.append(describe_part(py, part)?)?;
    }
    let cryptomattes = PyList::empty(py);
    for known in &info.cryptomattes {
        let dict = PyDict::new(py);
        dict.set_item("name", &known.name)?;
        dict.set_item("layers", known.layers)?;
        dict.set_item("objects", known.objects)?;
        dict.set_item("shadowed", known.shadowed)?;
        cryptomattes.append(dict)?;
    }
    let dict = PyDict::new(py);
    dict.set_item("parts", parts)?;
    dict.set_item("cryptomattes", cryptomattes)?;
    dict.set_item(
        "assets",
        info.assets
            .iter()
            .map(|asset| asset.name())
            .collect::<Vec<_>>(),
    )?;
    Ok(dict)
}

fn describe_part<'py>(py: Python<'py>, part: &Part) -> PyResult<Bound<'py, PyDict>> {
    let channels = PyList::empty(py);
    for channel in &part.channels {
        channels.append((&channel.name, channel.kind.name()))?;
    }
    let others = PyDict::new(py);
    for (name, _, value) in attributes(part) {
        match value {
            Value::Text(text) => others.set_item(name, text)?,
            Value::Integers(numbers) => match numbers[..] {
                [one] => others.set_item(name, one)?,
                _ => others.set_item(name, numbers)?,
            },
            Value::Numbers(numbers) => match numbers[..] {
                [one] => others.set_item(name, one)?,
                _ => others.set_item(name, numbers)?,
            },
        }
    }
    let dict = PyDict::new(py);
    dict.set_item("name", &part.name)?;
    dict.set_item("channels", channels)?;
    dict.set_item("compression", part.compression.name())?;
    dict.set_item("data_window", part.data_window.corners)?;
    dict.set_item("display_window", part.display_window.corners)?;
    dict.set_item("tile_size", part.tiles.map(|tiles| tiles.size))?;
    dict.set_item("unreadable", part.unreadable())?;
    dict.set_item("attributes", others)?;
    Ok(dict)
}
