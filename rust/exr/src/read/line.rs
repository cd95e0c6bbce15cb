//! One row of one channel.

use zerocopy::IntoBytes;

use crate::error::Result;
use crate::read::attribute::SampleType;
use crate::read::input::grow;

/// Samples of one channel in one row; floats as their bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Samples<'a> {
    /// float16.
    Half(&'a [u16]),
    /// float32.
    Float(&'a [u32]),
    /// Unsigned.
    Uint(&'a [u32]),
}

impl<'a> Samples<'a> {
    /// As they lie in memory.
    pub fn bytes(self) -> &'a [u8] {
        match self {
            Self::Half(all) => all.as_bytes(),
            Self::Float(all) | Self::Uint(all) => all.as_bytes(),
        }
    }

    /// How many they are.
    pub const fn len(self) -> usize {
        match self {
            Self::Half(all) => all.len(),
            Self::Float(all) | Self::Uint(all) => all.len(),
        }
    }

    /// They are none; never so in a row.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// The memory of such a row.
pub enum Line {
    Half(Vec<u16>),
    Float(Vec<u32>),
    Uint(Vec<u32>),
}

impl Line {
    /// `width` zeros.
    pub fn new(kind: SampleType, width: usize) -> Result<Self> {
        let (mut halves, mut words) = (Vec::new(), Vec::new());
        match kind {
            SampleType::Half => grow(&mut halves, width)?,
            SampleType::Float | SampleType::Uint => grow(&mut words, width)?,
        }
        Ok(match kind {
            SampleType::Half => Self::Half(halves),
            SampleType::Float => Self::Float(words),
            SampleType::Uint => Self::Uint(words),
        })
    }

    /// All of it as little-endian bytes.
    pub fn bytes(&mut self) -> &mut [u8] {
        match self {
            Self::Half(all) => all.as_mut_bytes(),
            Self::Float(all) | Self::Uint(all) => all.as_mut_bytes(),
        }
    }

    /// `width` samples from `first` on.
    pub fn samples(&self, first: usize, width: usize) -> Samples<'_> {
        match self {
            Self::Half(all) => Samples::Half(&all[first..first + width]),
            Self::Float(all) => Samples::Float(&all[first..first + width]),
            Self::Uint(all) => Samples::Uint(&all[first..first + width]),
        }
    }
}
