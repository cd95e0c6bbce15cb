//! The head of an answer, and what it says of the body's end (RFC 9112).
//!
//! `httparse` splits it; what is ambiguous is refused rather than guessed, because a wrong guess
//! would take the next answer of the connection for a body.

use std::mem::MaybeUninit;
use std::ops::Range;

/// The most bytes of a head, its interim answers apart.
pub const LARGEST: usize = 64 << 10;

/// The most fields of a head.
const MOST_FIELDS: usize = 128;

/// How a body ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Framing {
    /// After so many bytes.
    Length(u64),
    /// With its last chunk.
    Chunked,
    /// With the connection.
    #[default]
    Close,
}

/// A parsed head. It keeps its room from answer to answer.
#[derive(Debug, Default)]
pub struct Head {
    /// The HTTP status.
    pub status: u16,
    /// How the body ends.
    pub framing: Framing,
    /// True if the connection may be used again after the body.
    pub keeps: bool,
    raw: Vec<u8>,
    fields: Vec<(Range<usize>, Range<usize>)>,
}

impl Head {
    /// Parses the head at the beginning of `bytes`, the answer to a HEAD request or not.
    ///
    /// Returns its length, or `None` if it is not whole yet. Interim answers (1xx) are heads too.
    pub fn parse(&mut self, bytes: &[u8], of_head: bool) -> Result<Option<usize>, &'static str> {
        let mut fields = [const { MaybeUninit::uninit() }; MOST_FIELDS];
        let mut answer = httparse::Response::new(&mut []);
        let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(
            &mut answer,
            bytes,
            &mut fields,
        );
        let length = match parsed {
            Ok(httparse::Status::Complete(length)) if length <= LARGEST => length,
            Ok(httparse::Status::Partial) if bytes.len() < LARGEST => return Ok(None),
            Ok(_) => return Err("the head of the answer is longer than 64 KiB"),
            Err(httparse::Error::TooManyHeaders) => {
                return Err("the head of the answer has more than 128 fields")
            }
            Err(_) => return Err("the answer is no HTTP"),
        };
        self.status = answer.code.unwrap_or_default();
        self.raw.clear();
        self.raw.extend_from_slice(&bytes[..length]);
        self.fields.clear();
        let base = bytes.as_ptr() as usize;
        for field in answer.headers.iter() {
            let name = field.name.as_ptr() as usize - base;
            let value = field.value.as_ptr() as usize - base;
            self.fields.push((
                name..name + field.name.len(),
                value..value + field.value.len(),
            ));
        }
        self.frame(answer.version == Some(1), of_head)?;
        Ok(Some(length))
    }

    /// RFC 9112 §6.3, and §9.3 for the connection.
    fn frame(&mut self, is_1_1: bool, of_head: bool) -> Result<(), &'static str> {
        let length = self.content_length()?;
        let coding = self.transfer_coding(is_1_1)?;
        let has_body = !of_head && !matches!(self.status, 100..=199 | 204 | 304);
        self.framing = match (coding, length) {
            _ if !has_body => Framing::Length(0),
            (true, _) => Framing::Chunked,
            (false, Some(length)) => Framing::Length(length),
            (false, None) => Framing::Close,
        };
        let (mut keeps, mut closes) = (false, false);
        for token in tokens(self.all("connection")) {
            keeps |= token.eq_ignore_ascii_case(b"keep-alive");
            closes |= token.eq_ignore_ascii_case(b"close");
        }
        // A length beside chunks may be an attempt to smuggle: nothing after it is believed.
        let is_odd = coding && length.is_some();
        let ends = self.framing == Framing::Close;
        self.keeps = (is_1_1 || keeps) && !closes && !is_odd && !ends;
        Ok(())
    }

    fn content_length(&self) -> Result<Option<u64>, &'static str> {
        let mut length = None;
        for token in tokens(self.all("content-length")) {
            let digits = std::str::from_utf8(token).unwrap_or_default();
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let Some(number) = digits.parse().ok().filter(|_| is_number) else {
                return Err("the answer has a malformed Content-Length");
            };
            if length.replace(number).is_some_and(|other| other != number) {
                return Err("the answer has two different lengths");
            }
        }
        match length {
            None if self.all("content-length").next().is_some() => {
                Err("the answer has a malformed Content-Length")
            }
            length => Ok(length),
        }
    }

    /// True for `chunked`; every other coding was not asked for.
    fn transfer_coding(&self, is_1_1: bool) -> Result<bool, &'static str> {
        if self.all("transfer-encoding").next().is_none() {
            return Ok(false);
        }
        let mut codings = tokens(self.all("transfer-encoding"));
        let first = codings.next().unwrap_or_default();
        if !is_1_1 || codings.next().is_some() || !first.eq_ignore_ascii_case(b"chunked") {
            return Err("the answer has a transfer coding that was not asked for");
        }
        Ok(true)
    }

    /// The values of a field, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }

    /// The first value of a field, if it is text.
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()))?;
        std::str::from_utf8(value).ok()
    }

    /// Names and values in the order received.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let piece = |range: &Range<usize>| self.raw.get(range.clone()).unwrap_or_default();
        self.fields
            .iter()
            .map(move |(name, value)| (piece(name), piece(value)))
    }
}

