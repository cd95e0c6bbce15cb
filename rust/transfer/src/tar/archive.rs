//! The tar format as far as shards need it: POSIX ustar headers, and pax records for long names
//! and large sizes (IEEE Std 1003.1, pax interchange format).

use std::io::{self, Read, Seek, SeekFrom, Write};

const BLOCK: usize = 512;

/// Longest name that a plain header holds, and the greatest size.
const PLAIN_NAME: usize = 100;
const PLAIN_SIZE: u64 = 0o777_7777_7777;

/// Longest extended header that is read.
const LONGEST_PAX: u64 = 64 << 10;

/// Writes a member's header; its bytes follow, and then [`padding`].
pub fn write_header(out: &mut impl Write, name: &str, size: u64) -> io::Result<()> {
    let mut records = Vec::new();
    if name.len() > PLAIN_NAME || !name.is_ascii() {
        record(&mut records, "path", name);
    }
    if size > PLAIN_SIZE {
        record(&mut records, "size", &size.to_string());
    }
    if !records.is_empty() {
        out.write_all(&block("pax", records.len() as u64, b'x'))?;
        out.write_all(&records)?;
        out.write_all(padding(records.len() as u64))?;
    }
    out.write_all(&block(name, size.min(PLAIN_SIZE), b'0'))
}

/// What follows a member of `size` bytes, so that the next one begins at a block.
pub fn padding(size: u64) -> &'static [u8] {
    let rest = (size % BLOCK as u64) as usize;
    &[0; BLOCK][..if rest == 0 { 0 } else { BLOCK - rest }]
}

/// Writes the end of an archive.
pub fn write_end(out: &mut impl Write) -> io::Result<()> {
    out.write_all(&[0; 2 * BLOCK])
}

/// `LENGTH KEY=VALUE\n`, where the length counts itself.
fn record(records: &mut Vec<u8>, key: &str, value: &str) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    records.extend_from_slice(format!("{length} {key}={value}\n").as_bytes());
}

fn block(name: &str, size: u64, kind: u8) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, text: &[u8]| block[at..at + text.len()].copy_from_slice(text);
    let plain: Vec<u8> = name
        .bytes()
        .map(|byte| if byte.is_ascii() { byte } else { b'_' })
        .collect();
    put(0, &plain[..plain.len().min(PLAIN_NAME)]);
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// Calls `found` with the name and size of each member of an archive of ours.
///
/// Anything else is an error: another program's archive, one that is cut or damaged.
pub fn read(input: &mut (impl Read + Seek), mut found: impl FnMut(&str, u64)) -> io::Result<()> {
    let bad = |why: &'static str| io::Error::new(io::ErrorKind::InvalidData, why);
    let length = input.seek(SeekFrom::End(0))?;
    let mut at = input.seek(SeekFrom::Start(0))?;
    let mut header = [0; BLOCK];
    let (mut path, mut large) = (None, None);
    loop {
        input
            .read_exact(&mut header)
            .map_err(|_| bad("it is cut"))?;
        at += BLOCK as u64;
        if header.iter().all(|byte| *byte == 0) {
            input
                .read_exact(&mut header)
                .map_err(|_| bad("it is cut"))?;
            let is_end = header.iter().all(|byte| *byte == 0) && at + BLOCK as u64 == length;
            return if is_end {
                Ok(())
            } else {
                Err(bad("there is something behind its end"))
            };
        }
        let kind = header[156];
        let plain = octal(&header[124..136]).ok_or_else(|| bad("a size in it is no number"))?;
        let end = header[..PLAIN_NAME]
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(PLAIN_NAME);
        let name =
            std::str::from_utf8(&header[..end]).map_err(|_| bad("a name in it is no text"))?;
        // Ours are made of name, size and kind alone.
        if block(name, plain, kind) != header {
            return Err(bad("it was damaged, or made by another program"));
        }
        let size = if kind == b'x' {
            plain
        } else {
            large.take().unwrap_or(plain)
        };
        let padded = size
            .checked_next_multiple_of(BLOCK as u64)
            .filter(|padded| *padded <= length - at)
            .ok_or_else(|| bad("it is cut"))?;
        match kind {
            b'x' if size <= LONGEST_PAX => {
                let mut records = vec![0; size as usize];
                input.read_exact(&mut records)?;
                let records = String::from_utf8(records);
                let records = records.map_err(|_| bad("a name in it is no text"))?;
                (path, large) = extended(&records).ok_or_else(|| bad("a name in it is damaged"))?;
            }
            b'0' => found(path.take().as_deref().unwrap_or(name), size),
            _ => return Err(bad("it holds something that is no file")),
        }
        at += padded;
        input.seek(SeekFrom::Start(at))?;
    }
}

