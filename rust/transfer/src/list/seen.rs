//! Which lines of a list came before: surely, and in memory that does not grow. A Bloom filter passes
//! nearly all new names; the few lines that it is not sure of are looked up, many in one reading, among
//! the hashes of all lines, which are in a file as soon as there are many.

use std::collections::HashMap;
use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::disk;
use crate::error::{Error, Result};

/// Blocks of 64 bytes: 16 MiB in all, 13 bits for each of 10 million lines.
const BLOCKS: usize = 1 << 18;

/// Bits set for a name, all in one block: one cache line is touched.
const BITS: u32 = 6;

/// A line's name and the whole of it, as hashes of 64 bits under a key of this run: of 10 million lines
/// two are taken for one in one run of 400,000.
const RECORD: usize = 16;

/// Bits that tell names which are looked up from most others.
const MARKS: usize = 1 << 20;

/// So many bytes of records stay in memory.
const KEPT: usize = 1 << 20;

/// A line that was noted.
#[derive(Debug, Clone, Copy)]
pub struct Noted {
    at: u64,
    name: u64,
    line: u64,
}

/// What earlier lines say of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// None of them has its name.
    New,
    /// The first with its name is the same.
    Repeated,
    /// The first with its name is another.
    Clash,
}

/// The lines of one list so far.
pub struct Seen {
    keys: RandomState,
    blocks: Vec<[u64; 8]>,
    /// Where the file may be.
    path: PathBuf,
    file: Option<File>,
    /// Records that are not in the file.
    last: Vec<u8>,
    count: u64,
}

impl Seen {
    /// Nothing was seen yet. Of a long list there will be a file in `work`, without a name where the
    /// system can do that.
    pub fn new(work: &Path) -> Self {
        Self {
            keys: RandomState::new(),
            blocks: vec![[0; 8]; BLOCKS],
            path: work.join("lines.part"),
            file: None,
            last: Vec::new(),
            count: 0,
        }
    }

    /// Notes a line; true if no line before it surely had its name.
    pub fn note(&mut self, name: &str, url: &str) -> Result<(bool, Noted)> {
        let mut hasher = self.keys.build_hasher();
        hasher.write(name.as_bytes());
        let of_name = hasher.finish();
        hasher.write_u8(0xff);
        hasher.write(url.as_bytes());
        let noted = Noted {
            at: self.count,
            name: of_name,
            line: hasher.finish(),
        };
        self.count += 1;
        self.last.extend_from_slice(&noted.name.to_le_bytes());
        self.last.extend_from_slice(&noted.line.to_le_bytes());
        if self.last.len() >= KEPT {
            self.hand_over().map_err(|error| self.failed(&error))?;
        }
        // The high bits choose the block.
        let block = &mut self.blocks[(of_name >> 46) as usize % BLOCKS];
        Ok((!set(block, of_name), noted))
    }

    /// What came before each of `lines`, in their order. Reads all that was noted, once.
    pub fn look(&mut self, lines: &[Noted]) -> Result<Vec<Before>> {
        let mut firsts: HashMap<u64, Option<(u64, u64)>> =
            lines.iter().map(|line| (line.name, None)).collect();
        // Nearly all records are of other names: a bit tells that sooner than the map.
        let mut marks = vec![0_u64; MARKS / 64];
        let mark = |name: u64| ((name as usize % MARKS) / 64, 1_u64 << (name % 64));
        for (at, bit) in lines.iter().map(|line| mark(line.name)) {
            marks[at] |= bit;
        }
        let found = self.each(|at, name, line| {
            let (place, bit) = mark(name);
            if marks[place] & bit == 0 {
                return;
            }
            if let Some(first @ None) = firsts.get_mut(&name) {
                *first = Some((at, line));
            }
        });
        found.map_err(|error| self.failed(&error))?;
        let before = |line: &Noted| match firsts.get(&line.name) {
            Some(Some((at, first))) if *at < line.at => match *first == line.line {
                true => Before::Repeated,
                false => Before::Clash,
            },
            _ => Before::New,
        };
        Ok(lines.iter().map(before).collect())
    }

