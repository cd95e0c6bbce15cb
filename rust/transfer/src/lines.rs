//! Lines out of a body that comes in pieces, perhaps zstd-compressed, in bounded memory.

use std::io;

use bytes::{Buf, Bytes};
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};
use zstd::zstd_safe::DParameter;

use crate::error::{Error, Result};

/// The longest line; ours have 150 bytes, pre-signed URLs make them a few KB.
const LONGEST: usize = 64 << 10;

/// What one step of decompression may add: a tiny body may unpack to terabytes.
const STEP: usize = 64 << 10;

/// Largest window a frame may ask us to keep (2^23 = 8 MiB, what `zstd -19` uses).
const WINDOW_LOG: u32 = 23;

/// A splitter of lines.
pub struct Lines {
    zstd: Option<Decoder<'static>>,
    input: Bytes,
    text: Vec<u8>,
    /// Where the next line begins in `text`, and up to where no line end was found.
    start: usize,
    searched: usize,
    /// True if the last step filled its room, so that the decoder may hold more.
    full: bool,
}

impl Lines {
    /// For a body that is text already.
    pub fn plain() -> Self {
        Self {
            zstd: None,
            input: Bytes::new(),
            text: Vec::new(),
            start: 0,
            searched: 0,
            full: false,
        }
    }

    /// For a zstd body.
    pub fn zstd() -> Result<Self> {
        let mut decoder = Decoder::new().map_err(|error| damaged(&error))?;
        decoder
            .set_parameter(DParameter::WindowLogMax(WINDOW_LOG))
            .map_err(|error| damaged(&error))?;
        Ok(Self {
            zstd: Some(decoder),
            ..Self::plain()
        })
    }

    /// Takes the next piece; call it only when [`Lines::has_line`] said no.
    pub fn feed(&mut self, piece: Bytes) {
        debug_assert!(self.input.is_empty());
        self.input = piece;
    }

    /// True if [`Lines::line`] has a line to give; false if it needs another piece.
    pub fn has_line(&mut self) -> Result<bool> {
        loop {
            if let Some(at) = self.text[self.searched..]
                .iter()
                .position(|byte| *byte == b'\n')
            {
                self.searched += at;
                return Ok(true);
            }
            self.searched = self.text.len();
            if self.text.len() - self.start > LONGEST {
                return Err(Error::new(
                    "bad-answer",
                    "a line of the manifest is longer than 64 KiB",
                ));
            }
            if !self.unpack()? {
                return Ok(false);
            }
        }
    }

    /// The line that was found, without its end.
    pub fn line(&mut self) -> &[u8] {
        let range = self.start..self.searched;
        self.start = self.searched + 1;
        self.searched = self.start;
        &self.text[range]
    }

    /// Moves some input into `text`; false if there was none.
    fn unpack(&mut self) -> Result<bool> {
        if self.input.is_empty() && !self.full {
            return Ok(false);
        }
        self.text.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        let room = self.text.len();
        let Some(zstd) = &mut self.zstd else {
            let step = self.input.len().min(STEP);
            self.text.extend_from_slice(&self.input[..step]);
            self.input.advance(step);
            return Ok(true);
        };
        self.text.resize(room + STEP, 0);
        let mut input = InBuffer::around(&self.input);
        let mut output = OutBuffer::around(&mut self.text[room..]);
        let outcome = zstd.run(&mut input, &mut output);
        let (read, written) = (input.pos(), output.pos());
        self.text.truncate(room + written);
        self.input.advance(read);
        self.full = written == STEP;
        outcome.map_err(|error| damaged(&error))?;
        Ok(read > 0 || written > 0)
    }
}

fn damaged(error: &io::Error) -> Error {
    Error::new(
        "bad-answer",
        format!("the manifest's compression is damaged: {error}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(mut lines: Lines, body: &[u8], step: usize) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for piece in body.chunks(step) {
            lines.feed(Bytes::copy_from_slice(piece));
            while lines.has_line()? {
                found.push(String::from_utf8_lossy(lines.line()).into_owned());
            }
        }
        Ok(found)
    }

    #[test]
    fn every_way_to_cut_gives_the_same_lines() -> Result<()> {
        let text = "one\n\ntwo and more\nlast without end";
        for step in 1..text.len() {
            assert_eq!(
                split(Lines::plain(), text.as_bytes(), step)?,
                ["one", "", "two and more"]
            );
        }
        let packed = zstd::encode_all(text.as_bytes(), 3).unwrap_or_default();
        for step in 1..packed.len() {
            assert_eq!(
                split(Lines::zstd()?, &packed, step)?,
                ["one", "", "two and more"]
            );
        }
        Ok(())
    }

    #[test]
    fn a_bomb_of_one_line_is_refused() -> Result<()> {
        let packed = zstd::encode_all(vec![b'x'; 64 << 20].as_slice(), 3).unwrap_or_default();
        assert!(packed.len() < 100_000);
        let outcome = split(Lines::zstd()?, &packed, packed.len());
        assert_eq!(
            outcome.map_err(|error| error.kind),
            Err("bad-answer".into())
        );
        Ok(())
    }
}
