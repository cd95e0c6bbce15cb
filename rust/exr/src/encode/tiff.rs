//! TIFF files (revision 6.0, with Adobe's deflate and predictor 3): little endian, one image.
//!
//! Layouts as the original files have them: halves as `tifffile` 2020.9 wrote them, bytes as
//! OpenCV's `imwrite` with libtiff. The fast mode keeps the layout and packs strips another way.

use std::sync::atomic::{AtomicBool, Ordering};

use super::lzw::lzw;
use super::zlib::{deflate, Strategy};
use crate::encode::{fast_zlib, Mode};
use crate::error::{Error, Kind, Result};

const ASCII: u16 = 2;
const SHORT: u16 = 3;
const LONG: u16 = 4;
const RATIONAL: u16 = 5;

/// One entry of the directory.
struct Tag {
    number: u16,
    kind: u16,
    count: u32,
    value: Vec<u8>,
}

fn shorts(number: u16, values: &[u16]) -> Tag {
    let value = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    Tag {
        number,
        kind: SHORT,
        count: values.len() as u32,
        value,
    }
}

fn longs(number: u16, values: &[u32]) -> Tag {
    let value = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    Tag {
        number,
        kind: LONG,
        count: values.len() as u32,
        value,
    }
}

fn text(number: u16, words: &str) -> Tag {
    let mut value = words.as_bytes().to_vec();
    value.push(0);
    Tag {
        number,
        kind: ASCII,
        count: value.len() as u32,
        value,
    }
}

