//! Stock zlib with a choice of window and strategy: the bytes of the original files depend on it.
//!
//! No safe wrapper offers the strategy, and other deflate libraries give other bytes.
#![expect(unsafe_code)]

use std::ffi::c_int;
use std::mem::MaybeUninit;

use libz_sys as z;

use super::extend;
use crate::error::{Error, Kind, Result};

/// How zlib looks for repeats.
#[derive(Clone, Copy)]
pub enum Strategy {
    /// Everywhere in the window.
    Default,
    /// Runs of one byte only.
    Runs,
}

/// One zlib stream after another.
pub struct Zlib(*mut z::z_stream);

// SAFETY: the stream and all that it points to belong to this value alone, and zlib keeps nothing
// that is bound to a thread.
unsafe impl Send for Zlib {}

impl Zlib {
    /// `level` 1 to 9, `window_bits` 8 to 15; memory level 8.
    pub fn new(level: u8, window_bits: u8, strategy: Strategy) -> Result<Self> {
        let strategy = match strategy {
            Strategy::Default => z::Z_DEFAULT_STRATEGY,
            Strategy::Runs => z::Z_RLE,
        };
        let size = c_int::try_from(size_of::<z::z_stream>())
            .map_err(|_| Error::new(Kind::Internal, "zlib stream size"))?;
        // zlib wants the allocators, `opaque` and the input pointers set before the call; zero
        // means "malloc and free" and "no input". The Rust type declares the allocators as never
        // null, so the value is handled through its pointer only and never moved, read or dropped
        // as a Rust value (zlib also keeps a pointer back to it).
        let stream =
            Box::into_raw(Box::new(MaybeUninit::<z::z_stream>::zeroed())).cast::<z::z_stream>();
        // SAFETY: `stream` is valid for writes and zeroed, as `deflateInit2_` asks; the version
        // and the size are those of the library that is linked, so it does not write past it.
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
        // From here on all is released by `drop`, to which a stream that was not begun is none.
        let this = Self(stream);
        if code == z::Z_OK {
            Ok(this)
        } else {
            Err(failed(code))
        }
    }

    /// Packs more bytes and appends what comes out to `out`; `last` ends the stream, and the next
    /// bytes begin another.
    pub fn pack(&mut self, bytes: &[u8], last: bool, out: &mut Vec<u8>) -> Result<()> {
        const STEP: usize = 1 << 16;
        let available = u32::try_from(bytes.len())
            .map_err(|_| Error::new(Kind::Internal, "more than 4 GiB at once for zlib"))?;
        let flush = if last { z::Z_FINISH } else { z::Z_NO_FLUSH };
        // SAFETY: the fields are written through the pointer to a live, initialised struct.
        unsafe {
            (*self.0).next_in = bytes.as_ptr().cast_mut();
            (*self.0).avail_in = available;
        }
        loop {
            let before = out.len();
            extend(out, STEP)?;
            // SAFETY: zlib reads the `avail_in` bytes that are left at `next_in` (within `bytes`,
            // never written despite the type) and writes at most `STEP` at `next_out` (the new
            // end of `out`). Both outlive the call and neither is touched while it runs; after
            // the loop no input is left, so `next_in` is not followed again.
            let (code, left) = unsafe {
                (*self.0).next_out = out[before..].as_mut_ptr();
                (*self.0).avail_out = STEP as u32;
                (z::deflate(self.0, flush), (*self.0).avail_out)
            };
            out.truncate(before + STEP - left as usize);
            match code {
                z::Z_STREAM_END => break,
                z::Z_OK if left == 0 => {}
                // All that was given is taken; the rest waits for more.
                z::Z_OK | z::Z_BUF_ERROR if !last && left > 0 => return Ok(()),
                other => return Err(failed(other)),
            }
        }
        // SAFETY: the stream was initialised.
        match unsafe { z::deflateReset(self.0) } {
            z::Z_OK => Ok(()),
            code => Err(failed(code)),
        }
    }
}

