//! `extract`: assets of many EXRs, with progress and cancellation.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use synthesis_exr::{
    Asset, Container, Error, Extracted, Mode, Plan, Progress, Range, Reading, Rules,
};

use crate::background;
use crate::cancel::CancelToken;
use crate::errors::check_seconds;
use crate::exr_error::raise_exr;
use crate::wait::Wait;

/// Makes assets of EXR files; see the stub.
#[pyfunction]
#[pyo3(signature = (files, *, assets, channels, container, thumbnail, directory, mode, workers, rgb_is_srgb, background_competes, partial, verify, progress, interval, cancel))]
#[expect(
    clippy::too_many_arguments,
    reason = "keyword-only in Python, where they are named"
)]
pub fn extract(
    py: Python<'_>,
    files: Vec<PathBuf>,
    assets: Vec<String>,
    channels: Vec<String>,
    container: &str,
    thumbnail: bool,
    directory: PathBuf,
    mode: &str,
    workers: usize,
    rgb_is_srgb: bool,
    background_competes: bool,
    partial: bool,
    verify: bool,
    progress: Option<Py<PyAny>>,
    interval: f64,
    cancel: Option<CancelToken>,
) -> PyResult<Py<PyList>> {
    let fail = |error: Error| raise_exr(py, &error);
    let plan = Plan {
        assets: parse(&assets).map_err(fail)?,
        channels,
        container: Container::parse(container).map_err(fail)?,
        thumbnail,
        mode: Mode::parse(mode).map_err(fail)?,
        rules: Rules {
            rgb_is_srgb,
            background_competes,
        },
        reading: Reading { partial, verify },
        workers,
    };
    let interval = check_seconds(py, "interval", interval)?;
    let total = files.len();
    let counters = Arc::new(Progress::default());
    let shared = Arc::clone(&counters);
    let work = move || synthesis_exr::extract(&files, &directory, &plan, &shared);
    let done = Wait {
        result: background::start(py, work)?,
        stop: &|| counters.stop.store(true, Ordering::Relaxed),
        snapshot: &|py| snapshot(py, &counters, total),
        progress,
        interval,
        cancel,
    }
    .run(py)?
    .map_err(fail)?;
    let list = PyList::empty(py);
    for item in &done {
        list.append(report(py, item)?)?;
    }
    Ok(list.unbind())
}

/// The assets of these names.
pub fn parse(names: &[String]) -> Result<Vec<Asset>, Error> {
    names.iter().map(|name| Asset::parse(name)).collect()
}

fn snapshot(py: Python<'_>, counters: &Progress, total: usize) -> PyResult<Py<PyAny>> {
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let dict = PyDict::new(py);
    dict.set_item("files_done", read(&counters.files_done))?;
    dict.set_item("files_total", total)?;
    dict.set_item("files_failed", read(&counters.files_failed))?;
    dict.set_item("images_done", read(&counters.images_done))?;
    dict.set_item("bytes_read", read(&counters.bytes_read))?;
    dict.set_item("bytes_written", read(&counters.bytes_written))?;
    Ok(dict.into_any().unbind())
}

fn report<'py>(py: Python<'py>, item: &Extracted) -> PyResult<Bound<'py, PyDict>> {
    let failures = PyList::empty(py);
    for failure in &item.failures {
        let dict = PyDict::new(py);
        dict.set_item("name", &failure.name)?;
        dict.set_item("kind", failure.error.kind.as_str())?;
        dict.set_item("message", &failure.error.message)?;
        dict.set_item("hint", failure.error.hint)?;
        failures.append(dict)?;
    }
    let dict = PyDict::new(py);
    dict.set_item("missing", missing(&item.missing))?;
    dict.set_item("source", &item.source)?;
    dict.set_item("outputs", item.outputs.iter().collect::<Vec<_>>())?;
    dict.set_item("failures", failures)?;
    dict.set_item(
        "unnamed",
        item.unnamed.iter().cloned().collect::<HashMap<_, _>>(),
    )?;
    Ok(dict)
}

/// First and last of each range of rows.
pub fn missing(ranges: &[Range]) -> Vec<(usize, usize)> {
    ranges
        .iter()
        .map(|range| (range.first, range.last))
        .collect()
}
