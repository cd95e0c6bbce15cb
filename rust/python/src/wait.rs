//! The one door for every call longer than a millisecond.
//!
//! The work runs elsewhere and sends its result through a channel. Here, on the caller's
//! thread: wait up to 50 ms with the GIL released, hand a snapshot to the progress callback,
//! look at the cancel token, look at signals. Any error from these stops the work, waits for
//! it to wind down, and is what the caller sees; a signal meanwhile ends the waiting at once.
//! Python is never called from a worker.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use crate::cancel::CancelToken;
use crate::errors::raise;

/// Short enough that Ctrl-C is felt within 100 ms; costs less than half a percent of a core.
const TICK: Duration = Duration::from_millis(50);

/// How long stopped work may take to wind down before the caller gets its error anyway.
pub const GRACE: Duration = Duration::from_secs(3);

/// What the caller's thread does while the work runs elsewhere.
pub struct Wait<'a, T> {
    /// Where the work sends its one result.
    pub result: Receiver<T>,
    /// Stops the work; must be safe to call more than once.
    pub stop: &'a dyn Fn(),
    /// A fresh snapshot of the counters for the progress callback.
    pub snapshot: &'a dyn Fn(Python<'_>) -> PyResult<Py<PyAny>>,
    /// Called with a snapshot every `interval`.
    pub progress: Option<Py<PyAny>>,
    /// Time between two progress calls.
    pub interval: Duration,
    /// Looked at every tick.
    pub cancel: Option<CancelToken>,
}

impl<'a, T: Send> Wait<'a, T> {
    /// A wait that has no progress to tell.
    pub fn silent(result: Receiver<T>, stop: &'a dyn Fn(), cancel: Option<CancelToken>) -> Self {
        Self {
            result,
            stop,
            snapshot: &|py| Ok(py.None()),
            progress: None,
            interval: Duration::MAX,
            cancel,
        }
    }

    /// Waits for the work; see the module's text.
    pub fn run(mut self, py: Python<'_>) -> PyResult<T> {
        let mut last = Instant::now();
        loop {
            match self.receive(py, TICK) {
                Ok(value) => {
                    self.report(py)?;
                    return Ok(value);
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(raise(
                        py,
                        "internal",
                        "the core's worker ended without a result",
                        None,
                        None,
                    ));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let Err(error) = self.tick(py, &mut last) {
                (self.stop)();
                return Err(self.wind_down(py).err().unwrap_or(error));
            }
        }
    }

    /// Waits for stopped work to end; impatience, a second Ctrl-C, is an error.
    fn wind_down(&mut self, py: Python<'_>) -> PyResult<()> {
        let stopped = Instant::now();
        while stopped.elapsed() < GRACE {
            match self.receive(py, TICK) {
                Err(RecvTimeoutError::Timeout) => py.check_signals()?,
                _ => break,
            }
        }
        Ok(())
    }

    fn receive(&mut self, py: Python<'_>, limit: Duration) -> Result<T, RecvTimeoutError> {
        let result = &mut self.result;
        py.detach(move || result.recv_timeout(limit))
    }

    fn tick(&self, py: Python<'_>, last: &mut Instant) -> PyResult<()> {
        py.check_signals()?;
        if self.cancel.as_ref().is_some_and(CancelToken::is_cancelled) {
            return Err(raise(py, "cancelled", "cancelled", None, None));
        }
        if last.elapsed() >= self.interval {
            *last = Instant::now();
            self.report(py)?;
        }
        Ok(())
    }

    fn report(&self, py: Python<'_>) -> PyResult<()> {
        if let Some(callback) = &self.progress {
            callback.call1(py, ((self.snapshot)(py)?,))?;
        }
        Ok(())
    }
}