/// float16 samples of 1 or 3 channels: depth and normals. `size` is width, height, channels.
pub fn halves(
    size: (usize, usize, usize),
    samples: &[u16],
    mode: Mode,
    stop: &AtomicBool,
) -> Result<Vec<u8>> {
    let (width, height, channels) = size;
    let rows = (65_536 / (width * channels * 2)).clamp(1, height);
    let mut strips = Vec::new();
    for strip in samples.chunks(rows * width * channels) {
        if stop.load(Ordering::Relaxed) {
            return Err(Error::cancelled());
        }
        let bytes = predicted(strip, width * channels, channels);
        strips.push(match mode {
            Mode::Exact => deflate(&bytes, 9, 15, Strategy::Default)?,
            Mode::Fast => fast_zlib(&bytes)?,
        });
    }
    let shape = if channels == 1 {
        format!("{{\"shape\": [{height}, {width}]}}")
    } else {
        format!("{{\"shape\": [{height}, {width}, {channels}]}}")
    };
    let one = || {
        [1_u32, 1]
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    let counts: Vec<u32> = strips.iter().map(|strip| strip.len() as u32).collect();
    let mut tags = vec![
        longs(256, &[width as u32]),
        longs(257, &[height as u32]),
        shorts(258, &vec![16; channels]),
        shorts(259, &[8]),
        shorts(262, &[if channels == 1 { 1 } else { 2 }]),
        text(270, &shape),
        longs(273, &vec![0; strips.len()]),
        shorts(277, &[channels as u16]),
        longs(278, &[rows as u32]),
        longs(279, &counts),
        Tag {
            number: 282,
            kind: RATIONAL,
            count: 1,
            value: one(),
        },
        Tag {
            number: 283,
            kind: RATIONAL,
            count: 1,
            value: one(),
        },
    ];
    if channels > 1 {
        tags.push(shorts(284, &[1]));
    }
    tags.extend([
        shorts(296, &[1]),
        text(305, "tifffile.py"),
        shorts(317, &[3]),
        shorts(339, &vec![3; channels]),
    ]);
    directory_first(tags, &strips)
}

/// Predictor 3: per row all high bytes, then all low bytes, each less the one a pixel before.
fn predicted(samples: &[u16], row: usize, channels: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(samples.len() * 2);
    let mut line = vec![0_u8; row * 2];
    for samples in samples.chunks_exact(row) {
        for (index, sample) in samples.iter().enumerate() {
            [line[index], line[row + index]] = sample.to_be_bytes();
        }
        out.extend_from_slice(&line[..channels]);
        out.extend(
            line[channels..]
                .iter()
                .zip(&line)
                .map(|(now, before)| now.wrapping_sub(*before)),
        );
    }
    out
}

/// Directory at 8, long values behind it, room behind the description, strips from a multiple
/// of 16.
fn directory_first(mut tags: Vec<Tag>, strips: &[Vec<u8>]) -> Result<Vec<u8>> {
    let directory = 8 + 2 + 12 * tags.len() + 4;
    let mut place = directory;
    for tag in tags.iter().filter(|tag| tag.value.len() > 4) {
        place += place % 2 + tag.value.len();
        place += if tag.number == 270 { 64 } else { 0 };
    }
    let first = place.div_ceil(16) * 16;
    let size = first + strips.iter().map(Vec::len).sum::<usize>();
    check_size(size)?;
    let mut offset = first;
    let offsets: Vec<u8> = strips
        .iter()
        .flat_map(|strip| {
            let here = offset as u32;
            offset += strip.len();
            here.to_le_bytes()
        })
        .collect();
    if let Some(tag) = tags.iter_mut().find(|tag| tag.number == 273) {
        tag.value = offsets;
    }

    let mut file = b"II\x2a\0\x08\0\0\0".to_vec();
    file.extend_from_slice(&(tags.len() as u16).to_le_bytes());
    let mut values = Vec::new();
    for tag in &tags {
        let place = directory + values.len() + (directory + values.len()) % 2;
        entry(&mut file, tag, place);
        if tag.value.len() > 4 {
            values.resize(place - directory, 0);
            values.extend_from_slice(&tag.value);
            if tag.number == 270 {
                values.resize(values.len() + 64, 0);
            }
        }
    }
    file.extend_from_slice(&[0; 4]);
    file.extend_from_slice(&values);
    file.resize(first, 0);
    for strip in strips {
        file.extend_from_slice(strip);
    }
    Ok(file)
}

/// 12 bytes: number, type, count, and the value or where it is.
fn entry(file: &mut Vec<u8>, tag: &Tag, place: usize) {
    file.extend_from_slice(&tag.number.to_le_bytes());
    file.extend_from_slice(&tag.kind.to_le_bytes());
    file.extend_from_slice(&tag.count.to_le_bytes());
    let mut value = [0; 4];
    if tag.value.len() > 4 {
        value = (place as u32).to_le_bytes();
    } else {
        value[..tag.value.len()].copy_from_slice(&tag.value);
    }
    file.extend_from_slice(&value);
}

/// 8-bit samples of one channel, `width * height` of them: alpha.
pub fn bytes(width: usize, height: usize, samples: &[u8], mode: Mode) -> Result<Vec<u8>> {
    const LZW: u16 = 5;
    const DEFLATE: u16 = 8;
    let rows = (8192 / width).clamp(1, height);
    let mut file = b"II\x2a\0\0\0\0\0".to_vec();
    let (mut offsets, mut counts) = (Vec::new(), Vec::new());
    let mut line = Vec::with_capacity(rows * width);
    for strip in samples.chunks(rows * width) {
        line.clear();
        for row in strip.chunks_exact(width) {
            line.push(row[0]);
            line.extend(row.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])));
        }
        let packed = match mode {
            Mode::Exact => lzw(&line),
            Mode::Fast => fast_zlib(&line)?,
        };
        offsets.push(file.len() as u32);
        counts.push(packed.len() as u32);
        file.extend_from_slice(&packed);
        check_size(file.len())?;
    }
    file.resize(file.len() + file.len() % 2, 0);
    // libtiff writes short counts where it can tell beforehand that every strip stays small.
    let short = rows * width < 6553 && counts.len() > 1;
    let counts = if short {
        shorts(
            279,
            &counts.iter().map(|&count| count as u16).collect::<Vec<_>>(),
        )
    } else {
        longs(279, &counts)
    };
    let method = if mode == Mode::Exact { LZW } else { DEFLATE };
    let tags = [
        shorts(256, &[width as u16]),
        shorts(257, &[height as u16]),
        shorts(258, &[8]),
        shorts(259, &[method]),
        shorts(262, &[1]),
        longs(273, &offsets),
        shorts(277, &[1]),
        shorts(278, &[rows as u16]),
        counts,
        shorts(284, &[1]),
        shorts(317, &[2]),
        shorts(339, &[1]),
    ];
    let start = file.len();
    file[4..8].copy_from_slice(&(start as u32).to_le_bytes());
    file.extend_from_slice(&(tags.len() as u16).to_le_bytes());
    let after = start + 2 + 12 * tags.len() + 4;
    // Byte counts come before offsets.
    let counts_size = if tags[8].value.len() > 4 {
        tags[8].value.len()
    } else {
        0
    };
    for tag in &tags {
        entry(
            &mut file,
            tag,
            if tag.number == 273 {
                after + counts_size
            } else {
                after
            },
        );
    }
    file.extend_from_slice(&[0; 4]);
    for tag in [&tags[8], &tags[5]] {
        if tag.value.len() > 4 {
            file.extend_from_slice(&tag.value);
        }
    }
    check_size(file.len())?;
    Ok(file)
}

fn check_size(size: usize) -> Result<()> {
    if u32::try_from(size).is_err() {
        return Err(Error::new(
            Kind::TooLarge,
            "the image does not fit in a TIFF of 4 GiB",
        ));
    }
    Ok(())
}
