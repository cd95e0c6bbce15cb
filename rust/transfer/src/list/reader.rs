//! A list being read, line by line, in constant memory.

use std::hash::{DefaultHasher, Hasher};

use bytes::Bytes;

use super::address::Addresses;
use super::format::{Format, Label};
use super::input::Pieces;
use super::row::{Checked, Parsed, Row};
use super::Input;
use crate::backoff::Backoff;
use crate::control::Gate;
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::expiry::Clock;
use crate::http::Http;
use crate::lines::Lines;
use crate::manifest::{Head, Line, Manifest, Source};

/// A list from a file, a URL or standard input.
///
/// One from a URL is read again when it is cut; what was handed on is then passed over, if it is
/// the same as before: the same names in the same lines.
pub struct Reader<'a> {
    http: &'a Http,
    gate: &'a Gate,
    clock: &'a Clock,
    source: &'a Source,
    input: &'a Input,
    open: Option<Open>,
    /// Lines read of this body, and lines handed on in all.
    line: u64,
    known: u64,
    /// Over the names of lines up to `line`, and what it must be at line `known`.
    names: DefaultHasher,
    expected: u64,
    addresses: Addresses,
    backoff: Backoff,
    ended: bool,
}

struct Open {
    pieces: Pieces,
    label: Label,
    lines: Option<Lines>,
    format: Option<Format>,
    has_template: bool,
    /// Bytes of all pieces so far.
    fed: u64,
    /// The pieces are all fed.
    is_read: bool,
}

impl<'a> Reader<'a> {
    /// A list from its first line. Nothing is opened yet.
    pub fn new(
        http: &'a Http,
        gate: &'a Gate,
        clock: &'a Clock,
        source: &'a Source,
        input: &'a Input,
    ) -> Self {
        Self {
            http,
            gate,
            clock,
            source,
            input,
            open: None,
            line: 0,
            known: 0,
            names: DefaultHasher::new(),
            expected: 0,
            addresses: Addresses::default(),
            backoff: Backoff::new(http.limits().attempts),
            ended: false,
        }
    }

