//! libdeflate beside zlib-rs.

use std::io::Cursor;

use libdeflater::{CompressionLvl, Compressor};

use crate::error::Result;
use crate::read::inflate::{libdeflate, pure, ROOM};
use crate::read::input::{Input, Padded, SLACK};

/// What zlib-rs accepts, libdeflate gives too, and prefixes that both give are equal: libdeflate is the
/// laxer one, for codes that a packer never makes. The first byte says whether a packer made the stream
/// of the rest, and at which level; the next six, how much is wanted of how many bytes, and which byte is
/// damaged.
pub fn inflate(data: &[u8]) {
    let [how, n0, n1, l0, l1, d0, d1, rest @ ..] = data else {
        return;
    };
    let number = |low: u8, high: u8| usize::from(low) | usize::from(high) << 8;
    let (mut stream, mut length) = (rest.to_vec(), number(*l0, *l1));
    let is_made = how & 1 == 1;
    if is_made {
        (stream, length) = packed(rest, i32::from(how >> 1 & 15).min(12), number(*l0, *l1));
    }
    let damaged = number(*d0, *d1);
    let is_whole = is_made && damaged == 0;
    if damaged > 0 {
        let place = damaged % stream.len().max(1);
        if let Some(byte) = stream.get_mut(place) {
            *byte ^= how >> 5 | 1;
        }
    }
    let need = number(*n0, *n1) % (length + 1);
    for need in [need, length] {
        let [native, pure] = both(&stream, length, need);
        assert!(!is_whole || native.is_ok() && pure.is_ok());
        match (native, pure) {
            (Ok(native), Ok(pure)) => assert!(native == pure, "{need} of {length}"),
            (Err(native), Ok(_)) if need == length => panic!("refused: {native:?}"),
            _ => {}
        }
    }
}

/// A stream of `bytes` repeated up to `length`, at a level of libdeflate's.
fn packed(bytes: &[u8], level: i32, length: usize) -> (Vec<u8>, usize) {
    let raw: Vec<u8> = bytes.iter().copied().cycle().take(length).collect();
    let level = CompressionLvl::new(level).unwrap_or_default();
    let mut packer = Compressor::new(level);
    let mut out = vec![0; packer.zlib_compress_bound(raw.len())];
    let size = packer.zlib_compress(&raw, &mut out).unwrap_or(0);
    out.truncate(size);
    (out, raw.len())
}

/// What both give of a stream; other bytes than zeros stand behind it in the file.
fn both(stream: &[u8], length: usize, need: usize) -> [Result<Vec<u8>>; 2] {
    let file = [stream, &[0xa7; SLACK]].concat();
    let run = |unpack: &mut dyn FnMut(Padded<'_>, &mut [u8]) -> Result<()>| {
        let mut input = Input::new(Cursor::new(&file))?;
        let mut out = vec![1; length + ROOM];
        unpack(input.block(stream.len())?, &mut out)?;
        out.truncate(need);
        Ok(out)
    };
    let native =
        run(&mut |packed, out| libdeflate::Inflate::new()?.inflate(packed, out, length, need));
    let pure = run(&mut |packed, out| pure::Inflate::new()?.inflate(packed, out, length, need));
    [native, pure]
}
