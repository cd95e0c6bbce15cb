//! One tokio runtime for the life of the process, and a guard against forks.
//!
//! A forked child has the runtime's memory but none of its threads: work given to it would never
//! end. So the process id is kept beside the runtime, and another one gets a clear error.

use std::future::Future;
use std::sync::mpsc::{channel, Receiver};
use std::sync::OnceLock;

use pyo3::prelude::*;
use tokio::runtime::{Builder, Runtime};

use crate::errors::raise;

static RUNTIME: OnceLock<(u32, Runtime)> = OnceLock::new();

/// More threads than this only take turns: a core moves gigabytes a second.
const MOST_THREADS: usize = 4;

/// Starts `work` and returns where its result will come.
pub fn spawn<T: Send + 'static>(
    py: Python<'_>,
    work: impl Future<Output = T> + Send + 'static,
) -> PyResult<Receiver<T>> {
    let (sender, receiver) = channel();
    runtime(py)?.spawn(async move {
        // Nobody listens after an interrupt that took longer than the caller's patience.
        let _ = sender.send(work.await);
    });
    Ok(receiver)
}

fn runtime(py: Python<'_>) -> PyResult<&'static Runtime> {
    if RUNTIME.get().is_none() {
        let threads = std::thread::available_parallelism()
            .map_or(1, usize::from)
            .min(MOST_THREADS);
        let built = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("synthesis")
            .enable_all()
            .build()
            .map_err(|error| {
                raise(
                    py,
                    "internal",
                    &format!("cannot start threads: {error}"),
                    None,
                    None,
                )
            })?;
        // Another thread may have been faster; then this one is dropped unused.
        let _ = RUNTIME.set((std::process::id(), built));
    }
    match RUNTIME.get() {
        Some((owner, runtime)) if *owner == std::process::id() => Ok(runtime),
        _ => Err(raise(
            py,
            "forked",
            "this process was forked from one that had used the core, which cannot work here",
            Some("start processes with multiprocessing.get_context(\"spawn\") or \"forkserver\""),
            None,
        )),
    }
}