type Extended = (Option<String>, Option<u64>);

fn extended(mut records: &str) -> Option<Extended> {
    let (mut path, mut size) = (None, None);
    while !records.is_empty() {
        let (length, _) = records.split_once(' ')?;
        let record = records.get(..length.parse().ok()?)?;
        records = records.get(record.len()..)?;
        let (key, value) = record
            .get(length.len() + 1..)?
            .strip_suffix('\n')?
            .split_once('=')?;
        match key {
            "path" => path = Some(value.to_owned()),
            "size" => size = Some(value.parse().ok()?),
            _ => return None,
        }
    }
    Some((path, size))
}

fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    u64::from_str_radix(text, 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn made(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, body) in members {
            let _ = write_header(&mut out, name, body.len() as u64);
            out.extend_from_slice(body);
            out.extend_from_slice(padding(body.len() as u64));
        }
        let _ = write_end(&mut out);
        out
    }

    fn names(archive: &[u8]) -> io::Result<Vec<(String, u64)>> {
        let mut found = vec![];
        let mut note = |name: &str, size| found.push((name.to_owned(), size));
        read(&mut Cursor::new(archive), &mut note)?;
        Ok(found)
    }

    #[test]
    fn what_is_written_is_read() {
        let long = format!("{}/é.png", "x".repeat(300));
        let members: [(&str, &[u8]); 4] = [
            ("a.png", b"abc"),
            (&long, &[7; 512]),
            ("empty", b""),
            ("b.png", &[1; 1_000]),
        ];
        let archive = made(&members);
        let expected: Vec<_> = members
            .iter()
            .map(|(name, body)| ((*name).to_owned(), body.len() as u64))
            .collect();
        assert_eq!(names(&archive).ok(), Some(expected));
        assert_eq!(archive, made(&members));
    }

    #[test]
    fn nothing_cut_or_damaged_is_taken_for_whole() {
        let archive = made(&[("a.png", b"abc"), (&"y".repeat(150), b"z")]);
        for end in 0..archive.len() {
            assert!(names(&archive[..end]).is_err(), "{end}");
        }
        let mut longer = archive.clone();
        longer.push(0);
        assert!(names(&longer).is_err());
        for at in 0..BLOCK {
            let mut damaged = archive.clone();
            damaged[at] ^= 1;
            assert!(names(&damaged).is_err(), "{at}");
        }
        assert!(names(b"no archive at all").is_err());
    }

    #[test]
    fn records_count_themselves() {
        for size in [
            1, 85, 86, 87, 88, 89, 90, 985, 986, 987, 988, 989, 990, 9_999,
        ] {
            let mut records = vec![];
            record(&mut records, "path", &"n".repeat(size));
            let text = String::from_utf8(records).unwrap_or_default();
            let length = text.split(' ').next().and_then(|text| text.parse().ok());
            assert_eq!(length, Some(text.len()));
            assert!(extended(&text).is_some());
        }
    }

    #[test]
    fn sizes_over_8_gib_are_kept() {
        let mut header = vec![];
        let _ = write_header(&mut header, "large", 9 << 30);
        assert_eq!(header.len(), 3 * BLOCK);
        assert_eq!(
            extended("19 size=9663676416\n"),
            Some((None, Some(9 << 30)))
        );
    }
}
