//! The only place that calls libdeflate's inflate: its safe wrapper cannot give it bytes to look
//! ahead into, without which it is up to twice as slow on the last bytes of each stream.
#![expect(unsafe_code, reason = "a C library; the proof stands at each call")]

use std::ptr::NonNull;

use libdeflate_sys::{
    libdeflate_alloc_decompressor, libdeflate_decompressor, libdeflate_free_decompressor,
    libdeflate_result_LIBDEFLATE_INSUFFICIENT_SPACE as INSUFFICIENT_SPACE,
    libdeflate_result_LIBDEFLATE_SUCCESS as SUCCESS, libdeflate_zlib_decompress_ex,
};

use super::{damaged, wrong_size, ROOM};
use crate::error::{Error, Kind, Result};
use crate::read::input::Padded;

/// Bytes behind the wanted ones that the fast loop may overwrite without having decoded them.
const OVERRUN: usize = 40;
const MARK: [u8; 8] = *b"\xa5\x5a\xc3\x3c\x96\x69\xe1\x1e";

/// Inflates one stream after the other.
pub struct Inflate {
    state: NonNull<libdeflate_decompressor>,
}

// SAFETY: libdeflate's state is plain memory, tied to no thread, and only this owner has it.
unsafe impl Send for Inflate {}

impl Drop for Inflate {
    fn drop(&mut self) {
        // SAFETY: `state` came from `libdeflate_alloc_decompressor` and is freed here alone.
        unsafe { libdeflate_free_decompressor(self.state.as_ptr()) }
    }
}

enum End {
    Whole { read: usize, written: usize },
    Full,
}

impl Inflate {
    /// A new one.
    pub fn new() -> Result<Self> {
        // SAFETY: the function has no conditions; it gives null when there is no memory.
        let state = unsafe { libdeflate_alloc_decompressor() };
        NonNull::new(state)
            .map(|state| Self { state })
            .ok_or_else(|| Error::new(Kind::TooLarge, "not enough memory to inflate"))
    }

    /// The first `need` bytes of a stream that must give `length` bytes, into the first bytes of
    /// `out`, which has `ROOM` more than `length`. The stream's sum is checked when `need` is
    /// all, or nearly all; otherwise the rest is not looked at.
    pub fn inflate(
        &mut self,
        packed: Padded<'_>,
        out: &mut [u8],
        length: usize,
        need: usize,
    ) -> Result<()> {
        if need + ROOM < length {
            // A stored part of the stream that does not fit is dropped as a whole. Then this
            // mark is left as it is, and everything is inflated.
            out[need + OVERRUN..][..MARK.len()].copy_from_slice(&MARK);
            match self.run(packed, &mut out[..need + ROOM])? {
                End::Full if out[need + OVERRUN..][..MARK.len()] != MARK => return Ok(()),
                End::Full => {}
                End::Whole { written, .. } => return Err(wrong_size(written, length)),
            }
        }
        match self.run(packed, &mut out[..length + ROOM])? {
            End::Full => Err(wrong_size(length + 1, length)),
            End::Whole { written, .. } if written != length => Err(wrong_size(written, length)),
            // Else the end of the stream was taken from what stands behind it.
            End::Whole { read, .. } if read > packed.bytes().len() => Err(damaged()),
            End::Whole { .. } => Ok(()),
        }
    }

    fn run(&mut self, packed: Padded<'_>, out: &mut [u8]) -> Result<End> {
        let packed = packed.with_slack();
        let (mut read, mut written) = (0, 0);
        // SAFETY: `state` is alive and ours alone (`&mut self`); the input is `packed.len()`
        // readable bytes and the output `out.len()` writable ones, which are not the same (one is
        // borrowed shared, the other not); libdeflate stays within both, whatever the stream. The
        // last two point to live numbers.
        let result = unsafe {
            libdeflate_zlib_decompress_ex(
                self.state.as_ptr(),
                packed.as_ptr().cast(),
                packed.len(),
                out.as_mut_ptr().cast(),
                out.len(),
                &raw mut read,
                &raw mut written,
            )
        };
        match result {
            SUCCESS => Ok(End::Whole { read, written }),
            INSUFFICIENT_SPACE => Ok(End::Full),
            _ => Err(damaged()),
        }
    }
}
