//! From the bytes of an EXR to the samples of its channels.
//!
//! `header` checks (by `part` and `attribute`); `blocks` unpacks one block after the other by
//! `decode`, `compression` and `predictor`; `channels` gathers what is wanted. `input` is the
//! file below all of it.

pub mod attribute;
pub mod blocks;
pub mod channels;
pub mod compression;
pub mod decode;
pub mod header;
pub mod input;
pub mod part;
pub mod predictor;
