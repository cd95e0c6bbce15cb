//! Memory that Rust fills and Python then owns: arrays cross without a copy.

use std::ffi::c_int;
use std::ptr::NonNull;

use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;

/// Bytes behind the buffer protocol, for `numpy.frombuffer`.
#[pyclass(frozen, module = "synthesis._core")]
pub struct Memory {
    start: NonNull<u8>,
    bytes: usize,
    /// Keeps what `start` points to; nobody looks at it here any more.
    _owner: synthesis_exr::Memory,
}

// `start` is only handed to Python, whose users of a buffer are bound to agree among themselves;
// the owner behind it is plain memory, which any thread may free.
#[expect(unsafe_code, reason = "the lines above")]
unsafe impl Send for Memory {}
#[expect(unsafe_code, reason = "the lines above")]
unsafe impl Sync for Memory {}

impl Memory {
    /// Takes the samples as they lie.
    pub fn new(mut owner: synthesis_exr::Memory) -> Self {
        let all = owner.bytes();
        let bytes = all.len();
        Self {
            start: NonNull::from(all).cast(),
            bytes,
            _owner: owner,
        }
    }
}

#[pymethods]
impl Memory {
    // `view` is Python's own, as the slot promises. Start and size are those of memory that
    // this object owns and never touches again; moving its owner moved no byte of it. The view
    // holds a reference to the object, so the memory outlives every view, and writing is fine.
    #[expect(unsafe_code, reason = "the lines above")]
    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        let (start, size) = (slf.get().start, slf.get().bytes);
        let size = isize::try_from(size).map_err(|_| PyBufferError::new_err("too large"))?;
        let failed = unsafe {
            ffi::PyBuffer_FillInfo(view, slf.as_ptr(), start.as_ptr().cast(), size, 0, flags)
        };
        match failed {
            0 => Ok(()),
            _ => Err(PyErr::fetch(slf.py())),
        }
    }
}
