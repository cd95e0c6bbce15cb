//! Runs work that has no progress to tell on a thread of its own, so that signals are felt.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use pyo3::prelude::*;

use crate::errors::raise;
use crate::wait::Wait;

/// Runs `work` while this thread waits with the GIL released; see `wait`.
pub fn run<T: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce() -> T + Send + 'static,
) -> PyResult<T> {
    let (sender, result) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("synthesis".to_owned())
        .spawn(move || {
            let _ = sender.send(work());
        })
        .map_err(|error| {
            raise(
                py,
                "internal",
                &format!("cannot start a thread: {error}"),
                None,
                None,
            )
        })?;
    Wait {
        result,
        stop: &|| {},
        snapshot: &|py| Ok(py.None()),
        progress: None,
        interval: Duration::from_secs(1),
        cancel: None,
    }
    .run(py)
}