/// The bits of a raw deflate stream at which its last block begins and ends. `stream` must be
/// whole.
pub fn last_block(stream: &[u8]) -> Result<(usize, usize)> {
    const STEP: usize = 1 << 16;
    /// Flags of `data_type`: in the last block; between two blocks.
    const LAST: c_int = 64;
    const BETWEEN: c_int = 128;
    let available = u32::try_from(stream.len())
        .map_err(|_| Error::new(Kind::Internal, "more than 4 GiB at once for zlib"))?;
    let inflate = Inflate::new()?;
    let mut scrap = Vec::new();
    extend(&mut scrap, STEP)?;
    // SAFETY: the fields are written through the pointer to a live, initialised struct.
    unsafe {
        (*inflate.0).next_in = stream.as_ptr().cast_mut();
        (*inflate.0).avail_in = available;
    }
    let mut begin = 0;
    loop {
        // SAFETY: zlib reads the `avail_in` bytes that are left at `next_in` (within `stream`,
        // never written despite the type) and writes at most `STEP` at `next_out` (`scrap`, of
        // that size). Both outlive the call and neither is touched while it runs.
        let (code, left, state) = unsafe {
            (*inflate.0).next_out = scrap.as_mut_ptr();
            (*inflate.0).avail_out = STEP as u32;
            let code = z::inflate(inflate.0, z::Z_BLOCK);
            (code, (*inflate.0).avail_in, (*inflate.0).data_type)
        };
        if code != z::Z_OK {
            return Err(failed(code));
        }
        if state & BETWEEN != 0 {
            // The lowest bits count those of the last byte read that are not used yet.
            let place = 8 * (stream.len() - left as usize) - (state & 7) as usize;
            if state & LAST != 0 {
                return Ok((begin, place));
            }
            begin = place;
        }
    }
}

/// A reader of raw deflate.
struct Inflate(*mut z::z_stream);

impl Inflate {
    fn new() -> Result<Self> {
        let size = c_int::try_from(size_of::<z::z_stream>())
            .map_err(|_| Error::new(Kind::Internal, "zlib stream size"))?;
        // Zeroed and handled through its pointer only, as in `Zlib::new`.
        let stream = Box::into_raw(Box::new(MaybeUninit::<z::z_stream>::zeroed())).cast();
        let this = Self(stream);
        // SAFETY: `stream` is valid for writes and zeroed, as `inflateInit2_` asks; the version
        // and the size are those of the library that is linked, so it does not write past it.
        match unsafe { z::inflateInit2_(stream, -15, z::zlibVersion(), size) } {
            z::Z_OK => Ok(this),
            code => Err(failed(code)),
        }
    }
}

impl Drop for Inflate {
    fn drop(&mut self) {
        // SAFETY: as for `Zlib`: the box of this type is used no more, and `inflateEnd` answers
        // with an error, and touches nothing, where `state` is null.
        unsafe {
            z::inflateEnd(self.0);
            drop(Box::from_raw(self.0.cast::<MaybeUninit<z::z_stream>>()));
        }
    }
}

fn failed(code: c_int) -> Error {
    let kind = if code == z::Z_MEM_ERROR {
        Kind::TooLarge
    } else {
        Kind::Internal
    };
    Error::new(kind, format!("zlib failed with code {code}"))
}

impl Drop for Zlib {
    fn drop(&mut self) {
        // SAFETY: the pointer came from a box of this type's size and alignment and is used no
        // more; `deflateEnd` answers with an error, and touches nothing, where `state` is null.
        unsafe {
            z::deflateEnd(self.0);
            drop(Box::from_raw(self.0.cast::<MaybeUninit<z::z_stream>>()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Strategy, Zlib};

    #[test]
    fn round_trips_in_pieces_and_again() {
        let data: Vec<u8> = (0..9_000_u32).map(|i| (i / 7 * i % 251) as u8).collect();
        for strategy in [Strategy::Default, Strategy::Runs] {
            for (level, window, data) in
                [(1, 15, &data[..]), (9, 9, &data[..300]), (9, 8, &data[..0])]
            {
                let mut zlib = Zlib::new(level, window, strategy).unwrap();
                for piece in [usize::MAX, 777, 4000] {
                    let mut packed = Vec::new();
                    for piece in data.chunks(piece) {
                        zlib.pack(piece, false, &mut packed).unwrap();
                    }
                    zlib.pack(&[], true, &mut packed).unwrap();
                    let mut back = vec![0; data.len()];
                    let found =
                        libdeflater::Decompressor::new().zlib_decompress(&packed, &mut back);
                    assert_eq!(found.unwrap(), data.len());
                    assert_eq!(back, data);
                }
            }
        }
    }
}
