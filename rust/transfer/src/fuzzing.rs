//! What must hold for any bytes: one function for each reader of what strangers sent or left on disk.
//!
//! `rust/fuzz` has a target for each of them; what it finds goes to `rust/fuzz/findings/TARGET/`, and a test
//! here puts every finding before its function for ever.

mod lists;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::control;
use crate::hash::{compress_with, Hash, Kernel};
use crate::http::chunked::{Chunked, Step};
use crate::http::head::{Framing, Head};
use crate::ids::Ids;
use crate::journal::Journal;
use crate::lines::Lines;
use crate::manifest::{hex, sha256};
use crate::names;
use crate::ranges::{self, Ranges};

pub use lists::{link_expiry, list, manifest, shard};

/// A reader of any bytes; it panics if a promise does not hold.
pub type Reader = fn(&[u8]);

/// Every reader by its target's name.
pub const READERS: &[(&str, Reader)] = &[
    ("chunked", chunked),
    ("content_range", content_range),
    ("digest", digest),
    ("hash", hash),
    ("ids", ids),
    ("journal", journal),
    ("lines", lines),
    ("link_expiry", link_expiry),
    ("list", list),
    ("manifest", manifest),
    ("names", names),
    ("range_sets", range_sets),
    ("response_head", response_head),
    ("retry_after", retry_after),
    ("shard", shard),
];

/// Whatever the pieces and the lanes, a file has one sha256. The first byte is how many files, which all but
/// a few bytes of the rest are in common to; the second is how they are cut; the third is the kernel.
pub fn hash(data: &[u8]) {
    let [many, cut, kernel, bytes @ ..] = data else {
        return;
    };
    let kernel = Kernel::ALL[usize::from(*kernel) % Kernel::ALL.len()];
    let files = (0..usize::from(*many) % 20).map(|n| &bytes[n.min(bytes.len())..]);
    let files: Vec<&[u8]> = files.collect();
    let mut hashes = vec![Hash::new(); files.len()];
    for is_second in [false, true] {
        let pieces = hashes.iter_mut().zip(&files).enumerate();
        let pieces = pieces.map(|(n, (hash, file))| {
            let (first, second) = file.split_at((usize::from(*cut) * (n + 1)).min(file.len()));
            hash.lane(if is_second { second } else { first })
        });
        compress_with(&mut pieces.collect::<Vec<_>>(), |_| kernel);
    }
    for (hash, file) in hashes.into_iter().zip(files) {
        assert_eq!(hash.finish()[..], Sha256::digest(file)[..]);
    }
}

/// The head of an answer is whole at one length alone, and a connection is kept only where the body's end is clear.
pub fn response_head(data: &[u8]) {
    let Some((&how, bytes)) = data.split_first() else {
        return;
    };
    let mut head = Head::default();
    let of_head = how & 1 == 1;
    let Ok(Some(length)) = head.parse(bytes, of_head) else {
        return;
    };
    assert!(length <= bytes.len());
    assert!(!head.keeps || head.framing != Framing::Close);
    let (framing, keeps) = (head.framing, head.keeps);
    // As it comes, a piece at a time, into a head that was used before.
    for cut in [0, 1, length / 2, length.saturating_sub(1)] {
        if cut < length {
            assert_eq!(head.parse(&bytes[..cut], of_head), Ok(None));
        }
    }
    assert_eq!(head.parse(&bytes[..length], of_head), Ok(Some(length)));
    assert_eq!((head.framing, head.keeps), (framing, keeps));
    assert!(head.iter().all(|(name, _)| !name.is_empty()));
}

/// A chunked body is the same however it was cut, and ends at the same byte.
pub fn chunked(data: &[u8]) {
    let whole = unchunk(data, data.len().max(1));
    for step in [1, 2, 7] {
        assert_eq!(unchunk(data, step), whole);
    }
    if let Some((body, rest)) = whole {
        assert!(body.len() + rest.len() < data.len());
    }
}

