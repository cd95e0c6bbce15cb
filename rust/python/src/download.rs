//! `download`: a manifest's files to a folder.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use synthesis_transfer::{
    Aside, CancellationToken, Concurrency, Counters, List, Options, Outcome, Snapshot,
};

use crate::cancel::CancelToken;
use crate::client::HttpClient;
use crate::errors::{check_seconds, parse_headers, parse_url, transfer_error};
use crate::runtime::spawn;
use crate::wait::Wait;

/// Brings the files of a manifest to a folder; see the stub.
#[pyfunction]
#[pyo3(signature = (client, *, manifest_url, headers, directory, concurrency, limit_rate, max_rps, memory, update, verify, render_ids, aside, progress=None, interval, cancel=None))]
#[expect(clippy::too_many_arguments, reason = "keyword-only in Python")]
pub fn download(
    py: Python<'_>,
    client: &HttpClient,
    manifest_url: &str,
    headers: Vec<(String, String)>,
    directory: PathBuf,
    concurrency: Option<usize>,
    limit_rate: Option<u64>,
    max_rps: Option<f64>,
    memory: Option<PathBuf>,
    update: bool,
    verify: bool,
    render_ids: Option<Vec<(u64, u64)>>,
    aside: Option<(String, Vec<String>)>,
    progress: Option<Py<PyAny>>,
    interval: f64,
    cancel: Option<CancelToken>,
) -> PyResult<Py<PyDict>> {
    let list = List::Manifest {
        url: parse_url(py, manifest_url)?,
    };
    let options = Options {
        headers: parse_headers(py, headers)?,
        limit_rate,
        max_rps,
        memory,
        update,
        verify,
        render_ids,
        aside: aside.map(|(suffix, products)| Aside { suffix, products }),
        ..Options::new(
            list,
            directory,
            concurrency.map_or(Concurrency::Auto, Concurrency::Fixed),
        )
    };
    let (counters, token) = (Arc::new(Counters::default()), CancellationToken::new());
    let work =
        synthesis_transfer::download(client.0.clone(), options, counters.clone(), token.clone());
    let outcome = Wait {
        result: spawn(py, work)?,
        stop: &|| token.cancel(),
        snapshot: &|py| Ok(snapshot(py, &counters.snapshot())?.into_any().unbind()),
        progress,
        interval: check_seconds(py, "interval", interval)?,
        cancel,
    }
    .run(py)?;
    match outcome {
        Ok(outcome) => summary(py, outcome),
        Err(error) => Err(transfer_error(py, &error)),
    }
}

fn snapshot<'py>(py: Python<'py>, counters: &Snapshot) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("files_done", counters.files_done)?;
    dict.set_item("files_total", counters.files_total)?;
    dict.set_item("bytes_done", counters.bytes_done)?;
    dict.set_item("bytes_total", counters.bytes_total)?;
    dict.set_item("files_present", counters.files_present)?;
    dict.set_item("files_new", counters.files_new)?;
    dict.set_item("bytes_new", counters.bytes_new)?;
    dict.set_item("bytes_received", counters.bytes_received)?;
    dict.set_item("retries", counters.retries)?;
    dict.set_item("failed", counters.failed)?;
    dict.set_item("in_flight", counters.in_flight)?;
    dict.set_item("permits", counters.permits)?;
    dict.set_item("most_permits", counters.most_permits)?;
    dict.set_item("throttled_seconds", counters.throttled_seconds)?;
    dict.set_item("connections", counters.connections)?;
    dict.set_item("seconds", counters.seconds)?;
    Ok(dict)
}

fn summary(py: Python<'_>, outcome: Outcome) -> PyResult<Py<PyDict>> {
    let dict = snapshot(py, &outcome.counters)?;
    let failures = outcome.failures.into_iter();
    let failures: Vec<_> = failures
        .map(|failure| (failure.name, failure.kind, failure.message, failure.status))
        .collect();
    dict.set_item("failures", failures)?;
    dict.set_item("failed_by_kind", outcome.failed_by_kind)?;
    dict.set_item("missing", outcome.missing)?;
    dict.set_item("missing_render_ids", outcome.missing_render_ids)?;
    dict.set_item("complete", outcome.complete)?;
    dict.set_item("bound", bound(py, &outcome.bound)?)?;
    Ok(dict.unbind())
}

fn bound<'py>(
    py: Python<'py>,
    bound: &synthesis_transfer::Bound,
) -> PyResult<pyo3::Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("what", bound.what.word())?;
    dict.set_item("share", bound.share)?;
    dict.set_item("permits", bound.permits)?;
    dict.set_item("latency", bound.latency)?;
    dict.set_item("try_permits", bound.try_permits)?;
    Ok(dict)
}
