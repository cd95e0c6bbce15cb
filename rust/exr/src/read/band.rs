//! The rows of one part, from one row of blocks after the other.

use std::io::{Read, Seek};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Kind, Result};
use crate::read::attribute::Window;
use crate::read::block::{Block, Plan};
use crate::read::chunks::{Budget, Chunks};
use crate::read::decode::Decoder;
use crate::read::header::Header;
use crate::read::input::{reserve, Input};
use crate::read::line::{Line, Samples};
use crate::read::part::Part;
use crate::read::rows::Reading;

/// One part on its way through the file; holds one row of blocks.
pub struct Bands<'h> {
    pub index: usize,
    part: &'h Part,
    pub chunks: Chunks<'h>,
    decoder: Decoder,
    plan: Plan,
    /// Unpacked bytes of the band, of all its blocks.
    memory: Vec<u8>,
    blocks: Vec<Block>,
    is_whole: bool,
    /// The row of the data window that comes next.
    next: usize,
    /// One for each wanted channel, over all columns that are shown or stored.
    lines: Vec<Line>,
    /// Where the shown columns begin in the lines, and how many they are.
    first: usize,
    width: usize,
    /// Where the stored columns begin in the lines.
    stored: usize,
    /// Columns of blocks that are shown in part, and the rows of the data window that are.
    columns: Range<usize>,
    rows: Range<usize>,
    /// Display row of the data window's first.
    top: i64,
}

impl<'h> Bands<'h> {
    /// The wanted `channels` of part `index`; nothing is read yet but its table.
    pub fn new<R: Read + Seek>(
        input: &mut Input<R>,
        header: &'h Header,
        index: usize,
        channels: &[usize],
    ) -> Result<Self> {
        let part = &header.parts[index];
        let decoder = Decoder::new(part)?;
        let (shown, data) = (header.parts[0].display_window, part.data_window);
        let view = View::new(shown, data);
        let lines = channels
            .iter()
            .map(|&channel| Line::new(part.channels[channel].kind, view.width))
            .collect::<Result<_>>()?;
        let step = part.block_size().0;
        let mut blocks: Vec<Block> = reserve(data.width().div_ceil(step))?;
        blocks.clear();
        Ok(Self {
            index,
            part,
            chunks: Chunks::read(input, header, index)?,
            decoder,
            plan: Plan::new(part, channels),
            memory: Vec::new(),
            blocks,
            is_whole: true,
            next: 0,
            lines,
            first: view.first,
            width: shown.width(),
            stored: view.stored,
            columns: view.columns.start / step..view.columns.end.div_ceil(step),
            rows: view.rows,
            top: view.top,
        })
    }

    /// Samples of line `line` in the row read last.
    pub fn samples(&self, line: usize) -> Samples<'_> {
        self.lines[line].samples(self.first, self.width)
    }

    /// Puts display row `y` into the lines; rows must come in order. Says whether it is whole.
    pub fn row<R: Read + Seek>(
        &mut self,
        y: usize,
        input: &mut Input<R>,
        budget: &mut Budget,
        how: Reading,
        stop: &AtomicBool,
    ) -> Result<bool> {
        let row = y as i64 - self.top;
        let row = usize::try_from(row)
            .ok()
            .filter(|row| self.rows.contains(row));
        let Some(row) = row else {
            // Above, it is still all zero.
            if y as i64 - self.top == self.rows.end as i64 {
                self.lines.iter_mut().for_each(|line| line.bytes().fill(0));
            }
            return Ok(true);
        };
        let step = self.part.block_size().1;
        if self.next == 0 {
            self.next = row - row % step;
        }
        while self.next <= row {
            if self.next.is_multiple_of(step) {
                self.load(self.next / step, input, budget, how, stop)?;
            }
            for block in &mut self.blocks {
                block.row(&self.plan, &self.memory, &mut self.lines);
            }
            self.next += 1;
        }
        Ok(self.is_whole)
    }

    /// Unpacks row `row` of blocks.
    fn load<R: Read + Seek>(
        &mut self,
        row: usize,
        input: &mut Input<R>,
        budget: &mut Budget,
        how: Reading,
        stop: &AtomicBool,
    ) -> Result<()> {
        let window = self.part.data_window;
        let (step_x, step_y) = self.part.block_size();
        self.blocks.clear();
        self.is_whole = true;
        let mut start = 0;
        for column in self.columns.clone() {
            if stop.load(Ordering::Relaxed) {
                return Err(Error::cancelled());
            }
            let number = row * self.chunks.columns() + column;
            let (x, y) = (column * step_x, row * step_y);
            let size = (
                step_x.min(window.width() - x),
                step_y.min(window.height() - y),
            );
            let shape = self.plan.shape(size, how.verify);
            let form = self.chunks.block(input, number, budget).and_then(|packed| {
                budget.spend(self.decoder.cost(packed.bytes().len(), shape))?;
                self.decoder.unpack(packed, shape, &mut self.memory, start)
            });
            let form = match form {
                Ok(form) => Some(form),
                Err(error) if how.partial && error.kind == Kind::InvalidExr => None,
                Err(error) => {
                    return Err(error.at(format!("part {}, block {number}", self.index)));
                }
            };
            self.is_whole &= form.is_some();
            let block = Block::new(self.stored + x, shape, form, &self.memory, start);
            self.blocks.push(block);
            start += shape.split;
        }
        Ok(())
    }
}

/// How the data window of a part lies to the display window.
struct View {
    /// Columns of a line, those before the first shown one, those before the first stored one.
    width: usize,
    first: usize,
    stored: usize,
    /// What of the data window is shown.
    columns: Range<usize>,
    rows: Range<usize>,
    top: i64,
}

impl View {
    fn new(shown: Window, data: Window) -> Self {
        let corner = |window: Window, side: usize| i64::from(window.corners[side]);
        let (left, top) = (
            corner(data, 0) - corner(shown, 0),
            corner(data, 1) - corner(shown, 1),
        );
        let columns = overlap(left, data.width(), shown.width());
        let rows = overlap(top, data.height(), shown.height());
        if columns.is_empty() || rows.is_empty() {
            return Self {
                width: shown.width(),
                first: 0,
                stored: 0,
                columns: 0..0,
                rows: 0..0,
                top: 0,
            };
        }
        let start = left.min(0);
        let end = (left + data.width() as i64).max(shown.width() as i64);
        Self {
            width: (end - start) as usize,
            first: -start as usize,
            stored: (left - start) as usize,
            columns,
            rows,
            top,
        }
    }
}

/// What of `count` places from `start` on lies within the first `shown`.
fn overlap(start: i64, count: usize, shown: usize) -> Range<usize> {
    let first = (-start).clamp(0, count as i64);
    let last = (shown as i64 - start).clamp(0, count as i64);
    first as usize..last as usize
}
