//! PNG files (ISO/IEC 15948): grey or RGB, 8 or 16 bit, filter Sub, no ancillary chunk.
//!
//! The exact mode gives the bytes of OpenCV's `imwrite` with libpng 1.6 and stock zlib, by which
//! the original files were written: runs only at level 1, IDAT chunks of 8,192 bytes, and a
//! window no larger than a small image needs.

use libdeflater::crc32;

use super::zlib::{deflate, Strategy};
use crate::encode::Mode;
use crate::error::Result;
use crate::read::input::reserve;

/// Samples of a PNG.
#[derive(Clone, Copy)]
pub enum Samples<'a> {
    /// 8 bit; 1 or 3 channels.
    Bytes(usize, &'a [u8]),
    /// 16 bit grey.
    Shorts(&'a [u16]),
}

/// The file's bytes; the samples must be `width * height` pixels.
pub fn png(width: usize, height: usize, samples: Samples<'_>, mode: Mode) -> Result<Vec<u8>> {
    const IDAT: usize = 8192;
    let (depth, color) = match samples {
        Samples::Bytes(3, _) => (8, 2),
        Samples::Bytes(..) => (8, 0),
        Samples::Shorts(_) => (16, 0),
    };
    let rows = filtered(width, height, samples)?;
    let (stream, step) = match mode {
        Mode::Exact => (exact_stream(&rows)?, IDAT),
        Mode::Fast => (crate::encode::fast_zlib(&rows)?, 1 << 30),
    };
    let mut file = reserve(stream.len() + stream.len() / step * 12 + 128)?;
    file.extend_from_slice(b"\x89PNG\r\n\x1a\n");
    let mut header = [0; 13];
    header[..4].copy_from_slice(&(width as u32).to_be_bytes());
    header[4..8].copy_from_slice(&(height as u32).to_be_bytes());
    (header[8], header[9]) = (depth, color);
    chunk(&mut file, *b"IHDR", &header);
    for data in stream.chunks(step) {
        chunk(&mut file, *b"IDAT", data);
    }
    chunk(&mut file, *b"IEND", &[]);
    Ok(file)
}

fn chunk(file: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    file.extend_from_slice(&(data.len() as u32).to_be_bytes());
    let start = file.len();
    file.extend_from_slice(&kind);
    file.extend_from_slice(data);
    let sum = crc32(&file[start..]);
    file.extend_from_slice(&sum.to_be_bytes());
}

/// Every row behind its filter byte, less the pixel to its left. A single column has no left
/// pixel and is written as it is.
fn filtered(width: usize, height: usize, samples: Samples<'_>) -> Result<Vec<u8>> {
    const SUB: u8 = 1;
    let step = match samples {
        Samples::Bytes(channels, _) => channels,
        Samples::Shorts(_) => 2,
    };
    let row = width * step;
    let mut out = reserve((row + 1) * height)?;
    let mut line = vec![0; row];
    for y in 0..height {
        match samples {
            Samples::Bytes(_, bytes) => line.copy_from_slice(&bytes[y * row..(y + 1) * row]),
            Samples::Shorts(words) => {
                let words = &words[y * width..(y + 1) * width];
                for (pair, word) in line.chunks_exact_mut(2).zip(words) {
                    pair.copy_from_slice(&word.to_be_bytes());
                }
            }
        }
        if width == 1 {
            out.push(0);
            out.extend_from_slice(&line);
        } else {
            out.push(SUB);
            out.extend_from_slice(&line[..step]);
            out.extend(
                line[step..]
                    .iter()
                    .zip(&line)
                    .map(|(now, left)| now.wrapping_sub(*left)),
            );
        }
    }
    Ok(out)
}

fn exact_stream(rows: &[u8]) -> Result<Vec<u8>> {
    let size = rows.len();
    let small = size <= 16_384;
    let mut window = 15_u8;
    while small && window > 8 && size + 262 <= 1 << (window - 1) {
        window -= 1;
    }
    let mut stream = deflate(rows, 1, window, Strategy::Runs)?;
    if small {
        shrink_window(&mut stream, size);
    }
    Ok(stream)
}

/// libpng states the smallest window that holds the data in the stream's first two bytes.
fn shrink_window(stream: &mut [u8], size: usize) {
    let mut info = stream[0] >> 4;
    let mut half = 1_usize << (info + 7);
    if size <= half {
        loop {
            half >>= 1;
            info -= 1;
            if info == 0 || size > half {
                break;
            }
        }
        stream[0] = info << 4 | stream[0] & 0xf;
        let flags = stream[1] & 0xe0;
        let rest = (u16::from(stream[0]) << 8 | u16::from(flags)) % 31;
        stream[1] = flags + 31 - rest as u8;
    }
}
