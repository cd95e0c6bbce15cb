//! From a kind and its words to the Python exception of that kind.
//!
//! The classes live in `synthesis.errors`; this module only looks the factory up.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

static FACTORY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Kinds that the binding itself raises; the crates add their own.
const OWN_KINDS: &[&str] = &["cancelled", "forked", "internal"];

/// Every kind that this extension can raise, sorted.
#[pyfunction]
pub fn error_kinds() -> Vec<&'static str> {
    let mut kinds: Vec<&'static str> = OWN_KINDS.to_vec();
    kinds.extend_from_slice(synthesis_exr::KINDS);
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// Builds the exception of `kind`: `synthesis.errors.from_kind(kind, message, hint, fields)`.
pub fn raise(
    py: Python<'_>,
    kind: &str,
    message: &str,
    hint: Option<&str>,
    fields: Option<Bound<'_, PyDict>>,
) -> PyErr {
    let build = || -> PyResult<PyErr> {
        let factory = FACTORY.get_or_try_init(py, || {
            Ok::<_, PyErr>(py.import("synthesis.errors")?.getattr("from_kind")?.unbind())
        })?;
        let value = factory.bind(py).call1((kind, message, hint, fields))?;
        Ok(PyErr::from_value(value))
    };
    build().unwrap_or_else(|_| PyRuntimeError::new_err(message.to_owned()))
}
