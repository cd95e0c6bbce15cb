//! The token by which another thread stops a long call.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use pyo3::prelude::*;

/// Stops a long call from another thread: pass it as `cancel=`, then call `cancel()`.
#[pyclass(frozen, from_py_object, module = "synthesis._core")]
#[derive(Clone, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// True once `cancel()` was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

#[pymethods]
impl CancelToken {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }

    #[getter]
    fn cancelled(&self) -> bool {
        self.is_cancelled()
    }
}
