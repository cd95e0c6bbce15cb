//! Runs work that knows no runtime on a thread of its own, so that signals are felt.

use std::sync::mpsc::{sync_channel, Receiver};
use std::thread;

use pyo3::prelude::*;

use crate::errors::raise;
use crate::wait::Wait;

/// Runs `work` while this thread waits with the GIL released; see `wait`.
pub fn run<T: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce() -> T + Send + 'static,
) -> PyResult<T> {
    Wait::silent(start(py, work)?, &|| {}, None).run(py)
}

/// Starts `work` and returns where its result will come.
pub fn start<T: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce() -> T + Send + 'static,
) -> PyResult<Receiver<T>> {
    let (sender, result) = sync_channel(1);
    let named = thread::Builder::new().name("synthesis".to_owned());
    let started = named.spawn(move || {
        let _ = sender.send(work());
    });
    started.map(|_| result).map_err(|error| {
        let text = format!("cannot start a thread: {error}");
        raise(py, "internal", &text, None, None)
    })
}
