//! The chunked coding (RFC 9112 §7.1), as a machine over bytes that come in any pieces.

/// The longest line: a chunk's size with its extensions, or a trailer field.
const LONGEST_LINE: usize = 4 << 10;

/// The most bytes of all trailer fields.
const MOST_TRAILERS: usize = 64 << 10;

/// Where in the coding we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunked {
    /// Before the line of a chunk's size.
    Size,
    /// So many bytes before a chunk's end.
    Data(u64),
    /// Before the line end after a chunk.
    End,
    /// In the trailer, so many bytes of which are past.
    Trailer(usize),
    /// Past the whole body.
    Done,
}

/// What the first bytes are.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Too few to tell.
    Need,
    /// So many bytes of coding, to be passed over.
    Skip(usize),
    /// So many bytes of the body.
    Data(usize),
}

impl Chunked {
    /// Looks at the first of `bytes` and moves past what the answer says.
    pub fn step(&mut self, bytes: &[u8]) -> Result<Step, &'static str> {
        match *self {
            Self::Done => Ok(Step::Skip(0)),
            Self::Data(left) => {
                let most = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                if most == 0 {
                    return Ok(Step::Need);
                }
                *self = match left - most as u64 {
                    0 => Self::End,
                    left => Self::Data(left),
                };
                Ok(Step::Data(most))
            }
            Self::End => match bytes {
                [b'\r', b'\n', ..] => {
                    *self = Self::Size;
                    Ok(Step::Skip(2))
                }
                [] | [b'\r'] => Ok(Step::Need),
                _ => Err("a chunk is longer than it says"),
            },
            Self::Size => {
                let Some(line) = line(bytes)? else {
                    return Ok(Step::Need);
                };
                *self = match size(line)? {
                    0 => Self::Trailer(0),
                    size => Self::Data(size),
                };
                Ok(Step::Skip(line.len() + 2))
            }
            Self::Trailer(past) => {
                let Some(line) = line(bytes)? else {
                    return Ok(Step::Need);
                };
                let past = past + line.len() + 2;
                if past > MOST_TRAILERS {
                    return Err("the trailer is longer than 64 KiB");
                }
                *self = if line.is_empty() {
                    Self::Done
                } else {
                    Self::Trailer(past)
                };
                Ok(Step::Skip(line.len() + 2))
            }
        }
    }
}

/// The first line without its end, which must be the proper one.
fn line(bytes: &[u8]) -> Result<Option<&[u8]>, &'static str> {
    let within = &bytes[..bytes.len().min(LONGEST_LINE)];
    match within.iter().position(|byte| *byte == b'\n') {
        Some(end) if end > 0 && within[end - 1] == b'\r' => Ok(Some(&within[..end - 1])),
        Some(_) => Err("a line of the chunked coding has no proper end"),
        None if within.len() == LONGEST_LINE => Err("a line of the chunked coding is too long"),
        None => Ok(None),
    }
}

/// `1a2b ; extension` as a number.
pub fn size(line: &[u8]) -> Result<u64, &'static str> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
    let digits = digits.trim_ascii_end();
    let bad = "a chunk has a malformed size";
    if digits.is_empty() || digits.len() > 16 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(bad);
    }
    let text = std::str::from_utf8(digits).map_err(|_| bad)?;
    u64::from_str_radix(text, 16).map_err(|_| bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The body of `wire` when it comes in pieces of `step` bytes, and what follows it.
    fn decode(wire: &[u8], step: usize) -> Result<(Vec<u8>, Vec<u8>), &'static str> {
        let (mut chunked, mut body, mut held) = (Chunked::Size, Vec::new(), Vec::new());
        for piece in wire.chunks(step) {
            held.extend_from_slice(piece);
            while chunked != Chunked::Done {
                match chunked.step(&held)? {
                    Step::Need => break,
                    Step::Skip(amount) => drop(held.drain(..amount)),
                    Step::Data(amount) => body.extend(held.drain(..amount)),
                }
            }
        }
        if chunked == Chunked::Done {
            Ok((body, held))
        } else {
            Err("cut")
        }
    }

    #[test]
    fn every_way_to_cut_gives_the_same_body() {
        let wire = b"4\r\nabcd\r\n00A ;x=\"y\"\r\n0123456789\r\n0\r\nX: y\r\n\r\nnext";
        for step in 1..=wire.len() {
            let (body, rest) = decode(wire, step).unwrap_or_default();
            assert_eq!(body, b"abcd0123456789");
            assert_eq!(rest, b"next");
        }
        for end in 0..wire.len() - 4 {
            assert_eq!(decode(&wire[..end], 3), Err("cut"), "{end}");
        }
    }

    #[test]
    fn hostile_chunks_are_refused() {
        for wire in [
            &b"\r\n"[..],
            b"-1\r\n",
            b"+1\r\na",
            b"0x1\r\na",
            b" 1\r\na",
            b"g\r\n",
            b"1\na\r\n0\r\n\r\n",
            b"1\r\nab\r\n0\r\n\r\n",
            b"10000000000000000\r\n",
            b"0\r\nX: y\n\r\n",
            &[b'1'; 5_000],
        ] {
            let outcome = decode(wire, 7);
            assert!(outcome.is_err_and(|why| why != "cut"), "{wire:?}");
        }
        let trailers = [b"0\r\n".to_vec(), b"X: y\r\n".repeat(20_000)].concat();
        assert_eq!(
            decode(&trailers, 999),
            Err("the trailer is longer than 64 KiB")
        );
        assert_eq!(size(b"ffffffffffffffff"), Ok(u64::MAX));
    }
}
