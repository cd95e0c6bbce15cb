//! One unpacked block, given out row by row; only bytes of wanted channels are moved.

use crate::read::decode::{Form, Shape};
use crate::read::line::Line;
use crate::read::part::Part;
use crate::read::predictor::{self, Before, Weave};

/// Neighbouring channels that are all unwanted, or one that is wanted.
struct Run {
    /// Of one pixel.
    bytes: usize,
    /// Which line it goes to.
    line: Option<usize>,
}

/// What to take of every row of a part.
pub struct Plan {
    runs: Vec<Run>,
    /// Bytes of one pixel: all channels, and those up to the last wanted one.
    pixel: usize,
    end: usize,
    weave: Weave,
}

impl Plan {
    /// Line `i` is channel `lines[i]`.
    pub fn new(part: &Part, lines: &[usize]) -> Self {
        let mut runs: Vec<Run> = Vec::new();
        let (mut pixel, mut end) = (0, 0);
        for (index, channel) in part.channels.iter().enumerate() {
            let bytes = channel.kind.size();
            pixel += bytes;
            let line = lines.iter().position(|&line| line == index);
            match runs.last_mut() {
                Some(Run {
                    bytes: before,
                    line: None,
                }) if line.is_none() => *before += bytes,
                _ => runs.push(Run { bytes, line }),
            }
            if line.is_some() {
                end = pixel;
            }
        }
        if runs.last().is_some_and(|run| run.line.is_none()) {
            runs.pop();
        }
        Self {
            runs,
            pixel,
            end,
            weave: predictor::weave(),
        }
    }

    /// Sizes of a block of so many pixels; `verify` asks for all of it.
    pub const fn shape(&self, (width, height): (usize, usize), verify: bool) -> Shape {
        let length = width * height * self.pixel;
        let raw = length - width * (self.pixel - self.end);
        Shape {
            size: (width, height),
            length,
            raw: if verify { length } else { raw },
            split: if verify { length } else { length / 2 + raw / 2 },
        }
    }
}

/// Where a block stands.
enum State {
    /// Its pixels are not there.
    Missing,
    Raw {
        at: usize,
    },
    Split {
        at: usize,
        before: Before,
    },
}

/// One unpacked block.
pub struct Block {
    /// Left edge in the lines, and pixels in x.
    x: usize,
    width: usize,
    /// Rows not yet given out.
    rows: usize,
    /// Its bytes in the memory of its band.
    start: usize,
    length: usize,
    state: State,
}

impl Block {
    /// A block whose bytes are at `start` of `memory`; nothing when they are missing.
    pub fn new(x: usize, shape: Shape, form: Option<Form>, memory: &[u8], start: usize) -> Self {
        let (width, rows) = shape.size;
        let state = match form {
            None => State::Missing,
            Some(Form::Raw) => State::Raw { at: 0 },
            Some(Form::Split) => {
                let even = &memory[start..start + shape.length / 2];
                let middle = predictor::skip(even, predictor::START);
                State::Split {
                    at: 0,
                    before: [predictor::START, middle],
                }
            }
        };
        Self {
            x,
            width,
            rows,
            start,
            length: shape.length,
            state,
        }
    }

    /// Puts its next row into `lines`.
    pub fn row(&mut self, plan: &Plan, memory: &[u8], lines: &mut [Line]) {
        self.rows -= 1;
        let half = self.length / 2;
        for run in &plan.runs {
            let size = run.bytes * self.width;
            let target = run
                .line
                .map(|line| &mut lines[line].bytes()[run.bytes * self.x..][..size]);
            match (&mut self.state, target) {
                (State::Missing, None) => {}
                (State::Missing, Some(target)) => target.fill(0),
                (State::Raw { at }, target) => {
                    if let Some(target) = target {
                        target.copy_from_slice(&memory[self.start + *at..][..size]);
                    }
                    *at += size;
                }
                (State::Split { at, before }, target) => {
                    let even = &memory[self.start + *at..][..size / 2];
                    let odd = &memory[self.start + half + *at..][..size / 2];
                    *before = match target {
                        Some(target) => (plan.weave)(even, odd, *before, target),
                        None => skip_both(even, odd, *before),
                    };
                    *at += size / 2;
                }
            }
        }
        if self.rows > 0 {
            self.pass(self.width * (plan.pixel - plan.end), memory);
        }
    }

    /// Goes over the unwanted end of a row.
    fn pass(&mut self, size: usize, memory: &[u8]) {
        match &mut self.state {
            State::Missing => {}
            State::Raw { at } => *at += size,
            State::Split { at, before } => {
                let even = &memory[self.start + *at..][..size / 2];
                let odd = &memory[self.start + self.length / 2 + *at..][..size / 2];
                *before = skip_both(even, odd, *before);
                *at += size / 2;
            }
        }
    }
}

fn skip_both(even: &[u8], odd: &[u8], before: Before) -> Before {
    [
        predictor::skip(even, before[0]),
        predictor::skip(odd, before[1]),
    ]
}
