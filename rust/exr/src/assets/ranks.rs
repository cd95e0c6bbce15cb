//! What the ranks of a row say: ids and coverages, and who wins a pixel.

use super::numbers::Numbers;

/// Most ranks of a pixel; two a layer.
pub const MAX_RANKS: usize = 32;
/// Pixels looked at together.
pub const LANES: usize = 8;

/// A row's ids and the bits of its coverages, by rank.
pub struct Ranks<'a> {
    /// Names of objects.
    pub ids: [&'a [u32]; MAX_RANKS],
    /// Shares of the pixel, float32.
    pub coverages: [&'a [u32]; MAX_RANKS],
    /// So many are filled.
    pub count: usize,
}

/// Of a few pixels: ids and coverages of the first rank, sums of the others'.
pub struct Lanes<'a> {
    /// First ids.
    pub ids: &'a [u32; LANES],
    /// First coverages.
    pub first: &'a [u32; LANES],
    /// Sums of the sizes of all other coverages.
    pub rest: [f32; LANES],
}

fn lanes(all: &[u32], begin: usize) -> Option<&[u32; LANES]> {
    all.get(begin..begin + LANES)?.try_into().ok()
}

impl Ranks<'_> {
    /// The pixels from `begin` on; nothing when fewer are left.
    #[inline(always)]
    pub fn lanes(&self, begin: usize) -> Option<Lanes<'_>> {
        let mut rest = [0.0_f32; LANES];
        for coverage in &self.coverages[1..self.count] {
            for (sum, &bits) in rest.iter_mut().zip(lanes(coverage, begin)?) {
                *sum += f32::from_bits(bits).abs();
            }
        }
        Some(Lanes {
            ids: lanes(self.ids[0], begin)?,
            first: lanes(self.coverages[0], begin)?,
            rest,
        })
    }

    /// The sum of the sizes of the other coverages of one pixel.
    #[inline]
    pub fn rest(&self, pixel: usize) -> f32 {
        let others = &self.coverages[1..self.count];
        others
            .iter()
            .map(|coverage| f32::from_bits(coverage[pixel]).abs())
            .sum()
    }

    /// The summed coverages of the objects of a pixel.
    pub fn masks(&self, pixel: usize, numbers: &Numbers) -> Masks {
        let mut masks = Masks::default();
        for rank in 0..self.count {
            let id = self.ids[rank][pixel];
            let coverage = f32::from_bits(self.coverages[rank][pixel]);
            if id == 0 || coverage.is_nan() {
                continue;
            }
            if let Some(number @ 1..) = numbers.of(id) {
                masks.add(number, coverage);
            }
        }
        masks
    }
}

/// Objects of one pixel and their summed coverages.
#[derive(Default)]
pub struct Masks {
    all: [(u16, f32); MAX_RANKS],
    count: usize,
}

impl Masks {
    fn add(&mut self, number: u16, coverage: f32) {
        match self.all[..self.count]
            .iter_mut()
            .find(|mask| mask.0 == number)
        {
            Some(mask) => mask.1 += coverage,
            None => {
                self.all[self.count] = (number, coverage);
                self.count += 1;
            }
        }
    }

    /// The number that the rule gives the pixel.
    pub fn winner(&self, background_competes: bool) -> u16 {
        let (mut best, mut number, mut sum) = (0_u8, 0_u16, 0_u8);
        for &(candidate, coverage) in &self.all[..self.count] {
            let mask = (255.0 * coverage.clamp(0.0, 1.0)) as u8;
            // The original summed in 8 bits.
            sum = sum.wrapping_add(mask);
            if mask > best || mask == best && best > 0 && candidate < number {
                (best, number) = (mask, candidate);
            }
        }
        if background_competes && 255 - sum > best {
            0
        } else {
            number
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picks_the_first_of_equals_and_lets_background_win_on_request() {
        let winner = |pairs: &[(u16, f32)], background_competes| {
            let mut masks = Masks::default();
            for &(number, coverage) in pairs {
                masks.add(number, coverage);
            }
            masks.winner(background_competes)
        };
        assert_eq!(winner(&[(3, 0.4), (2, 0.4)], false), 2);
        assert_eq!(winner(&[(3, 0.4)], false), 3);
        assert_eq!(winner(&[(3, 0.4)], true), 0);
        assert_eq!(winner(&[(3, 0.6)], true), 3);
        assert_eq!(winner(&[(3, 0.001)], false), 0);
        assert_eq!(winner(&[(4, 0.3), (3, 0.4), (4, 0.3)], false), 4);
        assert_eq!(winner(&[], false), 0);
    }
}
