//! One tokio runtime for the life of the process, and a guard against forks.
//!
//! A forked child has the runtime's memory but none of its threads: work given to it would never
//! end. So the process id is kept beside the runtime, and another one gets a clear error.

use std::future::Future;
use std::io;
use std::sync::mpsc::{channel, Receiver};
use std::sync::OnceLock;
use std::thread;

use pyo3::prelude::*;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::errors::raise;

static CORE: OnceLock<Core> = OnceLock::new();

/// More threads than this only take turns: a core moves gigabytes a second.
const MOST_THREADS: usize = 4;

/// The runtime and the process that it belongs to.
struct Core {
    owner: u32,
    handle: Handle,
    /// Keeps the workers of a runtime that has its own.
    _workers: Option<Runtime>,
}

/// Starts `work` and returns where its result will come.
pub fn spawn<T: Send + 'static>(
    py: Python<'_>,
    work: impl Future<Output = T> + Send + 'static,
) -> PyResult<Receiver<T>> {
    let (sender, receiver) = channel();
    handle(py)?.spawn(async move {
        // Nobody listens after an interrupt that took longer than the caller's patience.
        let _ = sender.send(work.await);
    });
    Ok(receiver)
}

fn handle(py: Python<'_>) -> PyResult<&'static Handle> {
    if CORE.get().is_none() {
        let core = start().map_err(|error| {
            let text = format!("cannot start threads: {error}");
            raise(py, "internal", &text, None, None)
        })?;
        // Another thread may have been faster; then this one's goes unused.
        let _ = CORE.set(core);
    }
    match CORE.get() {
        Some(core) if core.owner == std::process::id() => Ok(&core.handle),
        _ => Err(forked(py)),
    }
}

/// The error of whoever uses, in a forked child, what works in its parent.
pub fn forked(py: Python<'_>) -> PyErr {
    raise(
        py,
        "forked",
        "this process was forked from one that had used the core, which cannot work here",
        Some("start processes with multiprocessing.get_context(\"spawn\") or \"forkserver\""),
        None,
    )
}

/// On one core a single thread without work stealing is a fifth cheaper than two.
fn start() -> io::Result<Core> {
    let owner = std::process::id();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    if threads == 1 {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let named = thread::Builder::new().name("synthesis".to_owned());
        named.spawn(move || runtime.block_on(std::future::pending::<()>()))?;
        return Ok(Core {
            owner,
            handle,
            _workers: None,
        });
    }
    let runtime = Builder::new_multi_thread()
        .worker_threads(threads.min(MOST_THREADS))
        .thread_name("synthesis")
        .enable_all()
        .build()?;
    Ok(Core {
        owner,
        handle: runtime.handle().clone(),
        _workers: Some(runtime),
    })
}
