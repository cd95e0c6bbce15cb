//! From a kind and its words to the Python exception of that kind.
//!
//! The classes live in `synthesis.errors`; this module only looks the factory up.

use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;
use synthesis_transfer::header::{HeaderMap, HeaderName, HeaderValue};
use synthesis_transfer::Url;

static FACTORY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Kinds that the binding itself raises; the crates add their own.
const OWN_KINDS: &[&str] = &["cancelled", "forked", "internal", "usage"];

/// Every kind that this extension can raise, sorted.
#[pyfunction]
pub fn error_kinds() -> Vec<&'static str> {
    let mut kinds: Vec<&'static str> = OWN_KINDS.to_vec();
    kinds.extend(synthesis_transfer::KINDS);
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
            Ok::<_, PyErr>(
                py.import("synthesis.errors")?
                    .getattr("from_kind")?
                    .unbind(),
            )
        })?;
        let value = factory.bind(py).call1((kind, message, hint, fields))?;
        Ok(PyErr::from_value(value))
    };
    build().unwrap_or_else(|_| PyRuntimeError::new_err(message.to_owned()))
}

/// The exception for an error of the transfer crate.
pub fn transfer_error(py: Python<'_>, error: &synthesis_transfer::Error) -> PyErr {
    let fields = PyDict::new(py);
    let filled = || -> PyResult<()> {
        if let Some(status) = error.status {
            fields.set_item("status", status)?;
        }
        if let Some(id) = &error.request_id {
            fields.set_item("request_id", id)?;
        }
        Ok(())
    };
    match filled() {
        Ok(()) => raise(
            py,
            &error.kind,
            &error.message,
            error.hint.as_deref(),
            Some(fields.clone()),
        ),
        Err(problem) => problem,
    }
}

/// An absolute `http` or `https` URL; the error does not repeat it, as it may hold a secret.
pub fn parse_url(py: Python<'_>, text: &str) -> PyResult<Url> {
    let url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| {
        let hint = Some("it begins with http:// or https://, followed by a host");
        raise(
            py,
            "usage",
            "the server's address is not a web address",
            hint,
            None,
        )
    })
}

/// Headers; the error names the header and not its value.
pub fn parse_headers(py: Python<'_>, headers: Vec<(String, String)>) -> PyResult<HeaderMap> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let bad = || {
            raise(
                py,
                "usage",
                &format!("the header {name:?} has characters that HTTP forbids"),
                None,
                None,
            )
        };
        let key = HeaderName::try_from(&name).map_err(|_| bad())?;
        map.append(key, HeaderValue::try_from(value).map_err(|_| bad())?);
    }
    Ok(map)
}

/// A positive, finite time.
pub fn check_seconds(py: Python<'_>, name: &str, seconds: f64) -> PyResult<Duration> {
    let time = Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|time| !time.is_zero());
    time.ok_or_else(|| {
        raise(
            py,
            "usage",
            &format!("{name} must be a time in seconds above 0"),
            None,
            None,
        )
    })
}