/// The words of comma-separated lists; empty ones are none.
fn tokens<'a>(values: impl Iterator<Item = &'a [u8]>) -> impl Iterator<Item = &'a [u8]> {
    values
        .flat_map(|value| value.split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Head, &'static str> {
        let mut head = Head::default();
        match head.parse(text.as_bytes(), false)? {
            Some(length) => {
                assert_eq!(length, text.len());
                Ok(head)
            }
            None => Err("not whole"),
        }
    }

    fn frame(fields: &str) -> Result<(Framing, bool), &'static str> {
        let head = parse(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n"))?;
        Ok((head.framing, head.keeps))
    }

    #[test]
    fn every_cut_of_a_head_is_not_whole_yet() {
        let text = "HTTP/1.1 206 Partial Content\r\nContent-Length: 7\r\nETag: \"x\"\r\n\r\n";
        let mut head = Head::default();
        for cut in 0..text.len() {
            assert_eq!(
                head.parse(&text.as_bytes()[..cut], false),
                Ok(None),
                "{cut}"
            );
        }
        let whole = [text.as_bytes(), b"rest"].concat();
        assert_eq!(head.parse(&whole, false), Ok(Some(text.len())));
        assert_eq!((head.status, head.get("etag")), (206, Some("\"x\"")));
        assert_eq!(head.framing, Framing::Length(7));
    }

    #[test]
    fn bodies_end_as_the_standard_says() {
        let cases = [
            ("", (Framing::Close, false)),
            ("Content-Length: 5\r\n", (Framing::Length(5), true)),
            (
                "Content-Length: 5\r\nConnection: close\r\n",
                (Framing::Length(5), false),
            ),
            (
                "Content-Length: 5, 5\r\nContent-Length: 5\r\n",
                (Framing::Length(5), true),
            ),
            ("Transfer-Encoding: Chunked\r\n", (Framing::Chunked, true)),
            (
                "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
                (Framing::Chunked, false),
            ),
        ];
        for (fields, expected) in cases {
            assert_eq!(frame(fields), Ok(expected), "{fields}");
        }
        for status in ["100 Continue", "204 No Content", "304 Not Modified"] {
            let head = parse(&format!("HTTP/1.1 {status}\r\nContent-Length: 9\r\n\r\n"));
            assert_eq!(
                head.map(|head| head.framing),
                Ok(Framing::Length(0)),
                "{status}"
            );
        }
        let old = parse("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n");
        assert_eq!(old.map(|head| head.keeps), Ok(false));
    }

    #[test]
    fn hostile_heads_are_refused() {
        for fields in [
            "Content-Length: 5\r\nContent-Length: 6\r\n",
            "Content-Length: 5, 6\r\n",
            "Content-Length: +5\r\n",
            "Content-Length: -1\r\n",
            "Content-Length: 0x5\r\n",
            "Content-Length:\r\n",
            "Content-Length: 18446744073709551616\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked, chunked\r\n",
            "Transfer-Encoding: identity\r\n",
            "Transfer-Encoding:\r\n",
            "Content-Length : 5\r\n",
            "no colon\r\n",
        ] {
            assert!(frame(fields).is_err(), "{fields}");
        }
        assert!(frame(&"X: y\r\n".repeat(MOST_FIELDS + 1)).is_err());
        assert!(frame(&"X: y\r\n".repeat(MOST_FIELDS)).is_ok());
        assert!(parse("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
        for text in [
            "SSH-2.0-OpenSSH\r\n",
            "HTTP/2 200\r\n\r\n",
            "<html>\r\n\r\n",
        ] {
            assert!(parse(text).is_err_and(|why| why != "not whole"), "{text}");
        }
        let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "y".repeat(LARGEST));
        assert!(Head::default().parse(endless.as_bytes(), false).is_err());
    }
}