    /// The next file, head or bad line; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Line>> {
        while !self.ended {
            match self.step().await {
                Ok(Some(line)) if self.is_news()? => {
                    self.backoff.reset();
                    return Ok(Some(line));
                }
                Ok(_) => {}
                Err(error) => self.again(error).await?,
            }
        }
        // Read anew it was shorter: what follows the lines handed on is not known to be all.
        match self.line < self.known {
            true => Err(changed()),
            false => Ok(None),
        }
    }

    /// The line that was handed on last, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Where the last line ended, and how long the list is, if that can be told: bytes.
    pub fn position(&self) -> Option<(u64, u64)> {
        let open = self.open.as_ref()?;
        let waiting = open.lines.as_ref().map_or(0, Lines::waiting) as u64;
        Some((open.fed.saturating_sub(waiting), open.pieces.length()?))
    }

    /// What follows the line just read, as a manifest, if it comes from the web. The body goes on: the
    /// list is not asked for again.
    pub fn take_manifest(&mut self) -> Option<Manifest<'a>> {
        let Open { pieces, lines, .. } = self.open.take_if(|open| open.pieces.is_body())?;
        let response = pieces.into_body()?;
        let (http, gate, source) = (self.http, self.gate, self.source);
        Some(Manifest::going_on(http, gate, source, response, lines?))
    }

    /// Reads a list from a URL anew, for fresh links; goes on after the last line handed on.
    pub fn restart(&mut self) {
        if matches!(self.input, Input::Url(_)) && !self.ended {
            self.open = None;
            self.line = 0;
            self.names = DefaultHasher::new();
        }
    }

    /// True if the current line was not handed on before. `expected` follows the names.
    fn is_news(&mut self) -> Result<bool> {
        if self.line > self.known {
            self.known = self.line;
            self.expected = self.names.finish();
            return Ok(true);
        }
        if self.line == self.known && self.names.finish() != self.expected {
            return Err(changed());
        }
        Ok(false)
    }

    async fn again(&mut self, error: Error) -> Result<()> {
        let may = matches!(self.input, Input::Url(_)) && error.is_outage() && error.kind != "tls";
        let wait = if may { self.backoff.next() } else { None };
        let Some(wait) = wait else { return Err(error) };
        self.restart();
        tokio::time::sleep(wait).await;
        Ok(())
    }

    async fn step(&mut self) -> Result<Option<Line>> {
        let open = match &mut self.open {
            Some(open) => open,
            None => {
                let (pieces, label) =
                    Pieces::open(self.http, self.gate, self.clock, self.source, self.input).await?;
                self.open.insert(Open {
                    pieces,
                    label,
                    lines: None,
                    format: None,
                    has_template: false,
                    fed: 0,
                    is_read: false,
                })
            }
        };
        if !open.advance().await? {
            self.ended = true;
            return match open.format.as_ref().is_some_and(Format::is_open) {
                true => {
                    self.line += 1;
                    Ok(Some(bad(self.line, "a quote in it is never closed")))
                }
                false => Ok(None),
            };
        }
        let Some(lines) = &mut open.lines else {
            return Ok(None);
        };
        self.line += 1;
        if lines.was_dropped() {
            lines.line();
            return Ok(Some(bad(self.line, "it is longer than 64 KiB")));
        }
        let text = lines.line();
        // A mark of the byte order, as some editors put before the first letter.
        let text = text
            .strip_prefix(b"\xef\xbb\xbf")
            .filter(|_| self.line == 1)
            .unwrap_or(text);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let format = match &mut open.format {
            Some(format) => format,
            None if text.trim_ascii().is_empty() || text.trim_ascii().starts_with(b"#") => {
                return Ok(None)
            }
            None => {
                let first = String::from_utf8_lossy(text);
                let has_base = self.source.list.base().is_some();
                let (format, is_header) = Format::sniff(&first, open.label, has_base)?;
                let format = open.format.insert(format);
                if is_header {
                    return Ok(None);
                }
                format
            }
        };
        match format.parse(text) {
            Parsed::Nothing => Ok(None),
            Parsed::Bad(why) => Ok(Some(bad(self.line, why))),
            Parsed::Row(row) => {
                let base = self.source.list.base();
                let found = match row.check(&mut self.addresses, base, open.has_template) {
                    Err(why) => Line::Bad(format!("line {}", self.line), why),
                    Ok(checked) => Line::File(entry(&row, &checked, self.line)),
                };
                if let Line::File(entry) = &found {
                    self.names.write(entry.name.as_bytes());
                }
                Ok(Some(found))
            }
            Parsed::Head {
                template,
                count,
                bytes,
                expires,
                complete,
            } => {
                open.has_template = true;
                Ok(Some(Line::Head(Head {
                    count,
                    bytes,
                    complete,
                    url: Some(template),
                    expires,
                    now: self.clock.now(self.source.list.url()),
                })))
            }
            Parsed::End(goes_on) => {
                self.ended = true;
                let why = "the manifest goes on elsewhere, and that part is not in this list";
                Ok(goes_on.then(|| bad(self.line, why)))
            }
        }
    }
}

impl Open {
    /// Reads until there is a line; false at the end of the list.
    async fn advance(&mut self) -> Result<bool> {
        loop {
            if let Some(lines) = &mut self.lines {
                if lines.has_line()? {
                    return Ok(true);
                }
                if self.is_read {
                    return lines.finish();
                }
            } else if self.is_read {
                return Ok(false);
            }
            match self.pieces.next().await? {
                None => self.is_read = true,
                Some(piece) if piece.is_empty() => {}
                Some(piece) => {
                    self.fed += piece.len() as u64;
                    match &mut self.lines {
                        Some(lines) => lines.feed(piece),
                        None => self.lines = Some(unpacked(piece)?),
                    }
                }
            }
        }
    }
}

/// A splitter for what the first bytes tell: zstd, gzip or text.
fn unpacked(piece: Bytes) -> Result<Lines> {
    // Both magic numbers differ from text in their first byte.
    let lines = match piece.first() {
        Some(0x28) if piece.len() == 1 || piece.starts_with(&[0x28, 0xb5]) => Lines::zstd()?,
        Some(0x1f) => Lines::gzip(),
        Some(0xff | 0xfe) => {
            let text = "the list is UTF-16; save it as UTF-8";
            return Err(Error::new("invalid-list", text));
        }
        _ => Lines::plain(),
    };
    let mut lines = lines.forgiving();
    lines.feed(piece);
    Ok(lines)
}

fn changed() -> Error {
    let text = "the list changed while it was read";
    Error::new("bad-answer", text).hint("run the same command again")
}

fn bad(line: u64, why: &str) -> Line {
    Line::Bad(format!("line {line}"), why.to_owned())
}

fn entry(row: &Row<'_>, checked: &Checked<'_>, line: u64) -> Entry {
    Entry {
        name: checked.name.as_ref().into(),
        previous: None,
        line,
        render: row.render,
        asset: row.asset.as_deref().map(Into::into),
        bytes: row.bytes,
        sha256: row.sha256,
        url: checked.url.as_deref().map(Into::into),
    }
}
