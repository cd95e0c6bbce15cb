//! Sets of render ids as sorted, merged, inclusive ranges: a million ids in a row cost one entry.

/// A set of `u64` kept as ranges.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Ids(Vec<(u64, u64)>);

impl Ids {
    /// The set of all ids in `ranges` (inclusive, any order, overlaps allowed).
    pub fn new(ranges: &[(u64, u64)]) -> Self {
        let mut sorted: Vec<(u64, u64)> = ranges.iter().copied().filter(|(a, b)| a <= b).collect();
        sorted.sort_unstable();
        let mut merged: Vec<(u64, u64)> = Vec::with_capacity(sorted.len());
        for (start, end) in sorted {
            match merged.last_mut() {
                Some(last) if start <= last.1.saturating_add(1) => last.1 = last.1.max(end),
                _ => merged.push((start, end)),
            }
        }
        Self(merged)
    }

    /// True if `id` is in the set.
    pub fn contains(&self, id: u64) -> bool {
        let next = self.0.partition_point(|range| range.1 < id);
        self.0.get(next).is_some_and(|range| range.0 <= id)
    }

    /// Adds one id; ids mostly come in order, so the usual case touches the last range only.
    pub fn insert(&mut self, id: u64) {
        let at = self.0.partition_point(|range| range.1 < id);
        if self.0.get(at).is_some_and(|range| range.0 <= id) {
            return;
        }
        let joins_before = at > 0 && self.0[at - 1].1.checked_add(1) == Some(id);
        let joins_after = self.0.get(at).is_some_and(|range| range.0 == id + 1);
        match (joins_before, joins_after) {
            (true, true) => {
                self.0[at - 1].1 = self.0[at].1;
                self.0.remove(at);
            }
            (true, false) => self.0[at - 1].1 = id,
            (false, true) => self.0[at].0 = id,
            (false, false) => self.0.insert(at, (id, id)),
        }
    }

    /// How many ids of this set `other` lacks, and the first `limit` of them.
    pub fn missing_from(&self, other: &Self, limit: usize) -> (u64, Vec<u64>) {
        let mut count = 0_u64;
        let mut first = Vec::new();
        for &(start, end) in &self.0 {
            // None after the last of all numbers.
            let mut at = Some(start);
            let known = other
                .0
                .iter()
                .skip(other.0.partition_point(|range| range.1 < start));
            for &(from, to) in known.take_while(|range| range.0 <= end) {
                if let Some(at) = at.filter(|at| *at < from) {
                    note(&mut count, &mut first, limit, at, from - 1);
                }
                at = to.checked_add(1);
            }
            if let Some(at) = at.filter(|at| *at <= end) {
                note(&mut count, &mut first, limit, at, end);
            }
        }
        (count, first)
    }
}

fn note(count: &mut u64, first: &mut Vec<u64>, limit: usize, start: u64, end: u64) {
    *count = count.saturating_add((end - start).saturating_add(1));
    let room = limit.saturating_sub(first.len());
    first.extend((start..=end).take(room));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_merged() {
        assert_eq!(
            Ids::new(&[(5, 9), (0, 1), (2, 3), (8, 12)]).0,
            vec![(0, 3), (5, 12)]
        );
    }

    #[test]
    fn inserting_joins_neighbours() {
        let mut ids = Ids::default();
        for id in [5, 3, 4, 4, 9, 7, 8, 0] {
            ids.insert(id);
        }
        assert_eq!(ids.0, vec![(0, 0), (3, 5), (7, 9)]);
        assert!(ids.contains(4) && !ids.contains(6));
    }

    #[test]
    fn missing_ids_are_counted_not_enumerated() {
        let asked = Ids::new(&[(0, 3), (10, u64::MAX)]);
        let mut seen = Ids::default();
        (0..=2).for_each(|id| seen.insert(id));
        seen.insert(11);
        let (count, first) = asked.missing_from(&seen, 4);
        assert_eq!(first, vec![3, 10, 12, 13]);
        assert_eq!(count, u64::MAX - 9);
    }
}
