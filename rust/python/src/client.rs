//! `HttpClient`: the one HTTP stack, for single requests and for downloads.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use synthesis_transfer::{Answer, CancellationToken, Http, Limits, Request};

use crate::cancel::CancelToken;
use crate::errors::{check_seconds, parse_headers, parse_url, raise, transfer_error};
use crate::runtime::spawn;
use crate::wait::Wait;

/// A pool of connections; proxies and certificate authorities come from the environment.
#[pyclass(frozen, module = "synthesis._core")]
pub struct HttpClient(pub Arc<Http>);

type Whole<'py> = (u16, Vec<(String, String)>, Bound<'py, PyBytes>);

#[pymethods]
impl HttpClient {
    #[new]
    #[pyo3(signature = (user_agent, *, connect_timeout, first_byte_timeout, idle_timeout, attempts, checkpoint))]
    fn new(
        py: Python<'_>,
        user_agent: &str,
        connect_timeout: f64,
        first_byte_timeout: f64,
        idle_timeout: f64,
        attempts: u32,
        checkpoint: f64,
    ) -> PyResult<Self> {
        let limits = Limits {
            connect: check_seconds(py, "connect_timeout", connect_timeout)?,
            first_byte: check_seconds(py, "first_byte_timeout", first_byte_timeout)?,
            idle: check_seconds(py, "idle_timeout", idle_timeout)?,
            attempts,
            checkpoint: check_seconds(py, "checkpoint", checkpoint)?,
        };
        Ok(Self(Arc::new(Http::new(user_agent, limits))))
    }

    #[pyo3(signature = (method, url, *, headers, body, timeout, cancel=None))]
    #[expect(clippy::too_many_arguments, reason = "keyword-only in Python")]
    fn request<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        url: &str,
        headers: Vec<(String, String)>,
        body: Option<Vec<u8>>,
        timeout: f64,
        cancel: Option<CancelToken>,
    ) -> PyResult<Whole<'py>> {
        let request = Request {
            method: method
                .parse()
                .map_err(|_| raise(py, "usage", "the HTTP method is malformed", None, None))?,
            url: parse_url(py, url)?,
            headers: parse_headers(py, headers)?,
            body,
            timeout: check_seconds(py, "timeout", timeout)?,
        };
        let (http, token) = (self.0.clone(), CancellationToken::new());
        let stopped = token.clone();
        let result = spawn(py, async move {
            tokio::select! {
                answer = http.request(request) => Some(answer),
                () = stopped.cancelled() => None,
            }
        })?;
        let answer = Wait::silent(result, &|| token.cancel(), cancel).run(py)?;
        match answer {
            Some(Ok(Answer {
                status,
                headers,
                body,
            })) => Ok((status, headers, PyBytes::new(py, &body))),
            Some(Err(error)) => Err(transfer_error(py, &error)),
            None => Err(raise(py, "cancelled", "cancelled", None, None)),
        }
    }
}
