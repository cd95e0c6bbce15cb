//! From ids and coverages to one number per pixel.
//!
//! The rule: for each object, coverages of the ranks that show it are summed, clipped to 1 and
//! cut to 8 bits; the largest wins, the first name among equals. When `background_competes` (the
//! rule of file versions before 1.5), a pixel is background if that is larger than the winner.
//! Nearly all pixels need no sums, for their first rank must win; runs of those are filled.

use std::rc::Rc;

use super::numbers::Numbers;
use super::ranks::{Lanes, Ranks, LANES, MAX_RANKS};
use super::sure::Sure;
use crate::error::{Error, Kind, Result};
use crate::read::Samples;

/// Share of covered pixels that must name an object, in percent.
const ENOUGH: u64 = 99;

/// Ranks of pixels that need sums, which any file may have; of a larger file, `PER_BYTE` times its
/// length. Real ones have so many at edges only, and flat ones that pack well have hardly any.
const ANY_SUMS: u64 = 1 << 25;
const PER_BYTE: u64 = 16;

/// Makes the rows of one image.
#[derive(Debug)]
pub struct Segments {
    numbers: Rc<Numbers>,
    background_competes: bool,
    last: Last,
    covered: u64,
    known: u64,
    /// Ranks that may still be summed.
    sums: u64,
    /// Coverages that are not stored as float32, by rank.
    rooms: Vec<Vec<u32>>,
}

/// The id met last, for runs of one id are long.
#[derive(Clone, Copy, Debug)]
struct Last {
    id: u32,
    number: Option<u16>,
}

impl Segments {
    /// Rows by `numbers`, of a file of `length` bytes.
    pub fn new(numbers: Rc<Numbers>, background_competes: bool, length: u64) -> Self {
        Self {
            numbers,
            background_competes,
            last: Last {
                id: 0,
                number: None,
            },
            covered: 0,
            known: 0,
            sums: length.saturating_mul(PER_BYTE).max(ANY_SUMS),
            rooms: Vec::new(),
        }
    }

