//! A file of known length, read through a window: in order for the most part, but anywhere.

use std::io::{ErrorKind, Read, Seek, SeekFrom};

use crate::error::{Error, Kind, Result};

/// Readable bytes behind every block that `block` gives.
pub const SLACK: usize = 64;
/// What is read at once after a jump; doubled while reading goes on in order.
const LEAST: usize = 16 << 10;
const MOST: usize = 256 << 10;

/// Reads little-endian numbers and blocks; never past the end, never much more than asked for.
///
/// A window, not a mapping: a file that is cut while it is mapped ends the process.
pub struct Input<R> {
    inner: R,
    /// Where `inner` stands.
    inner_at: u64,
    length: u64,
    /// Bytes from `start` on: `filled` of them, then at least `SLACK` that are only room.
    window: Vec<u8>,
    start: u64,
    filled: usize,
    /// The next byte, counted from `start`.
    at: usize,
    ahead: usize,
    /// What stands behind the block given last, while zeros stand in its place.
    covered: Option<(usize, [u8; SLACK])>,
}

/// Bytes with `SLACK` zeros behind them, for readers that look ahead.
#[derive(Clone, Copy)]
pub struct Padded<'a> {
    bytes: &'a [u8],
}

impl<'a> Padded<'a> {
    /// The bytes themselves.
    pub fn bytes(self) -> &'a [u8] {
        &self.bytes[..self.bytes.len() - SLACK]
    }

    /// The bytes and the zeros.
    pub const fn with_slack(self) -> &'a [u8] {
        self.bytes
    }
}

impl<R: Read + Seek> Input<R> {
    /// Starts at the beginning of `inner`.
    pub fn new(mut inner: R) -> Result<Self> {
        let length = inner.seek(SeekFrom::End(0)).map_err(trouble)?;
        Ok(Self {
            inner,
            inner_at: length,
            length,
            window: Vec::new(),
            start: 0,
            filled: 0,
            at: 0,
            ahead: LEAST,
            covered: None,
        })
    }

    /// Bytes in the file.
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Offset of the next byte.
    pub const fn position(&self) -> u64 {
        self.start + self.at as u64
    }

    /// Bytes from here to the end.
    pub const fn left(&self) -> u64 {
        self.length.saturating_sub(self.position())
    }

    /// Goes to `position`; costs nothing inside of the window.
    pub fn seek(&mut self, position: u64) -> Result<()> {
        if position > self.length {
            return Err(truncated());
        }
        self.uncover();
        match position.checked_sub(self.start) {
            Some(at) if at <= self.filled as u64 => self.at = at as usize,
            _ => {
                (self.start, self.filled, self.at) = (position, 0, 0);
                self.ahead = LEAST;
            }
        }
        Ok(())
    }

    /// The next `size` bytes with zeros behind them, until the next call.
    pub fn block(&mut self, size: usize) -> Result<Padded<'_>> {
        self.have(size)?;
        let (start, end) = (self.at, self.at + size);
        self.at = end;
        grow(&mut self.window, end + SLACK)?;
        if let Some(behind) = self.window[end..].first_chunk_mut::<SLACK>() {
            self.covered = Some((end, *behind));
            *behind = [0; SLACK];
        }
        Ok(Padded {
            bytes: &self.window[start..end + SLACK],
        })
    }

    /// Exactly `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.have(N)?;
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.window[self.at..self.at + N]);
        self.at += N;
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
        while bytes.len() < size {
            // Through the window in steps, so that it stays small.
            let step = (size - bytes.len()).min(LEAST);
            bytes.extend_from_slice(self.block(step)?.bytes());
        }
        Ok(bytes)
    }

    fn uncover(&mut self) {
        if let Some((end, bytes)) = self.covered.take() {
            self.window[end..end + SLACK].copy_from_slice(&bytes);
        }
    }

    /// Reads until `size` bytes are in the window.
    fn have(&mut self, size: usize) -> Result<()> {
        self.uncover();
        if self.filled - self.at >= size {
            return Ok(());
        }
        if size as u64 > self.left() {
            return Err(truncated());
        }
        self.window.copy_within(self.at..self.filled, 0);
        (self.start, self.filled, self.at) = (self.position(), self.filled - self.at, 0);
        let goal = size.max(self.ahead).min(usize_of(self.left()));
        self.ahead = (self.ahead * 2).min(MOST);
        grow(&mut self.window, goal + SLACK)?;
        let from = self.start + self.filled as u64;
        if self.inner_at != from {
            self.inner.seek(SeekFrom::Start(from)).map_err(trouble)?;
            self.inner_at = from;
        }
        while self.filled < size {
            match self.inner.read(&mut self.window[self.filled..goal]) {
                Ok(0) => return Err(truncated()),
                Ok(count) => {
                    self.filled += count;
                    self.inner_at += count as u64;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(trouble(error)),
            }
        }
        Ok(())
    }
}

