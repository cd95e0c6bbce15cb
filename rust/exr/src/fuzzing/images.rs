//! Images from `Encoder`, read back by the `png` and `tiff` crates.

use std::io::Cursor;

use tiff::decoder::{Decoder, DecodingResult, Limits};

use crate::encode::{Encoder, Format, Mode, Pixels, Shape};

/// A picture of any bytes: the first five say its format, mode, size and how its bytes repeat.
struct Picture {
    shape: Shape,
    mode: Mode,
    /// Bytes of all samples, little endian.
    bytes: Vec<u8>,
}

impl Picture {
    fn new(data: &[u8], formats: &[Format]) -> Option<Self> {
        let &[how, width, height, wide, repeat, ref rest @ ..] = data else {
            return None;
        };
        let samples = formats[usize::from(how) % formats.len()];
        let mode = [Mode::Exact, Mode::Fast, Mode::Small][usize::from(how >> 4) % 3];
        let width = 1 + usize::from(width) + usize::from(wide & 15) * 256;
        let shape = Shape {
            width,
            height: 1 + usize::from(height),
            samples,
        };
        let (channels, size) = match samples {
            Format::Rgb8 => (3, 1),
            Format::Gray8 => (1, 1),
            Format::Gray16 => (1, 2),
            Format::Half(channels) => (channels, 2),
            Format::Float | Format::Uint => (1, 4),
        };
        let row = width * channels * size;
        if row * shape.height > 1 << 20 {
            return None;
        }
        // Runs, rows that repeat, and noise.
        let bytes = (0..row * shape.height).map(|index| {
            let index = match repeat % 4 {
                0 => index,
                1 => index / (1 + usize::from(repeat)),
                2 => index % row,
                _ => index.wrapping_mul(usize::from(repeat)) / 7,
            };
            rest.get(index % rest.len().max(1))
                .copied()
                .unwrap_or(repeat)
        });
        let bytes = bytes.collect();
        Some(Self { shape, mode, bytes })
    }

    fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::new(Cursor::new(Vec::new()), self.shape, self.mode).unwrap();
        for row in self
            .bytes
            .chunks_exact(self.bytes.len() / self.shape.height)
        {
            match self.shape.samples {
                Format::Rgb8 | Format::Gray8 => encoder.row(Pixels::Bytes(row)),
                Format::Gray16 | Format::Half(_) => encoder.row(Pixels::Words(&words(row))),
                Format::Float | Format::Uint => encoder.row(Pixels::Longs(&longs(row))),
            }
            .unwrap();
        }
        encoder.finish().unwrap().into_inner()
    }
}

fn words(bytes: &[u8]) -> Vec<u16> {
    let pairs = bytes.chunks_exact(2);
    pairs
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect()
}

fn longs(bytes: &[u8]) -> Vec<u32> {
    let fours = bytes.chunks_exact(4);
    fours
        .map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
        .collect()
}

/// The pixels of a PNG come back.
pub fn png(data: &[u8]) {
    let Some(picture) = Picture::new(data, &[Format::Rgb8, Format::Gray16]) else {
        return;
    };
    let file = picture.encode();
    let mut reader = png::Decoder::new(Cursor::new(&file)).read_info().unwrap();
    let mut found = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut found).unwrap();
    reader.finish().unwrap();
    assert_eq!(frame.width as usize, picture.shape.width);
    assert_eq!(frame.height as usize, picture.shape.height);
    found.truncate(frame.buffer_size());
    if picture.shape.samples == Format::Gray16 {
        found.chunks_exact_mut(2).for_each(<[u8]>::reverse);
    }
    assert!(found == picture.bytes);
}

/// The samples of a TIFF come back.
pub fn tiff(data: &[u8]) {
    let formats = [
        Format::Gray8,
        Format::Half(1),
        Format::Half(3),
        Format::Float,
        Format::Uint,
    ];
    let Some(picture) = Picture::new(data, &formats) else {
        return;
    };
    let file = picture.encode();
    let decoder = Decoder::new(Cursor::new(&file)).unwrap();
    let mut decoder = decoder.with_limits(Limits::unlimited());
    let size = decoder.dimensions().unwrap();
    let shape = picture.shape;
    assert_eq!(size, (shape.width as u32, shape.height as u32));
    let found: Vec<u8> = match decoder.read_image().unwrap() {
        DecodingResult::U8(samples) => samples,
        DecodingResult::F16(samples) => samples
            .iter()
            .flat_map(|sample| sample.to_bits().to_le_bytes())
            .collect(),
        DecodingResult::F32(samples) => samples
            .iter()
            .flat_map(|sample| sample.to_bits().to_le_bytes())
            .collect(),
        DecodingResult::U32(samples) => samples.iter().flat_map(|s| s.to_le_bytes()).collect(),
        other => panic!("{other:?}"),
    };
    assert!(found == picture.bytes);
}
