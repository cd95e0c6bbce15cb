//! From the bytes of an EXR to rows of the channels that somebody wants.
//!
//! `input` is the file. `header` checks what stands before the pixels, by `part`, `attribute` and
//! `compression`; `plausible` what that would cost. `chunks` finds the blocks, `decode` unpacks
//! them by `inflate`, `band` holds a row of them, and each `block` gives its pixels `line` by
//! line through the `predictor`. `channels` finds channels by name; `rows` is what others use.

pub(crate) mod attribute;
mod band;
mod block;
pub(crate) mod channels;
mod chunks;
pub(crate) mod compression;
mod decode;
pub(crate) mod header;
pub(crate) mod inflate;
pub(crate) mod input;
mod line;
pub(crate) mod part;
mod plausible;
pub(crate) mod predictor;
mod rows;
#[cfg(test)]
mod tests;

pub use channels::{find, Place};
pub use input::Input;
pub use line::Samples;
pub use rows::{Reading, Row, Rows};