/// The body of `wire` in pieces of `step` bytes and what follows it; None if it is refused or cut.
fn unchunk(wire: &[u8], step: usize) -> Option<(Vec<u8>, Vec<u8>)> {
    let (mut state, mut body, mut held) = (Chunked::Size, Vec::new(), Vec::new());
    for piece in wire.chunks(step) {
        held.extend_from_slice(piece);
        while state != Chunked::Done {
            match state.step(&held).ok()? {
                Step::Need => break,
                Step::Skip(amount) => drop(held.drain(..amount)),
                Step::Data(amount) => body.extend(held.drain(..amount)),
            }
        }
    }
    (state == Chunked::Done).then_some((body, held))
}

/// A `Content-Range` is refused or names bytes inside its total, and only so as it was written.
pub fn content_range(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Some((range, total)) = ranges::content_range(text) {
        assert!(range.start < range.end && range.end <= total);
        let written = format!("bytes {}-{}/{total}", range.start, range.end - 1);
        assert_eq!(ranges::content_range(&written), Some((range, total)));
    }
}

/// A `Retry-After` is refused or a pause that ends.
pub fn retry_after(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    for seconds in [0, 1_800_000_000, u32::MAX.into()] {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        if let Some(pause) = control::retry_after(text, now) {
            // It must be possible to wait for it.
            assert!(std::time::Instant::now().checked_add(pause).is_some());
        }
    }
}

/// Sets of ranges hold exactly the bytes that were added, sorted and joined.
pub fn range_sets(data: &[u8]) {
    let (mut set, mut model) = (Ranges::default(), BTreeSet::new());
    for step in data.chunks_exact(2) {
        let (at, count) = (u64::from(step[0]), u64::from(step[1] & 0x3f));
        if step[1] & 0xc0 == 0xc0 {
            let taken = set.take(count);
            let first = model.first().copied();
            assert_eq!(taken.as_ref().map(|range| range.start), first);
            for byte in taken.into_iter().flatten() {
                assert!(model.remove(&byte));
            }
        } else {
            set.add(at..at + count);
            model.extend(at..at + count);
        }
        let held: Vec<u64> = set.iter().cloned().flatten().collect();
        assert!(held.iter().eq(model.iter()));
        assert_eq!(set.len(), model.len() as u64);
        let gaps: u64 = set.gaps(400).len();
        assert_eq!(gaps + set.len(), 400);
        assert!(set
            .iter()
            .zip(set.iter().skip(1))
            .all(|(a, b)| a.end < b.start));
    }
}

/// Lines are the same however the body was cut into pieces; no line is longer than allowed, no bomb unpacks.
pub fn lines(data: &[u8]) {
    let Some((&how, body)) = data.split_first() else {
        return;
    };
    let splitter = || {
        if how & 1 == 0 {
            Some(Lines::plain())
        } else {
            Lines::zstd().ok()
        }
    };
    let whole = splitter().map(|lines| split(lines, body, body.len().max(1)));
    let pieces = splitter().map(|lines| split(lines, body, usize::from(how >> 1) + 1));
    if let (Some((whole, true)), Some((pieces, true))) = (&whole, &pieces) {
        assert_eq!(whole, pieces);
    }
    for (found, _) in [whole, pieces].into_iter().flatten() {
        assert!(found.iter().all(|line| line.len() <= 128 << 10));
    }
}

/// The lines of a body given in pieces of `step` bytes; false if it was refused on the way.
fn split(mut lines: Lines, body: &[u8], step: usize) -> (Vec<Vec<u8>>, bool) {
    let (mut found, mut total) = (Vec::new(), 0);
    for piece in body.chunks(step) {
        lines.feed(Bytes::copy_from_slice(piece));
        loop {
            match lines.has_line() {
                Ok(true) => {
                    let line = lines.line().to_vec();
                    total += line.len();
                    // Unpacking goes on line by line; nobody asks for all of a bomb.
                    if total > 4 << 20 {
                        return (found, false);
                    }
                    found.push(line);
                }
                Ok(false) => break,
                Err(_) => return (found, false),
            }
        }
    }
    (found, true)
}

