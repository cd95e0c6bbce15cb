//! From the file to unpacked blocks of the largest level, in order.

use std::io::{Read, Seek};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};
use crate::read::decode::Decoder;
use crate::read::header::Header;
use crate::read::input::{reserve, Input};
use crate::read::part::Part;

/// A rectangle of unpacked pixels: for each line, for each channel, its samples.
pub struct Block<'a> {
    /// Left edge, counted from the data window's.
    pub x: usize,
    /// Top edge, counted from the data window's.
    pub y: usize,
    /// Pixels in x.
    pub width: usize,
    /// Pixels in y.
    pub height: usize,
    /// Little-endian samples.
    pub bytes: &'a [u8],
}

/// Calls `each` with every block of part `index`; stops between blocks when `stop` is set.
pub fn read<R: Read + Seek>(
    input: &mut Input<R>,
    header: &Header,
    index: usize,
    stop: &AtomicBool,
    mut each: impl FnMut(&Block<'_>) -> Result<()>,
) -> Result<()> {
    let part = &header.parts[index];
    let (step_x, step_y) = part.block_size();
    let (width, height) = (part.data_window.width(), part.data_window.height());
    let (columns, rows) = (width.div_ceil(step_x), height.div_ceil(step_y));
    let offsets = offsets(input, header, index, columns * rows)?;
    let mut decoder = Decoder::new(part)?;
    let mut packed = Vec::new();
    for (number, offset) in offsets.into_iter().enumerate() {
        if stop.load(Ordering::Relaxed) {
            return Err(Error::cancelled());
        }
        let (column, row) = (number % columns, number / columns);
        let (x, y) = (column * step_x, row * step_y);
        let size = (step_x.min(width - x), step_y.min(height - y));
        let place = |error: Error| error.at(format!("part {index}, block {number}"));
        let raw = size.0 * size.1 * part.pixel_bytes();
        Chunk {
            number: index,
            column,
            row,
            raw,
            offset,
        }
        .read(input, header, part, &mut packed)
        .map_err(place)?;
        let bytes = decoder.unpack(&packed, size).map_err(place)?;
        each(&Block {
            x,
            y,
            width: size.0,
            height: size.1,
            bytes,
        })?;
    }
    Ok(())
}

/// Offsets of the largest level: the first entries of the part's table.
fn offsets<R: Read + Seek>(
    input: &mut Input<R>,
    header: &Header,
    index: usize,
    count: usize,
) -> Result<Vec<u64>> {
    let before: u64 = header.parts[..index]
        .iter()
        .map(|part| part.chunks * 8)
        .sum();
    input.seek(header.end + before)?;
    let mut offsets = reserve(count)?;
    for _ in 0..count {
        offsets.push(input.offset()?);
    }
    Ok(offsets)
}

/// What a chunk should be, by its place in the table.
struct Chunk {
    number: usize,
    column: usize,
    row: usize,
    raw: usize,
    offset: u64,
}

impl Chunk {
    /// Reads the chunk's bytes after checking that it is the one expected.
    fn read<R: Read + Seek>(
        &self,
        input: &mut Input<R>,
        header: &Header,
        part: &Part,
        packed: &mut Vec<u8>,
    ) -> Result<()> {
        if self.offset == 0 {
            return Err(
                Error::invalid("it was never written: the render did not finish")
                    .hint("render or fetch the file again"),
            );
        }
        if self.offset < header.end || self.offset >= input.length() {
            return Err(Error::invalid(format!(
                "its offset {} is outside of the pixels; the file has {} bytes",
                self.offset,
                input.length()
            ))
            .hint("fetch or render the file again"));
        }
        input.seek(self.offset)?;
        if header.multi_part {
            let number = input.int()?;
            if number != self.number as i32 {
                return Err(Error::invalid(format!(
                    "it says that it belongs to part {number}"
                )));
            }
        }
        self.check_place(input, part)?;
        let size = input.int()?;
        if size < 0 || size as usize > self.raw {
            return Err(Error::invalid(format!("its packed size {size} is wrong")));
        }
        packed.resize(size as usize, 0);
        input.fill(packed)
    }

    fn check_place<R: Read + Seek>(&self, input: &mut Input<R>, part: &Part) -> Result<()> {
        if part.tiles.is_some() {
            let found = [input.int()?, input.int()?, input.int()?, input.int()?];
            if found != [self.column as i32, self.row as i32, 0, 0] {
                return Err(Error::invalid(format!("it says that it is tile {found:?}")));
            }
        } else {
            let line = input.int()?;
            let expected = part.data_window.corners[1] + (self.row * part.block_size().1) as i32;
            if line != expected {
                return Err(Error::invalid(format!(
                    "it starts at line {line}, not {expected}"
                )));
            }
        }
        Ok(())
    }
}
