//! Lines out of a body that comes in pieces, perhaps compressed, in bounded memory.

use std::io::{self, Write};

use bytes::{Buf, Bytes};
use flate2::write::MultiGzDecoder;
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};
use zstd::zstd_safe::DParameter;

use crate::error::{Error, Result};

/// The longest line; ours have 150 bytes, pre-signed URLs make them a few KB.
const LONGEST: usize = 64 << 10;

/// The longest line whose text is only dropped; whoever sends more without an end sends no list.
const ENDLESS: usize = 64 << 20;

/// What one step of decompression may add: a tiny body may unpack to terabytes.
const STEP: usize = 64 << 10;

/// What of a gzip body is unpacked at once: at most a thousandfold comes out.
const GZIP_STEP: usize = 512;

/// Largest window a frame may ask us to keep (2^23 = 8 MiB, what `zstd -19` uses).
const WINDOW_LOG: u32 = 23;

/// A splitter of lines.
pub struct Lines {
    packing: Packing,
    input: Bytes,
    text: Vec<u8>,
    /// Where the next line begins in `text`, and up to where no line end was found.
    start: usize,
    searched: usize,
    /// True if the last step filled its room, so that the decoder may hold more.
    full: bool,
    /// What is done about lines that are too long: an error, or only their text is dropped.
    forgiving: bool,
    /// Bytes of the line that is being dropped, 0 if none is.
    dropping: usize,
    dropped: bool,
}

enum Packing {
    Plain,
    /// True while a frame is open.
    Zstd(Decoder<'static>, bool),
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
}

impl Lines {
    /// For a body that is text already.
    pub fn plain() -> Self {
        Self {
            packing: Packing::Plain,
            input: Bytes::new(),
            text: Vec::new(),
            start: 0,
            searched: 0,
            full: false,
            forgiving: false,
            dropping: 0,
            dropped: false,
        }
    }

    /// For a zstd body.
    pub fn zstd() -> Result<Self> {
        let mut decoder = Decoder::new().map_err(|error| damaged(&error))?;
        decoder
            .set_parameter(DParameter::WindowLogMax(WINDOW_LOG))
            .map_err(|error| damaged(&error))?;
        Ok(Self {
            packing: Packing::Zstd(decoder, false),
            ..Self::plain()
        })
    }

    /// For a gzip body.
    pub fn gzip() -> Self {
        Self {
            packing: Packing::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))),
            ..Self::plain()
        }
    }

    /// A line that is too long loses its text, and [`Lines::was_dropped`] says so; the rest goes on.
    pub fn forgiving(mut self) -> Self {
        self.forgiving = true;
        self
    }

    /// A line that is too long is an error from here on.
    pub fn strict(mut self) -> Self {
        self.forgiving = false;
        self
    }

    /// True once after a line whose text was dropped.
    pub fn was_dropped(&mut self) -> bool {
        std::mem::take(&mut self.dropped)
    }

    /// Bytes of the last piece of which nothing has come out yet, as far as that can be said.
    pub fn waiting(&self) -> usize {
        let text = match self.packing {
            Packing::Plain => self.text.len() - self.start,
            _ => 0,
        };
        self.input.len() + text
    }

    /// After the last piece: true if there is a last line, one without an end.
    pub fn finish(&mut self) -> Result<bool> {
        let cut = match &mut self.packing {
            Packing::Plain => false,
            Packing::Zstd(_, is_open) => *is_open,
            Packing::Gzip(decoder) => decoder.try_finish().is_err(),
        };
        if cut {
            return Err(Error::new(
                "network",
                "the list's compressed text ends too early",
            ));
        }
        if let Packing::Gzip(decoder) = &mut self.packing {
            let rest = std::mem::take(decoder.get_mut());
            self.packing = Packing::Plain;
            self.feed(rest.into());
            if self.has_line()? {
                return Ok(true);
            }
        }
        let has_rest = self.start < self.text.len() || self.dropping > 0;
        self.dropped |= std::mem::take(&mut self.dropping) > 0;
        self.searched = self.text.len();
        Ok(has_rest)
    }

    /// Takes the next piece; call it only when [`Lines::has_line`] said no.
    pub fn feed(&mut self, piece: Bytes) {
        debug_assert!(self.input.is_empty());
        self.input = piece;
    }

    /// True if [`Lines::line`] has a line to give; false if it needs another piece.
    pub fn has_line(&mut self) -> Result<bool> {
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.text[self.searched..]) {
                self.searched += at;
                if self.searched - self.start > LONGEST || self.dropping > 0 {
                    self.too_long()?;
                    self.dropping = 0;
                    self.dropped = true;
                    self.start = self.searched;
                }
                return Ok(true);
            }
            self.searched = self.text.len();
            if self.text.len() - self.start > LONGEST {
                self.dropping += self.text.len() - self.start;
                self.too_long()?;
                self.start = self.searched;
            }
            if !self.unpack()? {
                return Ok(false);
            }
        }
    }

    fn too_long(&self) -> Result<()> {
        if !self.forgiving {
            return Err(Error::new(
                "bad-answer",
                "a line of the manifest is longer than 64 KiB",
            ));
        }
        if self.dropping > ENDLESS {
            return Err(Error::new(
                "invalid-list",
                "the list has 64 MiB without the end of a line: it is no list",
            ));
        }
        Ok(())
    }

    /// The line that was found, without its end.
    pub fn line(&mut self) -> &[u8] {
        let range = self.start..self.searched;
        self.start = (self.searched + 1).min(self.text.len());
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
        let (zstd, is_open) = match &mut self.packing {
            Packing::Plain => {
                let step = self.input.len().min(STEP);
                self.text.extend_from_slice(&self.input[..step]);
                self.input.advance(step);
                return Ok(true);
            }
            Packing::Gzip(decoder) => {
                let step = self.input.len().min(GZIP_STEP);
                let outcome = decoder.write_all(&self.input[..step]);
                self.input.advance(step);
                self.text.append(decoder.get_mut());
                outcome.map_err(|error| damaged(&error))?;
                return Ok(true);
            }
            Packing::Zstd(zstd, is_open) => (zstd, is_open),
        };
        self.text.resize(room + STEP, 0);
        let mut input = InBuffer::around(&self.input);
        let mut output = OutBuffer::around(&mut self.text[room..]);
        let outcome = zstd.run(&mut input, &mut output);
        let (read, written) = (input.pos(), output.pos());
        self.text.truncate(room + written);
        self.input.advance(read);
        self.full = written == STEP;
        *is_open = outcome.map_err(|error| damaged(&error))? != 0;
        Ok(read > 0 || written > 0)
    }
}

