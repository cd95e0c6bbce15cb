//! The wanted channels of a file, row by row from the top of its picture.
//!
//! All parts advance in step, so that one block, or one row of tiles, of each is in memory.

use std::io::{Read, Seek};
use std::sync::atomic::AtomicBool;

use crate::error::Result;
use crate::read::band::Bands;
use crate::read::channels::Place;
use crate::read::chunks::{lost, rebuild, Budget};
use crate::read::header::Header;
use crate::read::input::Input;
use crate::read::line::Samples;
use crate::read::plausible;

/// How strict to be.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading {
    /// Give what there is of an interrupted or damaged file: blocks that are missing or damaged
    /// become zeros in rows that are not whole. Otherwise the first of them is an error.
    pub partial: bool,
    /// Unpack also what nobody wants, so that every checksum is compared.
    pub verify: bool,
}

/// The rows of the display window, from the top; pixels that no part stores are 0.
pub struct Rows<'h, R> {
    input: Input<R>,
    height: usize,
    how: Reading,
    budget: Budget,
    parts: Vec<Bands<'h>>,
    /// For each wanted channel, where it is in `parts`, and in their lines.
    slots: Vec<(usize, usize)>,
    next: usize,
}

/// One row.
pub struct Row<'a> {
    /// Counted from the top of the display window.
    pub y: usize,
    /// No block of it is missing; always so unless the reading is partial.
    pub is_whole: bool,
    parts: &'a [Bands<'a>],
    slots: &'a [(usize, usize)],
}

impl<'a> Row<'a> {
    /// The samples of the `index`-th wanted channel, as many as the display window is wide.
    pub fn channel(&self, index: usize) -> Samples<'a> {
        let (part, line) = self.slots[index];
        self.parts[part].samples(line)
    }
}

impl<'h, R: Read + Seek> Rows<'h, R> {
    /// Starts to read the `wanted` channels; the header is that of `input`.
    pub fn new(
        mut input: Input<R>,
        header: &'h Header,
        wanted: &[Place],
        how: Reading,
    ) -> Result<Self> {
        let mut channels = vec![Vec::new(); header.parts.len()];
        for place in wanted {
            if !channels[place.part].contains(&place.channel) {
                channels[place.part].push(place.channel);
            }
        }
        plausible::check(header, &channels, input.length())?;
        let mut parts = Vec::new();
        let mut places = vec![0; channels.len()];
        for (index, channels) in channels.iter().enumerate() {
            if !channels.is_empty() {
                places[index] = parts.len();
                let part = Bands::new(&mut input, header, index, channels)
                    .map_err(|error| error.at(format!("part {index}")))?;
                parts.push(part);
            }
        }
        tables(&mut input, header, &mut parts, how)?;
        let slots = wanted
            .iter()
            .map(|place| {
                let line = channels[place.part]
                    .iter()
                    .position(|&channel| channel == place.channel);
                (places[place.part], line.unwrap_or_default())
            })
            .collect();
        Ok(Self {
            budget: Budget::new(input.length()),
            input,
            height: header.parts[0].display_window.height(),
            how,
            parts,
            slots,
            next: 0,
        })
    }

    /// The next row, or nothing behind the last; `stop` is looked at before each block.
    pub fn next(&mut self, stop: &AtomicBool) -> Result<Option<Row<'_>>> {
        let y = self.next;
        if y == self.height {
            return Ok(None);
        }
        self.next += 1;
        let mut is_whole = true;
        for part in &mut self.parts {
            is_whole &= part.row(y, &mut self.input, &mut self.budget, self.how, stop)?;
        }
        Ok(Some(Row {
            y,
            is_whole,
            parts: &self.parts,
            slots: &self.slots,
        }))
    }
}

/// Every block must have a place in the file, before anything is made of the first.
fn tables<R: Read + Seek>(
    input: &mut Input<R>,
    header: &Header,
    parts: &mut [Bands<'_>],
    how: Reading,
) -> Result<()> {
    let length = input.length();
    let mut gaps = false;
    for part in parts.iter_mut() {
        if let Some((block, offset)) = part.chunks.missing(header, length) {
            if !how.partial {
                let place = format!("part {}, block {block}", part.index);
                return Err(lost(offset, length).at(place));
            }
            gaps = true;
        }
    }
    if gaps {
        let mut all: Vec<_> = parts.iter_mut().map(|part| &mut part.chunks).collect();
        rebuild(input, header, &mut all)?;
    }
    Ok(())
}
