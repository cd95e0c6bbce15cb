//! The compression numbers of the format, and what is read here.

/// The number in the `compression` attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compression(pub u8);

impl Compression {
    /// Samples as they are.
    pub const NONE: Self = Self(0);
    /// Runs of bytes.
    pub const RLE: Self = Self(1);
    /// Deflate, one line a block.
    pub const ZIPS: Self = Self(2);
    /// Deflate, 16 lines a block.
    pub const ZIP: Self = Self(3);
    /// Wavelets.
    pub const PIZ: Self = Self(4);
    /// Deflate of floats cut to 24 bits.
    pub const PXR24: Self = Self(5);
    /// Lossy blocks of 4 x 4 halves.
    pub const B44: Self = Self(6);
    /// The same, flat blocks smaller.
    pub const B44A: Self = Self(7);
    /// Lossy, 32 lines a block.
    pub const DWAA: Self = Self(8);
    /// Lossy, 256 lines a block.
    pub const DWAB: Self = Self(9);

    /// Its usual name, in lower case.
    pub const fn name(self) -> &'static str {
        match self.0 {
            0 => "none",
            1 => "rle",
            2 => "zips",
            3 => "zip",
            4 => "piz",
            5 => "pxr24",
            6 => "b44",
            7 => "b44a",
            8 => "dwaa",
            9 => "dwab",
            10 => "htj2k256",
            11 => "htj2k32",
            12 => "lj2k",
            13 => "zstd",
            _ => "unknown",
        }
    }

    /// Lines of a scanline block, or nothing when this compression is not read here.
    pub const fn lines(self) -> Option<usize> {
        match self {
            Self::NONE | Self::RLE | Self::ZIPS => Some(1),
            Self::ZIP | Self::PXR24 => Some(16),
            Self::PIZ | Self::B44 | Self::B44A | Self::DWAA => Some(32),
            Self::DWAB => Some(256),
            _ => None,
        }
    }

    /// Unpacked by our own code.
    pub const fn is_own(self) -> bool {
        self.0 <= Self::ZIP.0
    }

    /// How many bytes one byte of a block can stand for, at most: deflate 1032, RLE 64 (two
    /// bytes for a run of 128), PXR24 1032 x 4/3, PIZ 512 (nine bits for a run of 256 samples),
    /// B44 11 (three bytes for 16 samples). DWA has no such limit.
    pub const fn expansion(self) -> Option<u64> {
        match self {
            Self::NONE => Some(1),
            Self::RLE => Some(64),
            Self::ZIPS | Self::ZIP => Some(1032),
            Self::PXR24 => Some(1376),
            Self::PIZ => Some(512),
            Self::B44 | Self::B44A => Some(11),
            _ => None,
        }
    }
}
