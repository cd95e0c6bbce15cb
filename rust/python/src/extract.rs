//! `extract`: assets of many EXRs, with progress and cancellation.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use synthesis_exr::{Asset, Extracted, Mode, Plan, Progress, Rules};

use crate::background;
use crate::cancel::CancelToken;
use crate::errors::check_seconds;
use crate::exr_error::raise_exr;
use crate::wait::Wait;

/// Makes assets of EXR files; see the stub.
#[pyfunction]
#[pyo3(signature = (files, *, assets, directory, mode, workers, rgb_is_srgb, background_competes, progress, interval, cancel))]
#[expect(
    clippy::too_many_arguments,
    reason = "keyword-only in Python, where they are named"
)]
pub fn extract(
    py: Python<'_>,
    files: Vec<PathBuf>,
    assets: Vec<String>,
    directory: PathBuf,
    mode: &str,
    workers: usize,
    rgb_is_srgb: bool,
    background_competes: bool,
    progress: Option<Py<PyAny>>,
    interval: f64,
    cancel: Option<CancelToken>,
) -> PyResult<Py<PyList>> {
    let plan = Plan {
        assets: assets
            .iter()
            .map(|name| Asset::parse(name))
            .collect::<Result<_, _>>()
            .map_err(|error| raise_exr(py, &error))?,
        mode: Mode::parse(mode).map_err(|error| raise_exr(py, &error))?,
        rules: Rules {
            rgb_is_srgb,
            background_competes,
        },
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
    .map_err(|error| raise_exr(py, &error))?;
    let list = PyList::empty(py);
    for item in &done {
        list.append(report(py, item)?)?;
    }
    Ok(list.unbind())
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
    dict.set_item("source", &item.source)?;
    dict.set_item("outputs", item.outputs.iter().collect::<Vec<_>>())?;
    dict.set_item("failures", failures)?;
    Ok(dict)
}
