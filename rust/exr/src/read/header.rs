//! The header, read with limits before anything is believed.
//!
//! Layout: "OpenEXR File Layout" of the OpenEXR project. Every size and count is checked here,
//! so that the rest of the crate can allocate by them.

use std::io::{Read, Seek};

use crate::error::{Error, Kind, Result};
use crate::read::attribute::{word, Attribute};
use crate::read::input::Input;
use crate::read::part::{Form, Part};

const MAX_PARTS: usize = 64;
/// Of all parts together.
const MAX_ATTRIBUTES: usize = 8192;
/// Largest attribute, in bytes.
pub const MAX_ATTRIBUTE: usize = 32 << 20;
const MAX_ALL_ATTRIBUTES: usize = 64 << 20;

const MAGIC: [u8; 4] = [0x76, 0x2f, 0x31, 0x01];
const TILED: u32 = 0x200;
const LONG_NAMES: u32 = 0x400;
const DEEP: u32 = 0x800;
const MULTI_PART: u32 = 0x1000;

/// What stands before the pixels.
#[derive(Clone, Debug)]
pub struct Header {
    /// At least one.
    pub parts: Vec<Part>,
    /// Chunks carry a part number.
    pub multi_part: bool,
    /// Offset of the first offset table.
    pub end: u64,
    /// Bytes of the whole file.
    pub length: u64,
}

impl Header {
    /// Reads and checks everything up to the offset tables.
    pub fn read<R: Read + Seek>(input: &mut Input<R>) -> Result<Self> {
        if input.length() < 8 || input.array::<4>()? != MAGIC {
            return Err(Error::invalid("not an OpenEXR file"));
        }
        let flags = u32::from_le_bytes(input.array()?);
        if flags & 0xff != 2 {
            return Err(Error::unsupported(format!(
                "OpenEXR version {} is not read",
                flags & 0xff
            )));
        }
        if flags & !(0xff | TILED | LONG_NAMES | DEEP | MULTI_PART) != 0 {
            return Err(Error::unsupported(format!(
                "unknown format flags {flags:#x}"
            )));
        }
        let multi_part = flags & MULTI_PART != 0;
        let form = Form {
            multi_part,
            tiled: flags & TILED != 0,
            deep: flags & DEEP != 0,
        };
        let mut budget = Budget {
            bytes: MAX_ALL_ATTRIBUTES,
            count: MAX_ATTRIBUTES,
        };
        let mut parts = Vec::new();
        loop {
            let attributes = attributes(input, &mut budget)
                .map_err(|error| error.at(format!("header of part {}", parts.len())))?;
            if multi_part && attributes.is_empty() {
                break;
            }
            let part = Part::new(attributes, form)
                .map_err(|error| error.at(format!("header of part {}", parts.len())))?;
            parts.push(part);
            if !multi_part {
                break;
            }
            if parts.len() > MAX_PARTS {
                return Err(Error::new(
                    Kind::TooLarge,
                    format!("more than {MAX_PARTS} parts"),
                ));
            }
        }
        if parts.is_empty() {
            return Err(Error::invalid("the file has no part"));
        }
        let header = Self {
            parts,
            multi_part,
            end: input.position(),
            length: input.length(),
        };
        let (tables, left) = (header.tables(), input.left());
        if tables > left {
            return Err(Error::invalid(format!(
                "the offset tables need {tables} bytes, the file has {left} left"
            ))
            .hint("fetch or render the file again"));
        }
        Ok(header)
    }

    /// Bytes of all offset tables.
    fn tables(&self) -> u64 {
        self.parts.iter().map(|part| part.chunks * 8).sum()
    }

    /// Offset of the first byte that can be a block's.
    pub fn chunks_start(&self) -> u64 {
        self.end + self.tables()
    }
}

/// What the attributes of a file may still take.
struct Budget {
    bytes: usize,
    count: usize,
}

fn attributes<R: Read + Seek>(input: &mut Input<R>, budget: &mut Budget) -> Result<Vec<Attribute>> {
    let mut found = Vec::new();
    loop {
        let name = word(input)?;
        if name.is_empty() {
            return Ok(found);
        }
        let kind = word(input)?;
        let size = usize::try_from(input.int()?)
            .map_err(|_| Error::invalid(format!("attribute {name} has a negative size")))?;
        if size > MAX_ATTRIBUTE || size > budget.bytes || budget.count == 0 {
            return Err(Error::new(
                Kind::TooLarge,
                format!("attribute {name} is too large, or one too many"),
            ));
        }
        budget.bytes -= size;
        budget.count -= 1;
        let value = input
            .vec(size)
            .map_err(|error| error.at(format!("attribute {name}")))?;
        found.push(Attribute { name, kind, value });
    }
}
