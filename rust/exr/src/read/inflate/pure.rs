//! The same by zlib-rs.

use zlib_rs::{InflateFlush, Status};

use super::{damaged, wrong_size};
use crate::error::Result;
use crate::read::input::Padded;

/// Inflates one stream after the other.
pub struct Inflate {
    state: zlib_rs::Inflate,
}

impl Inflate {
    /// A new one.
    #[expect(clippy::unnecessary_wraps, reason = "libdeflate's can fail")]
    pub fn new() -> Result<Self> {
        Ok(Self {
            state: zlib_rs::Inflate::new(true, 15),
        })
    }

    /// The first `need` bytes of a stream that must give `length` bytes, into the first bytes of
    /// `out`, which must be longer than `length`. The stream's sum is checked when `need` is all.
    pub fn inflate(
        &mut self,
        packed: Padded<'_>,
        out: &mut [u8],
        length: usize,
        need: usize,
    ) -> Result<()> {
        self.state.reset(true);
        // One byte more, so that too long a stream is seen.
        let most = if need < length { need } else { length + 1 };
        let status = self
            .state
            .decompress(packed.bytes(), &mut out[..most], InflateFlush::NoFlush)
            .map_err(|_| damaged())?;
        let found = self.state.total_out() as usize;
        match status {
            Status::StreamEnd if found == length => Ok(()),
            Status::StreamEnd => Err(wrong_size(found, length)),
            _ if found == most && need < length => Ok(()),
            _ if found == most => Err(wrong_size(found, length)),
            _ => Err(damaged()),
        }
    }
}
