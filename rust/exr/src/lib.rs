//! OpenEXR reading and the images made from it.
//!
//! `read` gives the samples of channels; `assets` turns them into images with `color` and
//! `cryptomatte`; `encode` writes PNG and TIFF; `extract` does all of it for many files.
//! `write` makes EXRs, `info` tells what is in one.

// Samples are read in place; every platform we build for is little endian.
#[cfg(target_endian = "big")]
compile_error!("synthesis-exr reads and writes samples in place: little-endian targets only");

mod assets;
mod encode;
mod error;
mod extract;
#[cfg(any(test, feature = "fuzzing"))]
#[expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken promise must be heard"
)]
pub mod fuzzing;
mod guard;
mod info;
pub mod read;
mod write;

pub use assets::object_id;
pub use assets::{Asset, Rules};
pub use encode::{encode, Encoder, Format, Mode, Pixels, Shape};
pub use error::{Error, Kind, Result, KINDS};
pub use extract::arrays::{self, Array, Arrays, Values};
pub use extract::channels::{channels, planes};
pub use extract::memory::Memory;
pub use extract::{extract, Container, Extracted, Failure, Plan, Progress, Range};
pub use info::{attributes, info, CryptomatteInfo, Info, Value};
pub use read::header::Header;
pub use read::part::Part;
pub use read::Reading;
pub use write::{write, Samples};
