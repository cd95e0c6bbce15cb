//! `encode`: one image in memory to the bytes of its file. `object_id`: a name to its id.

use std::sync::atomic::AtomicBool;

use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use synthesis_exr::{Asset, Error, Kind, Mode, Shape};

use crate::background;
use crate::exr_error::raise_exr;

/// The file of an image; see the stub.
#[pyfunction]
pub fn encode(
    py: Python<'_>,
    asset: &str,
    width: usize,
    height: usize,
    samples: PyBuffer<u8>,
    mode: &str,
) -> PyResult<Py<PyBytes>> {
    let fail = |error: Error| raise_exr(py, &error);
    let mode = Mode::parse(mode).map_err(fail)?;
    let asset = Asset::parse(asset).map_err(fail)?;
    let shape = Shape {
        width,
        height,
        samples: asset.format(),
    };
    check(shape, &samples).map_err(fail)?;
    let work = move || {
        let stop = AtomicBool::new(false);
        synthesis_exr::encode(shape, mode, &stop, rows(samples))
    };
    let bytes = background::run(py, work)?.map_err(fail)?;
    Ok(PyBytes::new(py, &bytes).unbind())
}

/// The samples must be those of such an image, without gaps.
fn check(shape: Shape, samples: &PyBuffer<u8>) -> Result<(), Error> {
    if shape.bytes() == Some(samples.len_bytes()) && samples.is_c_contiguous() {
        return Ok(());
    }
    let (width, height) = (shape.width, shape.height);
    let words = format!("no image of {width} x {height} pixels has such samples");
    Err(Error::new(Kind::Usage, words))
}

/// Copies the next bytes of `samples` at each call.
fn rows(samples: PyBuffer<u8>) -> impl FnMut(&mut [u8]) {
    let mut done = 0;
    move |row| {
        let Some(all) = samples.as_slice_ptr() else {
            return;
        };
        let now = row.len().min(all.len() - done);
        // Python keeps this memory as it is, in place and size, while `samples` lives, and `now`
        // bytes from `done` on lie within it. It is copied and never referred to: who writes to
        // it meanwhile changes pixels and nothing else. `row` is our own, so they do not overlap.
        #[expect(unsafe_code, reason = "the lines above")]
        unsafe {
            let from = all.cast::<u8>().add(done);
            from.copy_to_nonoverlapping(std::ptr::NonNull::from(&mut *row).cast(), now);
        }
        done += now;
    }
}

/// The cryptomatte id of an object's name.
#[pyfunction]
pub fn object_id(name: &str) -> u32 {
    synthesis_exr::object_id(name)
}