/// A name that passes is one plain component of a path everywhere; one that is shown moves no cursor.
pub fn names(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if names::fault(&text).is_none() {
        let path = PathBuf::from(&*text);
        assert_eq!(path.components().count(), 1);
        assert_eq!(
            path.file_name().and_then(|name| name.to_str()),
            Some(&*text)
        );
        assert!(!text.contains(['/', '\\', '\0', ':']));
    }
    assert!(!names::shown(&text).chars().any(char::is_control));
}

/// Sets of render ids know what was put in, whatever the order, and count what another lacks.
pub fn ids(data: &[u8]) {
    let number = |bytes: &[u8]| {
        // Near both ends of what a number can be.
        let small = u64::from(bytes[1]);
        if bytes[0] & 1 == 0 {
            small
        } else {
            u64::MAX - small
        }
    };
    let pairs: Vec<(u64, u64)> = data
        .chunks_exact(4)
        .map(|step| (number(step), number(&step[2..])))
        .collect();
    let (asked, mut found) = (Ids::new(&pairs), Ids::default());
    for &(start, end) in &pairs {
        assert!(start > end || (asked.contains(start) && asked.contains(end)));
        found.insert(start);
        assert!(found.contains(start));
    }
    let (count, first) = asked.missing_from(&found, 64);
    assert!(count >= first.len() as u64);
    assert!(first
        .iter()
        .all(|id| asked.contains(*id) && !found.contains(*id)));
    assert_eq!(found.missing_from(&found, 1), (0, Vec::new()));
}

/// Any journal is read; what it says of a part stays inside that part.
///
/// A line that begins with `+` is given its right check, or no line of the fuzzer's would ever be read.
pub fn journal(data: &[u8]) {
    let work = PathBuf::from("/dev/shm").join(format!("synthesis-fuzz-{}", std::process::id()));
    let work = if work.parent().is_some_and(std::path::Path::is_dir) {
        work
    } else {
        std::env::temp_dir().join(format!("synthesis-fuzz-{}", std::process::id()))
    };
    let text: Vec<u8> = data
        .split_inclusive(|byte| *byte == b'\n')
        .flat_map(|line| match line.split_first() {
            Some((b'+', rest)) => {
                let json = rest.strip_suffix(b"\n").unwrap_or(rest);
                [hex(&Sha256::digest(json)[..4]).as_bytes(), b" ", rest].concat()
            }
            _ => line.to_vec(),
        })
        .collect();
    let parts = ["a", "b"];
    let is_made = std::fs::create_dir_all(&work).is_ok()
        && std::fs::write(work.join("journal"), text).is_ok()
        && parts
            .iter()
            .all(|part| std::fs::write(work.join(format!("{part}.part")), b"").is_ok());
    if !is_made {
        return;
    }
    if let Ok(journal) = Journal::open(&work, "all") {
        for part in parts {
            if let Some(partial) = journal.partial(part) {
                assert!(partial.done.iter().all(|range| range.end <= partial.bytes));
                assert!(partial.done.len() <= partial.bytes);
            }
        }
        // What it wrote anew says the same.
        let before = parts.map(|part| journal.partial(part));
        drop(journal);
        if let Ok(again) = Journal::open(&work, "all") {
            assert_eq!(before, parts.map(|part| again.partial(part)));
        }
    }
}

/// A digest is refused or written back as it was, but for its case.
pub fn digest(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(found) = sha256(&text) {
        assert!(hex(&found).eq_ignore_ascii_case(&text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_stay_found() {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/findings");
        for (name, reader) in READERS {
            for entry in std::fs::read_dir(root.join(name))
                .into_iter()
                .flatten()
                .flatten()
            {
                reader(&std::fs::read(entry.path()).unwrap());
            }
            // And what no corpus begins with.
            for data in [
                &b""[..],
                b"\0",
                b"\xff\xff\xff\xff",
                b"bytes 0-18446744073709551615/1",
            ] {
                reader(data);
            }
        }
    }
}
