//! Sets of byte ranges of one file, half open, sorted and merged; and `Content-Range`.

use std::ops::Range;

/// Byte ranges `[start, end)` that do not touch each other.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Ranges(Vec<Range<u64>>);

impl Ranges {
    /// Adds the bytes of `range`, joining what it touches.
    pub fn add(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let from = self.0.partition_point(|old| old.end < range.start);
        let to = self.0.partition_point(|old| old.start <= range.end);
        let mut joined = range;
        if from < to {
            joined.start = joined.start.min(self.0[from].start);
            joined.end = joined.end.max(self.0[to - 1].end);
        }
        self.0.splice(from..to, [joined]);
    }

    /// Takes up to `most` bytes from the first range.
    pub fn take(&mut self, most: u64) -> Option<Range<u64>> {
        let start = self.0.first()?.start;
        self.take_from(start, most)
    }

    /// Takes up to `most` bytes from the range that begins at `start`, if one does.
    pub fn take_from(&mut self, start: u64, most: u64) -> Option<Range<u64>> {
        let at = self.0.partition_point(|range| range.start < start);
        let range = self.0.get_mut(at).filter(|range| range.start == start)?;
        let taken = start..range.end.min(start.saturating_add(most));
        range.start = taken.end;
        if range.is_empty() {
            self.0.remove(at);
        }
        Some(taken)
    }

    /// What `[0, size)` holds beside these ranges.
    pub fn gaps(&self, size: u64) -> Self {
        let mut gaps = Self::default();
        let mut at = 0;
        for range in &self.0 {
            gaps.add(at..range.start.min(size));
            at = range.end.max(at);
        }
        gaps.add(at..size);
        gaps
    }

    /// How many bytes the ranges hold.
    pub fn len(&self) -> u64 {
        self.0.iter().map(|range| range.end - range.start).sum()
    }

    /// The ranges in order.
    pub fn iter(&self) -> impl Iterator<Item = &Range<u64>> {
        self.0.iter()
    }

    /// True if no byte is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where the range that holds `offset` ends, if one does.
    pub fn end_of(&self, offset: u64) -> Option<u64> {
        let at = self.0.partition_point(|range| range.end <= offset);
        self.0
            .get(at)
            .filter(|range| range.start <= offset)
            .map(|range| range.end)
    }
}

/// `Content-Range: bytes 0-99/200` as (start, end exclusive, total); a total of `*` is refused.
pub fn content_range(value: &str) -> Option<(Range<u64>, u64)> {
    let rest = value.trim().strip_prefix("bytes")?.trim_start();
    let (span, total) = rest.split_once('/')?;
    let (first, last) = span.split_once('-')?;
    let (first, last, total) = (
        first.trim().parse().ok()?,
        last.trim().parse::<u64>().ok()?,
        total.trim().parse().ok()?,
    );
    let end = last.checked_add(1)?;
    (first < end && end <= total).then_some((first..end, total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adding_joins() {
        let mut ranges = Ranges::default();
        for range in [10..20, 30..40, 0..5, 20..30, 7..7, 50..60] {
            ranges.add(range);
        }
        assert_eq!(ranges.0, vec![0..5, 10..40, 50..60]);
        assert_eq!(ranges.len(), 45);
        assert_eq!(ranges.end_of(10), Some(40));
        assert_eq!(ranges.end_of(39), Some(40));
        assert_eq!(ranges.end_of(40), None);
        assert_eq!(ranges.gaps(60).0, vec![5..10, 40..50]);
        assert_eq!(ranges.gaps(55).0, vec![5..10, 40..50]);
        assert_eq!(Ranges::default().gaps(3).0, vec![0..3]);
    }

    #[test]
    fn taking_walks_forward() {
        let mut ranges = Ranges::default();
        ranges.add(0..10);
        ranges.add(20..22);
        let taken: Vec<_> = std::iter::from_fn(|| ranges.take(8)).collect();
        assert_eq!(taken, vec![0..8, 8..10, 20..22]);
        assert!(ranges.is_empty());
    }

    #[test]
    fn taking_from_a_place_takes_only_what_begins_there() {
        let mut ranges = Ranges::default();
        ranges.add(10..20);
        ranges.add(30..40);
        assert_eq!(ranges.take_from(15, 5), None);
        assert_eq!(ranges.take_from(30, 4), Some(30..34));
        assert_eq!(ranges.take_from(34, u64::MAX), Some(34..40));
        assert_eq!(ranges.take_from(40, 1), None);
        assert_eq!(ranges.0, vec![10..20]);
    }

    #[test]
    fn content_range_is_strict() {
        assert_eq!(content_range("bytes 0-99/200"), Some((0..100, 200)));
        for bad in [
            "bytes */200",
            "bytes 5-4/10",
            "bytes 0-10/10",
            "bytes 0-1/*",
            "items 0-1/2",
            "0-1/2",
            "bytes -1-2/3",
        ] {
            assert_eq!(content_range(bad), None, "{bad}");
        }
    }
}
