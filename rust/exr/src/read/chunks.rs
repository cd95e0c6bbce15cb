//! Where the blocks of a part lie: its offset table, and what stands before each block.
//!
//! The place of a block in the image is its place in the table, and the block must agree. So
//! entries that are there twice or belong to others need no rules of their own.

use std::io::{Read, Seek};

use crate::error::{Error, Kind, Result};
use crate::read::header::Header;
use crate::read::input::{reserve, Input, Padded};
use crate::read::part::Part;
use crate::read::plausible;

const AGAIN: &str = "fetch or render the file again";

/// The blocks of the largest level of one part.
pub struct Chunks<'h> {
    part: &'h Part,
    /// Number of the part, where chunks say it.
    number: Option<i32>,
    /// Blocks in a row.
    columns: usize,
    /// One for each block, row by row.
    offsets: Vec<u64>,
}

/// What stands before a block.
struct Head {
    part: Option<i32>,
    /// First line, or tile and level in x and y.
    place: Place,
    size: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Line(i32),
    Tile([i32; 4]),
}

/// What may still be done with a file.
pub struct Budget {
    /// Bytes to read: blocks that overlap would read more than the file holds.
    pub bytes: u64,
    /// Work of the `exr` crate, in bytes unpacked: small blocks cost it more than what is in them.
    pub work: u64,
}

impl Budget {
    /// For a file of `length` bytes.
    pub fn new(length: u64) -> Self {
        Self {
            bytes: length,
            work: plausible::most_by_crate(length),
        }
    }

    /// Takes the `cost` of a block.
    pub fn spend(&mut self, cost: u64) -> Result<()> {
        let left = self.work.checked_sub(cost).ok_or_else(|| {
            let words = "it and those before it take too long for a file of this size";
            Error::new(Kind::TooLarge, words).hint("write the file again as ZIPS or ZIP")
        })?;
        self.work = left;
        Ok(())
    }
}

impl<'h> Chunks<'h> {
    /// Reads the offset table of part `index`, which lies at the beginning of all its levels.
    pub fn read<R: Read + Seek>(
        input: &mut Input<R>,
        header: &'h Header,
        index: usize,
    ) -> Result<Self> {
        let part = &header.parts[index];
        let (step_x, _) = part.block_size();
        let columns = part.data_window.width().div_ceil(step_x);
        let count = part.blocks();
        let before: u64 = header.parts[..index]
            .iter()
            .map(|part| part.chunks * 8)
            .sum();
        input.seek(header.end + before)?;
        let mut offsets = reserve(count)?;
        for _ in 0..count {
            offsets.push(input.offset()?);
        }
        Ok(Self {
            part,
            number: header.multi_part.then_some(index as i32),
            columns,
            offsets,
        })
    }

    /// Every block that has no place in the file becomes 0; says which is the first.
    pub fn missing(&mut self, header: &Header, length: u64) -> Option<(usize, u64)> {
        let first = header.chunks_start();
        let mut found = None;
        for (block, offset) in self.offsets.iter_mut().enumerate() {
            if *offset < first || *offset >= length {
                found = found.or(Some((block, *offset)));
                *offset = 0;
            }
        }
        found
    }

    /// Blocks in a row.
    pub const fn columns(&self) -> usize {
        self.columns
    }

