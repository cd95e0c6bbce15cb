//! `synthesis._core`: convert, call, map errors. Nothing is decided here; defaults live in Python.

mod background;
mod cancel;
mod client;
mod download;
mod encode;
mod errors;
mod exr_error;
mod exr_info;
mod exr_read;
mod extract;
mod memory;
mod runtime;
mod stream;
mod wait;
mod write_exr;

use pyo3::prelude::*;

/// The compiled core of synthesis.
#[pymodule]
mod _core {
    #[pymodule_export]
    use super::cancel::CancelToken;
    #[pymodule_export]
    use super::client::HttpClient;
    #[pymodule_export]
    use super::download::download;
    #[pymodule_export]
    use super::encode::{encode, object_id};
    #[pymodule_export]
    use super::errors::error_kinds;
    #[pymodule_export]
    use super::exr_info::exr_info;
    #[pymodule_export]
    use super::exr_read::{exr_assets, exr_channels, exr_planes};
    #[pymodule_export]
    use super::extract::extract;
    #[pymodule_export]
    use super::memory::Memory;
    #[pymodule_export]
    use super::stream::Stream;
    #[pymodule_export]
    use super::write_exr::write_exr;

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
