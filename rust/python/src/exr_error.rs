//! From a failure of the EXR crate to the Python exception of its kind.

use pyo3::prelude::*;
use synthesis_exr::Error;

use crate::errors::raise;

/// The Python exception of an EXR failure.
pub fn raise_exr(py: Python<'_>, error: &Error) -> PyErr {
    raise(py, error.kind.as_str(), &error.message, error.hint, None)
}
