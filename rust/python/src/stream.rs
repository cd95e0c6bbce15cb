//! `Stream`: a download that hands over each render, or file, as it is finished.

use std::path::PathBuf;
use std::process;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyDict;
use synthesis_transfer::async_channel;
use synthesis_transfer::{CancellationToken, Counters, Error, Finished, FinishedFile, Outcome};

use crate::cancel::CancelToken;
use crate::client::HttpClient;
use crate::download::{progress_of, summary, Transfer};
use crate::errors::{raise, transfer_error};
use crate::runtime::{forked, spawn};
use crate::wait::{Wait, GRACE};

type Ended = mpsc::Receiver<Result<Outcome, Error>>;

/// A name, where it is, its bytes if known, and whether it was there before.
type File = (String, PathBuf, Option<u64>, bool);

/// A download that waits for whoever takes its renders.
///
/// A fork copies whatever locks the work held at that instant and none of the threads that would let
/// go of them: in a forked child nothing of `work` is touched, not even to free it.
#[pyclass(frozen, module = "synthesis._core")]
pub struct Stream {
    work: Option<Work>,
    /// The process that began it.
    owner: u32,
}

struct Work {
    finished: async_channel::Receiver<Finished>,
    ended: Mutex<Option<Ended>>,
    counters: Arc<Counters>,
    token: CancellationToken,
}

#[pymethods]
impl Stream {
    #[new]
    #[pyo3(signature = (client, transfer, *, ahead))]
    fn new(
        py: Python<'_>,
        client: &HttpClient,
        transfer: Transfer,
        ahead: usize,
    ) -> PyResult<Self> {
        let mut options = transfer.options(py)?;
        let (sender, finished) = async_channel::bounded(ahead.max(1));
        options.finished = Some(sender);
        let (counters, token) = (Arc::new(Counters::default()), CancellationToken::new());
        let work = synthesis_transfer::download(
            client.0.clone(),
            options,
            counters.clone(),
            token.clone(),
        );
        let work = Work {
            finished,
            ended: Mutex::new(Some(spawn(py, work)?)),
            counters,
            token,
        };
        Ok(Self {
            work: Some(work),
            owner: process::id(),
        })
    }

    /// The next render or file; None when there will be no more.
    #[pyo3(signature = (*, cancel=None))]
    fn next(
        &self,
        py: Python<'_>,
        cancel: Option<CancelToken>,
    ) -> PyResult<Option<(Option<u64>, Vec<File>)>> {
        let work = self.work(py)?;
        if cancel.as_ref().is_some_and(CancelToken::is_cancelled) {
            return Err(raise(py, "cancelled", "cancelled", None, None));
        }
        let finished = work.finished.clone();
        let found = match finished.try_recv() {
            Ok(found) => Some(found),
            Err(_) => Wait::silent(
                spawn(py, async move { finished.recv().await.ok() })?,
                &|| work.token.cancel(),
                cancel,
            )
            .run(py)?,
        };
        Ok(found.map(|found| match found {
            Finished::Render { id, files } => (Some(id), files.into_iter().map(file).collect()),
            Finished::File(one) => (None, vec![file(one)]),
        }))
    }

    /// The counters now.
    fn snapshot(&self, py: Python<'_>) -> PyResult<Py<PyDict>> {
        Ok(progress_of(py, &self.work(py)?.counters)?.unbind())
    }

    /// Waits for the end and returns what came of it; its error is raised here.
    fn outcome(&self, py: Python<'_>) -> PyResult<Py<PyDict>> {
        let work = self.work(py)?;
        let Some(result) = work.take() else {
            return Err(raise(py, "usage", "the stream is closed", None, None));
        };
        let outcome = Wait::silent(result, &|| work.token.cancel(), None).run(py)?;
        match outcome {
            Ok(outcome) => summary(py, outcome),
            Err(error) => Err(transfer_error(py, &error)),
        }
    }

    /// Ends the work, if it still runs, and waits for it to wind down.
    fn close(&self, py: Python<'_>) {
        let Some(work) = self.own() else { return };
        work.token.cancel();
        work.finished.close();
        if let Some(ended) = work.take() {
            py.detach(move || ended.recv_timeout(GRACE).ok());
        }
    }
}

impl Stream {
    fn own(&self) -> Option<&Work> {
        self.work.as_ref().filter(|_| self.owner == process::id())
    }

    fn work(&self, py: Python<'_>) -> PyResult<&Work> {
        self.own().ok_or_else(|| forked(py))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        match self.work.take() {
            Some(work) if self.owner != process::id() => std::mem::forget(work),
            Some(work) => work.token.cancel(),
            None => {}
        }
    }
}

impl Work {
    fn take(&self) -> Option<Ended> {
        self.ended
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

fn file(one: FinishedFile) -> File {
    (one.name.to_string(), one.path, one.bytes, one.is_old)
}