    /// A row from id and coverage in turn, rank by rank.
    pub fn row(&mut self, channels: &[Samples<'_>], out: &mut Vec<u16>) -> Result<()> {
        let mut rooms = std::mem::take(&mut self.rooms);
        rooms.resize_with(channels.len() / 2, Vec::new);
        let mut ranks = Ranks {
            ids: [&[]; MAX_RANKS],
            coverages: [&[]; MAX_RANKS],
            count: 0,
        };
        for (pair, room) in channels.chunks_exact(2).zip(&mut rooms) {
            let (Samples::Float(ids) | Samples::Uint(ids)) = pair[0] else {
                return Err(half_ids());
            };
            let coverages = float_bits(pair[1], room);
            // Most rows need no more than two ranks.
            if ranks.count == 0 || coverages.iter().fold(0, |all, bits| all | bits) != 0 {
                ranks.ids[ranks.count] = ids;
                ranks.coverages[ranks.count] = coverages;
                ranks.count += 1;
            }
        }
        out.resize(ranks.ids[0].len(), 0);
        self.fill(&ranks, out);
        self.rooms = rooms;
        if self.sums == 0 {
            let words = "so many pixels with so many ranks take too long for a file of this size";
            return Err(Error::new(Kind::TooLarge, words));
        }
        Ok(())
    }

    fn fill(&mut self, ranks: &Ranks<'_>, out: &mut [u16]) {
        let mut begin = 0;
        for out in out.chunks_mut(LANES) {
            match ranks.lanes(begin) {
                Some(lanes) if self.is_run(&lanes) => {
                    out.fill(self.last.number.unwrap_or(0));
                    self.count(LANES as u64);
                }
                Some(lanes) => {
                    for (index, out) in out.iter_mut().enumerate() {
                        *out = self.pixel(ranks, begin + index, lanes.rest[index]);
                    }
                }
                None => {
                    for (index, out) in out.iter_mut().enumerate() {
                        let pixel = begin + index;
                        *out = self.pixel(ranks, pixel, ranks.rest(pixel));
                    }
                }
            }
            begin += LANES;
        }
    }

    /// All of the pixels show the last id, and it must win in each.
    fn is_run(&self, lanes: &Lanes<'_>) -> bool {
        let sure = self.sure();
        let mut others = 0;
        for lane in 0..LANES {
            let holds = sure.holds(f32::from_bits(lanes.first[lane]), lanes.rest[lane]);
            others |= (lanes.ids[lane] ^ self.last.id) | u32::from(!holds);
        }
        others == 0
    }

    /// What makes the last id, in the first rank, the answer whatever the other ranks say.
    fn sure(&self) -> Sure {
        match self.last.number {
            Some(number) if number > 0 => {
                if self.background_competes {
                    Sure::COMPETING
                } else {
                    Sure::ALONE
                }
            }
            _ if self.last.id == 0 => Sure::NOTHING,
            _ => Sure::NO_OBJECT,
        }
    }

    fn count(&mut self, pixels: u64) {
        if self.last.id != 0 {
            self.covered += pixels;
            self.known += pixels * u64::from(self.last.number.is_some());
        }
    }

    fn pixel(&mut self, ranks: &Ranks<'_>, pixel: usize, rest: f32) -> u16 {
        let id = ranks.ids[0][pixel];
        if id != self.last.id {
            let number = if id == 0 { None } else { self.numbers.of(id) };
            self.last = Last { id, number };
        }
        let first = f32::from_bits(ranks.coverages[0][pixel]);
        if self.sure().holds(first, rest) {
            self.count(1);
            return self.last.number.unwrap_or(0);
        }
        if first > 0.0 {
            self.count(1);
        }
        self.sums = self.sums.saturating_sub(ranks.count as u64);
        ranks
            .masks(pixel, &self.numbers)
            .winner(self.background_competes)
    }

    /// Covered pixels so far whose id the manifest lacks.
    pub const fn unnamed(&self) -> u64 {
        self.covered - self.known
    }

    /// After the last row: whether the ids were those of the manifest.
    pub fn finish(&self) -> Result<()> {
        let (known, covered) = (self.known, self.covered);
        if known * 100 < covered * ENOUGH && !self.numbers.is_empty() {
            return Err(Error::new(
                Kind::LostIds,
                format!("only {known} of {covered} covered pixels have an id of the manifest"),
            )
            .hint("a lossy compression (DWAA, DWAB) destroyed the ids: render with ZIPS or ZIP"));
        }
        Ok(())
    }
}

/// Ids that were stored in 16 bits are gone.
pub fn half_ids() -> Error {
    Error::new(
        Kind::LostIds,
        "its ids are stored as half floats, which cannot hold them",
    )
    .hint("render the cryptomatte with 32-bit channels")
}

fn float_bits<'a>(samples: Samples<'a>, room: &'a mut Vec<u32>) -> &'a [u32] {
    room.clear();
    match samples {
        Samples::Float(all) => return all,
        Samples::Half(all) => room.extend(
            all.iter()
                .map(|&bits| half::f16::from_bits(bits).to_f32().to_bits()),
        ),
        Samples::Uint(all) => room.extend(all.iter().map(|&value| (value as f32).to_bits())),
    }
    room
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::manifest::Object;

    /// The rule as it is told, pixel by pixel.
    fn by_rule(numbers: &Numbers, ranks: &[(Vec<u32>, Vec<f32>)], competes: bool) -> Vec<u16> {
        (0..ranks[0].0.len())
            .map(|pixel| {
                let mut sums: Vec<(u16, f32)> = Vec::new();
                for (ids, coverages) in ranks {
                    let (id, coverage) = (ids[pixel], coverages[pixel]);
                    if let (true, Some(number @ 1..)) = (id != 0, numbers.of(id)) {
                        if coverage.is_nan() {
                            continue;
                        }
                        match sums.iter_mut().find(|sum| sum.0 == number) {
                            Some(sum) => sum.1 += coverage,
                            None => sums.push((number, coverage)),
                        }
                    }
                }
                let mask = |sum: &(u16, f32)| (255.0 * sum.1.clamp(0.0, 1.0)) as u8;
                let best = sums.iter().map(mask).max().unwrap_or(0);
                let total = sums.iter().map(mask).fold(0, u8::wrapping_add);
                if best == 0 || competes && 255 - total > best {
                    return 0;
                }
                let wins = sums.iter().filter(|sum| mask(sum) == best);
                wins.map(|sum| sum.0).min().unwrap()
            })
            .collect()
    }

    fn numbers(count: u32) -> Rc<Numbers> {
        let mut objects: Vec<Object> = (1..=count)
            .map(|id| Object {
                name: format!("{id:05}"),
                id,
            })
            .collect();
        objects.push(Object {
            name: "default".to_owned(),
            id: 77,
        });
        Rc::new(Numbers::new(&objects, false).unwrap())
    }

    struct Random(u64);

    impl Random {
        fn below(&mut self, end: u32) -> u32 {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (self.0 >> 33) as u32 % end
        }
    }

    /// Few ids and few coverages in runs, so that ties, sums above 1, repeats and wrong values
    /// meet each other often; every value around a limit of the short way.
    fn hostile(random: &mut Random, width: usize, count: usize) -> Vec<(Vec<u32>, Vec<f32>)> {
        #[rustfmt::skip]
        const COVERAGES: [f32; 24] = [
            0.0, -0.0, 1.0, 1.0, 0.5, 0.25, 0.49, 0.51, 0.505,
            0.495, 0.75, 0.76, 0.24, 0.0039, 0.004, 0.99, 0.995, 1.000_1,
            2.0, -0.3, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e-40,
        ];
        let ids = [0, 1, 2, 3, 3, 77, 99];
        (0..count)
            .map(|_| {
                let (mut all_ids, mut all) = (Vec::new(), Vec::new());
                while all.len() < width {
                    let id = ids[random.below(7) as usize];
                    let sane = random.below(3) > 0;
                    let value = COVERAGES[random.below(if sane { 17 } else { 24 }) as usize];
                    for _ in 0..1 + random.below(40) {
                        all_ids.push(id);
                        all.push(match random.below(20) {
                            0 => random.below(1000) as f32 / 900.0,
                            _ => value,
                        });
                    }
                }
                all_ids.truncate(width);
                all.truncate(width);
                (all_ids, all)
            })
            .collect()
    }

    fn rows(maker: &mut Segments, ranks: &[(Vec<u32>, Vec<f32>)]) -> Vec<u16> {
        let bits: Vec<Vec<u32>> = ranks
            .iter()
            .map(|rank| rank.1.iter().map(|value| value.to_bits()).collect())
            .collect();
        let channels: Vec<Samples<'_>> = ranks
            .iter()
            .zip(&bits)
            .flat_map(|(rank, bits)| [Samples::Float(&rank.0), Samples::Float(bits)])
            .collect();
        let mut out = Vec::new();
        maker.row(&channels, &mut out).unwrap();
        out
    }

    #[test]
    fn the_short_way_is_the_rule() {
        let numbers = numbers(3);
        let mut random = Random(7);
        for round in 0..600 {
            let count = 1 + random.below(6) as usize;
            let ranks = hostile(&mut random, 300 + round % 40, count);
            for competes in [false, true] {
                let mut maker = Segments::new(Rc::clone(&numbers), competes, 0);
                assert_eq!(
                    rows(&mut maker, &ranks),
                    by_rule(&numbers, &ranks, competes),
                    "round {round}"
                );
                let (mut covered, mut known) = (0, 0);
                for (&id, &coverage) in ranks[0].0.iter().zip(&ranks[0].1) {
                    if id != 0 && coverage > 0.0 {
                        covered += 1;
                        known += u64::from(numbers.of(id).is_some());
                    }
                }
                assert_eq!((maker.covered, maker.known), (covered, known));
            }
        }
    }

    #[test]
    fn takes_coverages_of_any_type_and_ids_of_32_bits_only() {
        let mut maker = Segments::new(numbers(3), false, 0);
        let mut out = Vec::new();
        let (half, uint) = ([0x3c00, 0x3c00], [1, 0]);
        let channels = [Samples::Uint(&[2, 3]), Samples::Half(&half)];
        maker.row(&channels, &mut out).unwrap();
        assert_eq!(out, [2, 3]);
        let channels = [Samples::Float(&[2, 3]), Samples::Uint(&uint)];
        maker.row(&channels, &mut out).unwrap();
        assert_eq!(out, [2, 0]);
        let error = maker.row(&[Samples::Half(&half); 2], &mut out).unwrap_err();
        assert_eq!(error.kind, Kind::LostIds);
    }

    #[test]
    fn fails_when_one_pixel_in_a_hundred_names_nothing() {
        for (strangers, fails) in [(1, false), (2, true)] {
            let mut maker = Segments::new(numbers(3), false, 0);
            let ids: Vec<u32> = (0..100)
                .map(|at| if at < strangers { 99 } else { 1 })
                .collect();
            rows(&mut maker, &[(ids, vec![1.0; 100])]);
            assert_eq!(maker.finish().is_err(), fails);
        }
        let empty = Rc::new(Numbers::new(&[], false).unwrap());
        let mut maker = Segments::new(empty, false, 0);
        assert_eq!(rows(&mut maker, &[(vec![5; 40], vec![1.0; 40])]), [0; 40]);
        maker.finish().unwrap();
    }

    #[test]
    fn gives_up_what_needs_too_many_sums() {
        let channels = [Samples::Float(&[1]), Samples::Float(&[0x3cf5_c28f])].repeat(32);
        let mut maker = Segments::new(numbers(3), false, 1 << 30);
        assert_eq!(maker.sums, 1 << 34);
        maker.sums = 40;
        maker.row(&channels, &mut Vec::new()).unwrap();
        let error = maker.row(&channels, &mut Vec::new()).unwrap_err();
        assert_eq!(error.kind, Kind::TooLarge);
    }
}
