//! `.npy` files, version 1.0: numpy's array as it lies in memory, behind a line that tells its
//! type and shape (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).

use std::io::{Seek, Write};

use super::{extend, Format, Pixels, Shape, Sink};
use crate::error::Result;

/// A file that grows by rows.
pub struct Npy<W> {
    out: Sink<W>,
    row: Vec<u8>,
}

impl<W: Write + Seek> Npy<W> {
    /// Writes the head.
    pub fn new(mut out: Sink<W>, shape: Shape) -> Result<Self> {
        const BEFORE: usize = 10;
        let (channels, size) = shape.samples.size();
        let kind = match shape.samples {
            Format::Rgb8 | Format::Gray8 => "|u1",
            Format::Gray16 => "<u2",
            Format::Half(_) => "<f2",
            Format::Float => "<f4",
            Format::Uint => "<u4",
        };
        let (width, height) = (shape.width, shape.height);
        let sides = if channels == 1 {
            format!("({height}, {width})")
        } else {
            format!("({height}, {width}, {channels})")
        };
        let mut words =
            format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {sides}, }}");
        // Spaces and a line end, so that the samples begin at a multiple of 64.
        let length = (BEFORE + words.len() + 1).next_multiple_of(64) - BEFORE;
        while words.len() + 1 < length {
            words.push(' ');
        }
        words.push('\n');
        out.put(b"\x93NUMPY\x01\x00")?;
        out.put(&(length as u16).to_le_bytes())?;
        out.put(words.as_bytes())?;
        let mut row = Vec::new();
        extend(&mut row, width * channels * size)?;
        Ok(Self { out, row })
    }

    /// Writes one row.
    pub fn row(&mut self, pixels: Pixels<'_>) -> Result<()> {
        match pixels {
            Pixels::Bytes(bytes) => return self.out.put(bytes),
            Pixels::Words(words) => {
                for (out, word) in self.row.as_chunks_mut().0.iter_mut().zip(words) {
                    *out = word.to_le_bytes();
                }
            }
            Pixels::Longs(longs) => {
                for (out, long) in self.row.as_chunks_mut().0.iter_mut().zip(longs) {
                    *out = long.to_le_bytes();
                }
            }
        }
        self.out.put(&self.row)
    }

    /// Ends the file.
    pub fn finish(self) -> Result<W> {
        self.out.end()
    }
}