    /// The packed bytes of block `number`, after it said that it is the one expected.
    pub fn block<'i, R: Read + Seek>(
        &self,
        input: &'i mut Input<R>,
        number: usize,
        budget: &mut Budget,
    ) -> Result<Padded<'i>> {
        let offset = self.offsets[number];
        if offset == 0 {
            return Err(not_written());
        }
        input.seek(offset)?;
        let head = self.head(input)?;
        let size = self.check(&head, number)?;
        budget.bytes = budget
            .bytes
            .checked_sub(input.position() - offset + size as u64)
            .ok_or_else(|| Error::invalid("it overlaps other blocks").hint(AGAIN))?;
        input.block(size)
    }

    fn head<R: Read + Seek>(&self, input: &mut Input<R>) -> Result<Head> {
        let part = match self.number {
            Some(_) => Some(input.int()?),
            None => None,
        };
        Head::read(input, self.part, part)
    }

    /// The packed size, if this is block `number`.
    fn check(&self, head: &Head, number: usize) -> Result<usize> {
        if head.part != self.number {
            let found = head.part.unwrap_or_default();
            return Err(Error::invalid(format!(
                "it says that it belongs to part {found}"
            )));
        }
        let (column, row) = (number % self.columns, number / self.columns);
        let (step_x, step_y) = self.part.block_size();
        let window = self.part.data_window;
        match head.place {
            Place::Tile(tile) if tile != [column as i32, row as i32, 0, 0] => {
                return Err(Error::invalid(format!("it says that it is tile {tile:?}")));
            }
            Place::Line(line) if line != window.corners[1] + (row * step_y) as i32 => {
                let expected = window.corners[1] + (row * step_y) as i32;
                return Err(Error::invalid(format!(
                    "it starts at line {line}, not {expected}"
                )));
            }
            _ => {}
        }
        let width = step_x.min(window.width() - column * step_x);
        let height = step_y.min(window.height() - row * step_y);
        let raw = width * height * self.part.pixel_bytes();
        match usize::try_from(head.size) {
            Ok(size) if size > 0 && size <= raw => Ok(size),
            _ => Err(Error::invalid(format!(
                "its packed size {} is wrong",
                head.size
            ))),
        }
    }

    /// The number of the block that has this head, when it is one of the largest level.
    fn number_of(&self, head: &Head) -> Option<usize> {
        let (_, step_y) = self.part.block_size();
        let number = match head.place {
            Place::Line(line) => {
                let line = line.checked_sub(self.part.data_window.corners[1])?;
                usize::try_from(line).ok()? / step_y
            }
            Place::Tile([column, row, 0, 0]) => {
                let column = usize::try_from(column).ok()?;
                if column >= self.columns {
                    return None;
                }
                usize::try_from(row).ok()?.checked_mul(self.columns)? + column
            }
            Place::Tile(_) => return None,
        };
        (number < self.offsets.len() && self.check(head, number).is_ok()).then_some(number)
    }
}

impl Head {
    fn read<R: Read + Seek>(input: &mut Input<R>, of: &Part, part: Option<i32>) -> Result<Self> {
        let place = if of.tiles.is_some() {
            Place::Tile([input.int()?, input.int()?, input.int()?, input.int()?])
        } else {
            Place::Line(input.int()?)
        };
        Ok(Self {
            part,
            place,
            size: input.int()?,
        })
    }
}

/// Finds blocks whose offset was never written by going from block to block, as an interrupted
/// render left them; ends where the blocks end or make no sense.
pub fn rebuild<R: Read + Seek>(
    input: &mut Input<R>,
    header: &Header,
    all: &mut [&mut Chunks<'_>],
) -> Result<()> {
    let mut offset = header.chunks_start();
    while offset < input.length() {
        input.seek(offset)?;
        let head = match any_head(input, header) {
            Err(error) if error.kind == Kind::InvalidExr => break,
            head => head?,
        };
        let Ok(size) = u64::try_from(head.size) else {
            break;
        };
        if size > input.left() {
            break;
        }
        let end = input.position() + size;
        let part = all.iter_mut().find(|chunks| chunks.number == head.part);
        if let Some(chunks) = part {
            if let Some(number) = chunks.number_of(&head) {
                let entry = &mut chunks.offsets[number];
                if *entry == 0 {
                    *entry = offset;
                }
            }
        }
        offset = end;
    }
    Ok(())
}

fn any_head<R: Read + Seek>(input: &mut Input<R>, header: &Header) -> Result<Head> {
    let part = if header.multi_part {
        Some(input.int()?)
    } else {
        None
    };
    let of = usize::try_from(part.unwrap_or(0))
        .ok()
        .and_then(|index| header.parts.get(index))
        .filter(|part| !part.deep)
        .ok_or_else(not_written)?;
    Head::read(input, of, part)
}

fn not_written() -> Error {
    Error::invalid("it was never written: the render did not finish")
        .hint("render or fetch the file again")
}

/// Why the offset of a block leads nowhere.
pub fn lost(offset: u64, length: u64) -> Error {
    if offset == 0 {
        return not_written();
    }
    Error::invalid(format!(
        "its offset {offset} is outside of the pixels; the file has {length} bytes"
    ))
    .hint(AGAIN)
}