    /// Hands over each record with its number.
    fn each(&mut self, mut take: impl FnMut(u64, u64, u64)) -> io::Result<()> {
        let mut at = 0;
        let mut take_all = |records: &[u8]| {
            for record in records.chunks_exact(RECORD) {
                let (name, line) = record.split_at(8);
                take(at, number(name), number(line));
                at += 1;
            }
        };
        if let Some(file) = &mut self.file {
            disk::again(|| file.seek(SeekFrom::Start(0)))?;
            let mut block = vec![0; KEPT];
            loop {
                let mut filled = 0;
                while filled < block.len() {
                    match disk::again(|| file.read(&mut block[filled..]))? {
                        0 => break,
                        read => filled += read,
                    }
                }
                take_all(&block[..filled]);
                if filled < block.len() {
                    break;
                }
            }
        }
        take_all(&self.last);
        Ok(())
    }

    /// Appends the last records to the file.
    fn hand_over(&mut self) -> io::Result<()> {
        if self.file.is_none() {
            let mut options = File::options();
            options.read(true).write(true).create(true).truncate(true);
            self.file = Some(disk::again(|| options.open(&self.path))?);
            // Where that fails it is swept up with the parts.
            let _ = fs::remove_file(&self.path);
        }
        if let Some(file) = &mut self.file {
            disk::again(|| file.seek(SeekFrom::End(0)))?;
            disk::write_all(file, &self.last)?;
        }
        self.last.clear();
        Ok(())
    }

    fn failed(&self, error: &io::Error) -> Error {
        Error::io("note the lines of the list in", &self.path, error)
    }
}

/// The number that 8 bytes are.
fn number(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_le_bytes)
}

/// Sets the bits that a hash stands for; true if all were set.
fn set(block: &mut [u64; 8], hash: u64) -> bool {
    let mut bits = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (hash << 32);
    let mut is_known = true;
    for _ in 0..BITS {
        let at = (bits & 511) as usize;
        bits = bits.rotate_right(9).wrapping_mul(0xff51_afd7_ed55_8ccd);
        let mask = 1 << (at & 63);
        is_known &= block[at >> 6] & mask != 0;
        block[at >> 6] |= mask;
    }
    is_known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_told_from_those_before_it() {
        let work = std::env::temp_dir().join(format!("seen-{}", std::process::id()));
        assert!(fs::create_dir_all(&work).is_ok());
        let mut seen = Seen::new(&work);
        let mut note = |name: &str, url| seen.note(name, url);
        // More than stay in memory, some twice and some with another's name.
        let (lines, mut waiting, mut expected) = (150_000, Vec::new(), Vec::new());
        let mut unsure = 0;
        for at in 0..lines {
            let noted = note(&format!("{at}.png"), "a");
            assert!(noted.is_ok());
            let Ok((is_new, noted)) = noted else { return };
            unsure += u32::from(!is_new);
            waiting.push(noted);
            expected.push(Before::New);
            let (again, before) = match at % 3 {
                0 => ("a", Before::Repeated),
                1 => ("b", Before::Clash),
                _ => continue,
            };
            let noted = note(&format!("{}.png", at / 2), again);
            assert!(noted.as_ref().is_ok_and(|(is_new, _)| !is_new));
            let Ok((_, noted)) = noted else { return };
            waiting.push(noted);
            expected.push(before);
        }
        assert!(unsure < 5, "{unsure}");
        assert!(seen.file.is_some());
        let found = seen.look(&waiting);
        assert_eq!(found, Ok(expected));
        let third = [seen.note("0.png", "b"), seen.note("new.png", "a")];
        let third: Vec<Noted> = third
            .into_iter()
            .flatten()
            .map(|(_, noted)| noted)
            .collect();
        let found = seen.look(&third);
        assert_eq!(found, Ok(vec![Before::Clash, Before::New]));
        assert!(fs::remove_dir(&work).is_ok(), "nothing is left");
    }

    #[test]
    fn a_folder_that_went_away_is_told() {
        let mut seen = Seen::new(Path::new("/nowhere/at/all"));
        let noted = (0..=KEPT / RECORD).try_for_each(|at| seen.note(&at.to_string(), "").map(drop));
        assert!(noted.is_err_and(|error| error.is_fatal()));
    }
}