fn usize_of(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX - SLACK)
}

/// Makes `items` at least `size` long, or gives an error instead of the end of the process.
pub fn grow<T: Clone + Default>(items: &mut Vec<T>, size: usize) -> Result<()> {
    if items.len() < size {
        items
            .try_reserve(size - items.len())
            .map_err(|_| no_memory(size))?;
        items.resize(size, T::default());
    }
    Ok(())
}

/// Memory for `size` items, or an error instead of the end of the process.
pub fn reserve<T>(size: usize) -> Result<Vec<T>> {
    let mut items = Vec::new();
    items.try_reserve_exact(size).map_err(|_| no_memory(size))?;
    Ok(items)
}

fn no_memory(size: usize) -> Error {
    Error::new(
        Kind::TooLarge,
        format!("not enough memory for {size} samples"),
    )
}

fn truncated() -> Error {
    Error::invalid("the file ends too early").hint("fetch or render the file again")
}

fn trouble(error: std::io::Error) -> Error {
    Error::new(Kind::Disk, format!("cannot read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// Gives a few bytes at a time, and counts what it gave.
    struct Slow(Cursor<Vec<u8>>, usize);

    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let most = buffer.len().min(1000);
            let count = self.0.read(&mut buffer[..most])?;
            self.1 += count;
            Ok(count)
        }
    }

    impl Seek for Slow {
        fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
            self.0.seek(to)
        }
    }

    fn input(size: usize) -> (Vec<u8>, Input<Slow>) {
        let bytes: Vec<u8> = (0..size).map(|index| (index * 31 / 7) as u8).collect();
        let input = Input::new(Slow(Cursor::new(bytes.clone()), 0)).unwrap();
        (bytes, input)
    }

    #[test]
    fn gives_every_block_whole_with_zeros_behind_it() {
        let (bytes, mut input) = input(700_000);
        let mut place = 0;
        for size in [1, 0, 63, 64, 20_000, 300_000, 5, 379_867] {
            let block = input.block(size).unwrap();
            assert_eq!(block.bytes(), &bytes[place..place + size]);
            assert_eq!(block.with_slack()[size..], [0; SLACK]);
            place += size;
            assert_eq!(input.position(), place as u64);
        }
        assert_eq!(input.left(), 0);
        assert_eq!(input.inner.1, bytes.len(), "every byte is read once");
        assert!(input.byte().is_err());
    }

    #[test]
    fn goes_anywhere_without_reading_much_more() {
        let (bytes, mut input) = input(3_000_000);
        let mut wanted = 0;
        for number in (0..290).rev().chain([7, 250, 3, 100]) {
            let place = number * 10_000;
            input.seek(place as u64).unwrap();
            assert_eq!(input.array::<8>().unwrap(), bytes[place..place + 8]);
            assert_eq!(
                input.block(9000).unwrap().bytes(),
                &bytes[place + 8..place + 9008]
            );
            wanted += 9008;
        }
        assert!(input.inner.1 < 2 * wanted, "{} of {wanted}", input.inner.1);
        assert!(input.seek(3_000_001).is_err());
        input.seek(2_999_999).unwrap();
        assert!(input.block(2).is_err());
    }
}
