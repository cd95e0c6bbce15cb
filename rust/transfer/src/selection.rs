//! Which files of a list are wanted: by render id, and by the part of the whole that is ours.

use crate::entry::Entry;
use crate::ids::Ids;

/// What is asked for, of all that the list has.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Render ids; job-wide files are wanted with any.
    pub asked: Option<Ids>,
    /// Part `.0` of `.1`.
    pub shard: Option<(u64, u64)>,
}

impl Selection {
    /// True if `entry` is wanted.
    pub fn has(&self, entry: &Entry) -> bool {
        let is_asked = match (entry.render, &self.asked) {
            (Some(id), Some(asked)) => asked.contains(id),
            _ => true,
        };
        is_asked
            && self
                .shard
                .is_none_or(|(part, parts)| shard_of(entry, parts) == part)
    }
}

/// The part of `parts` that a file belongs to, the same on every machine and in every run.
///
/// Files of a render stay together: `render id mod parts`. A file without a render id goes by the
/// 64-bit FNV-1a hash of its name, modulo `parts`.
pub fn shard_of(entry: &Entry, parts: u64) -> u64 {
    let number = entry.render.unwrap_or_else(|| {
        entry
            .name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
            })
    });
    number % parts.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, render: Option<u64>) -> Entry {
        Entry {
            name: name.into(),
            previous: None,
            line: 0,
            asset: None,
            render,
            bytes: None,
            sha256: None,
            url: None,
        }
    }

    #[test]
    fn shards_are_disjoint_and_complete() {
        for parts in 1..8 {
            for at in 0..500 {
                let render = (at % 2 == 0).then_some(at / 7);
                let entry = entry(&format!("{at}.rgb.png"), render);
                let owners = (0..parts).filter(|part| {
                    let shard = Some((*part, parts));
                    Selection { asked: None, shard }.has(&entry)
                });
                assert_eq!(owners.count(), 1);
            }
        }
        // Files of one render go together, and names spread.
        assert_eq!(
            shard_of(&entry("a", Some(9)), 4),
            shard_of(&entry("b", Some(9)), 4)
        );
        let first = (0..1_000).filter(|at| shard_of(&entry(&format!("{at}.png"), None), 4) == 0);
        assert!((200..300).contains(&first.count()));
        // Never to change: two machines of two versions share one job.
        assert_eq!(shard_of(&entry("a", None), u64::MAX), 0xaf63_dc4c_8601_ec8c);
    }
}
