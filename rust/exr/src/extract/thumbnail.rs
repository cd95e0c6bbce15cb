//! A small picture made from the rows of the large one while they are at hand.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use crate::error::{Error, Kind, Result};

/// Pixels of its longer side.
const SIDE: usize = 256;
/// Of JPEG, from 1 to 100.
const QUALITY: u8 = 85;
/// So many of 255 fit in 16 bits.
const MAX_ROWS: u32 = 257;

/// Sums of pixels, cell by cell; each cell becomes one pixel, its average.
#[derive(Debug)]
pub struct Thumbnail {
    from: (usize, usize),
    to: (usize, usize),
    /// Rows taken so far.
    y: usize,
    /// Rows in `sums`, which has a place for each value of a row; 16 bits are half the memory.
    rows: u32,
    sums: Vec<u16>,
    /// Where in them each cell begins, and the last one ends.
    begins: Vec<usize>,
    pixels: Vec<u8>,
}

impl Thumbnail {
    /// Of an image of `width` x `height`; never larger than that.
    pub fn new(width: usize, height: usize) -> Self {
        let longer = width.max(height);
        let side = |side: usize| (side * SIDE.min(longer) / longer).max(1);
        let to = (side(width), side(height));
        Self {
            from: (width, height),
            to,
            y: 0,
            rows: 0,
            sums: vec![0; 3 * width],
            // The first pixel of a cell is the first that falls into it.
            begins: (0..=to.0)
                .map(|cell| 3 * (cell * width).div_ceil(to.0))
                .collect(),
            pixels: Vec::with_capacity(3 * to.0 * to.1),
        }
    }

    /// Takes the next row, 8 bits a channel.
    pub fn row(&mut self, rgb: &[u8]) {
        // Of higher cells, which only extreme pictures have, the upper rows are enough.
        if self.rows < MAX_ROWS {
            for (sum, &value) in self.sums.iter_mut().zip(rgb) {
                *sum += u16::from(value);
            }
            self.rows += 1;
        }
        let cell = |y: usize| y * self.to.1 / self.from.1;
        self.y += 1;
        if cell(self.y) != cell(self.y - 1) {
            self.average();
            self.sums.fill(0);
            self.rows = 0;
        }
    }

    fn average(&mut self) {
        let mut divide = Divide::by(1);
        for bounds in self.begins.windows(2) {
            let cell = &self.sums[bounds[0]..bounds[1]];
            let mut sums = [0_u32; 3];
            for pixel in cell.as_chunks::<3>().0 {
                for (sum, &value) in sums.iter_mut().zip(pixel) {
                    *sum += u32::from(value);
                }
            }
            let count = self.rows * (cell.len() / 3) as u32;
            if divide.count != count {
                divide = Divide::by(count);
            }
            self.pixels.extend(sums.map(|sum| divide.rounded(sum)));
        }
    }

    /// The JPEG of it.
    pub fn finish(self) -> Result<Vec<u8>> {
        let failed =
            |error: &dyn std::fmt::Display| Error::new(Kind::Internal, format!("no JPEG: {error}"));
        let side = |side: usize| u16::try_from(side).map_err(|error| failed(&error));
        let mut out = Vec::new();
        let mut encoder = Encoder::new(&mut out, QUALITY);
        encoder.set_sampling_factor(SamplingFactor::F_2_2);
        encoder
            .encode(
                &self.pixels,
                side(self.to.0)?,
                side(self.to.1)?,
                ColorType::Rgb,
            )
            .map_err(|error| failed(&error))?;
        Ok(out)
    }
}

/// Division of sums of `count` bytes; nearly all cells have the same.
struct Divide {
    count: u32,
    /// 2^48 by `count`, and a little more. The sum and half a count are at most 256 times
    /// `count`, which is at most 2^17: the product stays below 2^57, and what is too much in it
    /// below 2^48 by `count`.
    share: u64,
}

impl Divide {
    const BITS: u32 = 48;

    fn by(count: u32) -> Self {
        let share = (1 << Self::BITS) / u64::from(count) + 1;
        Self { count, share }
    }

    /// The average, rounded to nearest.
    fn rounded(&self, sum: u32) -> u8 {
        let product = u64::from(sum + self.count / 2) * self.share;
        (product >> Self::BITS) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divides_as_division_does() {
        for count in (1..2000).chain([65_535, 65_536, 65_792, 1 << 17]) {
            let divide = Divide::by(count);
            for average in 0..=255 {
                let sum = average * count;
                for sum in [
                    sum,
                    sum + count / 2,
                    sum + count - count / 2 - 1,
                    sum + count - 1,
                ] {
                    if sum <= 255 * count {
                        assert_eq!(u32::from(divide.rounded(sum)), (sum + count / 2) / count);
                    }
                }
            }
        }
    }

    fn of(width: usize, height: usize, color: impl Fn(usize, usize) -> [u8; 3]) -> Thumbnail {
        let mut made = Thumbnail::new(width, height);
        for y in 0..height {
            let row: Vec<u8> = (0..width).flat_map(|x| color(x, y)).collect();
            made.row(&row);
        }
        made
    }

    #[test]
    fn averages_cells_of_any_size() {
        for (width, height, to) in [
            (1024, 1024, (256, 256)),
            (1000, 700, (256, 179)),
            (3, 2000, (1, 256)),
            (100, 40, (100, 40)),
            (65_536, 1, (256, 1)),
            (1, 65_536, (1, 256)),
            (65_536, 511, (256, 1)),
        ] {
            let made = of(width, height, |_, _| [255, 7, 0]);
            assert_eq!(made.to, to);
            assert_eq!(made.pixels, [255, 7, 0].repeat(to.0 * to.1));
        }
        let made = of(1024, 512, |x, y| {
            [(x % 4) as u8 * 2, (y % 4) as u8, (x / 4) as u8]
        });
        assert_eq!(made.pixels[..9], [3, 2, 0, 3, 2, 1, 3, 2, 2]);
    }

    #[test]
    fn is_a_jpeg() {
        let jpeg = of(300, 200, |x, y| [x as u8, y as u8, 9]).finish().unwrap();
        assert_eq!(jpeg[..3], [0xff, 0xd8, 0xff]);
        assert_eq!(jpeg[jpeg.len() - 2..], [0xff, 0xd9]);
    }
}
