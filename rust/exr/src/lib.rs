//! OpenEXR reading and the images made from it.

// Samples are read in place; every platform we build for is little endian.
#[cfg(target_endian = "big")]
compile_error!("synthesis-exr reads and writes samples in place: little-endian targets only");

mod error;
mod header;
mod scratch;
mod write;

pub use error::{Error, Kind, Result, KINDS};
pub use write::{encode as encode_exr, write, Samples};