fn damaged(error: &io::Error) -> Error {
    Error::new(
        "bad-answer",
        format!("the list's compression is damaged: {error}"),
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

    /// Every line of a forgiving splitter, the last one without an end too; `None` if dropped.
    fn all(mut lines: Lines, body: &[u8], step: usize) -> Result<Vec<Option<usize>>> {
        let mut found = Vec::new();
        let mut take = |lines: &mut Lines| {
            let is_dropped = lines.was_dropped();
            let length = lines.line().len();
            found.push((!is_dropped).then_some(length));
        };
        for piece in body.chunks(step) {
            lines.feed(Bytes::copy_from_slice(piece));
            while lines.has_line()? {
                take(&mut lines);
            }
        }
        if lines.finish()? {
            take(&mut lines);
            while lines.has_line()? {
                take(&mut lines);
            }
            if lines.finish()? {
                take(&mut lines);
            }
        }
        Ok(found)
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
        let _ = packer.write_all(text);
        packer.finish().unwrap_or_default()
    }

    #[test]
    fn gzip_is_read_however_it_is_cut() -> Result<()> {
        let text = b"one\n\ntwo and more\nlast";
        // Two members, as appending to a gzip file makes them.
        let packed = [gzip(&text[..6]), gzip(&text[6..])].concat();
        for step in 1..packed.len() {
            let found = all(Lines::gzip().forgiving(), &packed, step)?;
            assert_eq!(found, [Some(3), Some(0), Some(12), Some(4)], "{step}");
        }
        let cut = all(Lines::gzip().forgiving(), &packed[..packed.len() - 9], 5);
        assert_eq!(cut.map_err(|error| error.kind), Err("network".into()));
        Ok(())
    }

    #[test]
    fn a_forgiving_splitter_drops_only_what_is_too_long() -> Result<()> {
        let long = "x".repeat(LONGEST + 1);
        let text = format!("a\n{long}\nbb\n{long}{long}{long}\nccc\n{long}");
        for step in [1_000, 4_096, 65_537, 1 << 20] {
            let found = all(Lines::plain().forgiving(), text.as_bytes(), step)?;
            assert_eq!(
                found,
                [Some(1), None, Some(2), None, Some(3), None],
                "{step}"
            );
            let found = all(Lines::gzip().forgiving(), &gzip(text.as_bytes()), step)?;
            assert_eq!(
                found,
                [Some(1), None, Some(2), None, Some(3), None],
                "{step}"
            );
        }
        Ok(())
    }

    #[test]
    fn a_line_without_an_end_ends_the_list() {
        let mut lines = Lines::plain().forgiving();
        let piece = Bytes::from(vec![0; 1 << 20]);
        let told = (0..=65).find_map(|_| {
            lines.feed(piece.clone());
            lines.has_line().err()
        });
        assert_eq!(told.map(|error| error.kind), Some("invalid-list".into()));
        assert!(lines.text.capacity() < 1 << 20);
    }

    #[test]
    fn a_cut_zstd_list_is_not_taken_for_whole() -> Result<()> {
        let packed = zstd::encode_all(b"one\ntwo\n".as_slice(), 3).unwrap_or_default();
        assert_eq!(
            all(Lines::zstd()?.forgiving(), &packed, 3)?,
            [Some(3), Some(3)]
        );
        let cut = all(Lines::zstd()?.forgiving(), &packed[..packed.len() - 2], 3);
        assert_eq!(cut.map_err(|error| error.kind), Err("network".into()));
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
