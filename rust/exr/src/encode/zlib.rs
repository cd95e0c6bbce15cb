//! Stock zlib with a choice of window and strategy: the bytes of the original files depend on it.
//!
//! No safe wrapper offers the strategy, and other deflate libraries give other bytes.
#![expect(unsafe_code)]

use std::ffi::c_int;
use std::mem::MaybeUninit;

use libz_sys as z;

use crate::error::{Error, Kind, Result};
use crate::read::input::reserve;

/// How zlib looks for repeats.
#[derive(Clone, Copy)]
pub enum Strategy {
    /// Everywhere in the window.
    Default,
    /// Runs of one byte only.
    Runs,
}

/// One zlib stream of `data`; `level` 1 to 9, `window_bits` 8 to 15, memory level 8.
pub fn deflate(data: &[u8], level: u8, window_bits: u8, strategy: Strategy) -> Result<Vec<u8>> {
    let failed = |code: c_int| Error::new(Kind::Internal, format!("zlib failed with code {code}"));
    let strategy = match strategy {
        Strategy::Default => z::Z_DEFAULT_STRATEGY,
        Strategy::Runs => z::Z_RLE,
    };
    let available = u32::try_from(data.len()).map_err(|_| {
        Error::new(
            Kind::TooLarge,
            "an image of more than 4 GiB cannot be packed",
        )
    })?;
    let size = c_int::try_from(size_of::<z::z_stream>())
        .map_err(|_| Error::new(Kind::Internal, "zlib stream size"))?;

    // zlib wants the allocators, `opaque` and the input pointers set before the call; zero means
    // "malloc and free" and "no input". The Rust type declares the allocators as never null, so
    // the value is handled through its pointer only and never moved, read or dropped as a Rust
    // value (zlib also keeps a pointer back to it).
    let mut stream = MaybeUninit::<z::z_stream>::zeroed();
    let stream = stream.as_mut_ptr();
    // SAFETY: `stream` is valid for writes and zeroed, as `deflateInit2_` asks; the version and
    // the size are those of the library that is linked, so it does not write past the struct.
    let code = unsafe {
        z::deflateInit2_(
            stream,
            c_int::from(level),
            z::Z_DEFLATED,
            c_int::from(window_bits),
            8,
            strategy,
            z::zlibVersion(),
            size,
        )
    };
    if code != z::Z_OK {
        return Err(failed(code));
    }
    // From here on the stream is released on every path by this guard.
    let open = Open(stream);
    // SAFETY: the stream was initialised; `deflateBound` only reads it.
    let bound = unsafe { z::deflateBound(open.0, data.len() as _) };
    let bound = u32::try_from(bound).map_err(|_| {
        Error::new(
            Kind::TooLarge,
            "an image of more than 4 GiB cannot be packed",
        )
    })?;
    let mut out: Vec<u8> = reserve(bound as usize)?;
    out.resize(bound as usize, 0);
    // SAFETY: the fields are written through the pointer to a live, initialised struct. zlib reads
    // `available` bytes at `next_in` (the length of `data`, never written despite the type) and
    // writes at most `bound` bytes at `next_out` (the length of `out`); both outlive the call and
    // neither is touched while it runs.
    let (code, written) = unsafe {
        (*open.0).next_in = data.as_ptr().cast_mut();
        (*open.0).avail_in = available;
        (*open.0).next_out = out.as_mut_ptr();
        (*open.0).avail_out = bound;
        let code = z::deflate(open.0, z::Z_FINISH);
        (code, bound - (*open.0).avail_out)
    };
    if code != z::Z_STREAM_END {
        return Err(failed(code));
    }
    out.truncate(written as usize);
    Ok(out)
}

/// Ends the stream.
struct Open(*mut z::z_stream);

impl Drop for Open {
    fn drop(&mut self) {
        // SAFETY: made only after `deflateInit2_` succeeded on this pointer, whose struct lives in
        // the same function body and is declared before this value, so it outlives it.
        unsafe { z::deflateEnd(self.0) };
    }
}

#[cfg(test)]
mod tests {
    use super::{deflate, Strategy};

    #[test]
    fn round_trips() {
        let data: Vec<u8> = (0..100_000_u32).map(|i| (i / 7 * i % 251) as u8).collect();
        for strategy in [Strategy::Default, Strategy::Runs] {
            for (level, window, data) in
                [(1, 15, &data[..]), (9, 9, &data[..300]), (9, 8, &data[..0])]
            {
                let packed = deflate(data, level, window, strategy).unwrap();
                let mut back = vec![0; data.len()];
                let found = libdeflater::Decompressor::new().zlib_decompress(&packed, &mut back);
                assert_eq!(found.unwrap(), data.len());
                assert_eq!(back, data);
            }
        }
    }
}
