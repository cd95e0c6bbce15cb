//! `download`: the files of a list to a folder.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use synthesis_transfer::{
    Aside, CancellationToken, Concurrency, Counters, Input, List, Options, Order, Outcome,
    Snapshot, Tar,
};

use crate::cancel::CancelToken;
use crate::client::HttpClient;
use crate::errors::{check_seconds, parse_headers, parse_url, raise, transfer_error};
use crate::runtime::spawn;
use crate::wait::Wait;

/// What to download and how, as the stub's `Transfer` has it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Transfer {
    list: (String, PathBuf),
    base: Option<String>,
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
    by_render: bool,
    shard: Option<(u64, u64)>,
    dry_run: bool,
    force: bool,
    report: Option<PathBuf>,
    tar: Option<(PathBuf, u64)>,
}

impl Transfer {
    /// The engine's options.
    pub fn options(self, py: Python<'_>) -> PyResult<Options> {
        Ok(Options {
            headers: parse_headers(py, self.headers)?,
            limit_rate: self.limit_rate,
            max_rps: self.max_rps,
            memory: self.memory,
            update: self.update,
            verify: self.verify,
            render_ids: self.render_ids,
            aside: self
                .aside
                .map(|(suffix, products)| Aside { suffix, products }),
            order: if self.by_render {
                Order::Renders
            } else {
                Order::Manifest
            },
            shard: self.shard,
            dry_run: self.dry_run,
            force: self.force,
            report: self.report,
            tar: self
                .tar
                .map(|(directory, renders)| Tar { directory, renders }),
            ..Options::new(
                list(py, self.list, self.base)?,
                self.directory,
                self.concurrency
                    .map_or(Concurrency::Auto, Concurrency::Fixed),
            )
        })
    }
}

/// `(kind, place)` as the engine's list, relative to `base`.
fn list(py: Python<'_>, (kind, place): (String, PathBuf), base: Option<String>) -> PyResult<List> {
    let url = || parse_url(py, &place.to_string_lossy());
    let input = match kind.as_str() {
        "manifest" => return Ok(List::Manifest { url: url()? }),
        "url" => Input::Url(url()?),
        "file" => Input::File(place),
        "stdin" => Input::Stdin,
        _ => return Err(raise(py, "usage", "no such kind of list", None, None)),
    };
    let base = base.map(|base| parse_url(py, &base)).transpose()?;
    Ok(List::Lines { input, base })
}

/// Brings the files of a list to a folder; see the stub.
#[pyfunction]
#[pyo3(signature = (client, transfer, *, progress=None, interval, cancel=None))]
pub fn download(
    py: Python<'_>,
    client: &HttpClient,
    transfer: Transfer,
    progress: Option<Py<PyAny>>,
    interval: f64,
    cancel: Option<CancelToken>,
) -> PyResult<Py<PyDict>> {
    let options = transfer.options(py)?;
    let (counters, token) = (Arc::new(Counters::default()), CancellationToken::new());
    let work =
        synthesis_transfer::download(client.0.clone(), options, counters.clone(), token.clone());
    let outcome = Wait {
        result: spawn(py, work)?,
        stop: &|| token.cancel(),
        snapshot: &|py| Ok(progress_of(py, &counters)?.into_any().unbind()),
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

/// How far it is, as Python reads it.
pub fn progress_of<'py>(py: Python<'py>, counters: &Counters) -> PyResult<Bound<'py, PyDict>> {
    let dict = snapshot(py, &counters.snapshot())?;
    dict.set_item("failed_by_kind", counters.failed_by_kind())?;
    Ok(dict)
}

fn snapshot<'py>(py: Python<'py>, counters: &Snapshot) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("files_done", counters.files_done)?;
    dict.set_item("files_total", counters.files_total)?;
    dict.set_item("is_whole", counters.is_whole)?;
    dict.set_item("sizes_known", counters.sizes_known)?;
    dict.set_item("list_share", counters.list_share)?;
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

/// The outcome as Python reads it.
pub fn summary(py: Python<'_>, outcome: Outcome) -> PyResult<Py<PyDict>> {
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
    dict.set_item("files_unread", outcome.unread)?;
    dict.set_item("warnings", outcome.warnings)?;
    dict.set_item("listed", outcome.listed)?;
    let assets = outcome.assets.into_iter();
    let assets: BTreeMap<_, _> = assets
        .map(|(flag, one)| {
            (
                flag,
                (one.files, one.bytes, one.present_files, one.unknown_sizes),
            )
        })
        .collect();
    dict.set_item("assets", assets)?;
    dict.set_item("free_bytes", outcome.free)?;
    dict.set_item("needed_bytes", outcome.needed)?;
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
