//! A file of known length, read in order for the most part.

use std::io::{BufReader, Read, Seek, SeekFrom};

use crate::error::{Error, Kind, Result};

/// Reads little-endian numbers and blocks; never past the end, never more than asked for.
pub struct Input<R> {
    inner: BufReader<R>,
    position: u64,
    length: u64,
}

impl<R: Read + Seek> Input<R> {
    /// Starts at the beginning of `inner`.
    pub fn new(mut inner: R) -> Result<Self> {
        let length = inner.seek(SeekFrom::End(0)).map_err(trouble)?;
        inner.seek(SeekFrom::Start(0)).map_err(trouble)?;
        Ok(Self {
            inner: BufReader::with_capacity(1 << 16, inner),
            position: 0,
            length,
        })
    }

    /// Bytes in the file.
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Offset of the next byte.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// Bytes from here to the end.
    pub const fn left(&self) -> u64 {
        self.length.saturating_sub(self.position)
    }

    /// Goes to `position`; costs nothing when already there.
    pub fn seek(&mut self, position: u64) -> Result<()> {
        if position > self.length {
            return Err(truncated());
        }
        if position != self.position {
            self.inner
                .seek(SeekFrom::Start(position))
                .map_err(trouble)?;
            self.position = position;
        }
        Ok(())
    }

    /// Fills `buffer`.
    pub fn fill(&mut self, buffer: &mut [u8]) -> Result<()> {
        if buffer.len() as u64 > self.left() {
            return Err(truncated());
        }
        self.inner.read_exact(buffer).map_err(trouble)?;
        self.position += buffer.len() as u64;
        Ok(())
    }

    /// Exactly `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// The next byte.
    pub fn byte(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    /// The next signed number.
    pub fn int(&mut self) -> Result<i32> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    /// The next offset.
    pub fn offset(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// The next `size` bytes in memory of their own; `size` must have been checked.
    pub fn vec(&mut self, size: usize) -> Result<Vec<u8>> {
        if size as u64 > self.left() {
            return Err(truncated());
        }
        let mut bytes = reserve(size)?;
        bytes.resize(size, 0);
        self.fill(&mut bytes)?;
        Ok(bytes)
    }
}

/// Memory for `size` items, or an error instead of the end of the process.
pub fn reserve<T>(size: usize) -> Result<Vec<T>> {
    let mut items = Vec::new();
    items.try_reserve_exact(size).map_err(|_| {
        Error::new(
            Kind::TooLarge,
            format!("not enough memory for {size} samples"),
        )
    })?;
    Ok(items)
}

fn truncated() -> Error {
    Error::invalid("the file ends too early").hint("fetch or render the file again")
}

fn trouble(error: std::io::Error) -> Error {
    Error::new(Kind::Disk, format!("cannot read: {error}"))
}
