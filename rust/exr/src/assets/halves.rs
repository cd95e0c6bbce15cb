//! Samples as float16.

use half::f16;
use half::slice::HalfFloatSliceExt;

use crate::read::Samples;

/// Values converted at a time, on the stack.
const BATCH: usize = 256;

/// The samples as float16 bits, rounded to nearest, ties to even; halves as they are.
pub fn halves<'a>(samples: Samples<'a>, room: &'a mut Vec<u16>) -> &'a [u16] {
    match samples {
        Samples::Half(all) => all,
        Samples::Float(all) => convert(all, f32::from_bits, room),
        Samples::Uint(all) => convert(all, |value| value as f32, room),
    }
}

/// By the processor's own instruction where it has one, in batches so that nothing is allocated.
fn convert<'a>(all: &[u32], number: impl Fn(u32) -> f32, room: &'a mut Vec<u16>) -> &'a [u16] {
    room.clear();
    let mut numbers = [0.0_f32; BATCH];
    let mut shorts = [f16::ZERO; BATCH];
    for batch in all.chunks(BATCH) {
        for (to, &from) in numbers.iter_mut().zip(batch) {
            *to = number(from);
        }
        let shorts = &mut shorts[..batch.len()];
        shorts.convert_from_f32_slice(&numbers[..batch.len()]);
        room.extend(shorts.iter().map(|short| short.to_bits()));
    }
    room
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_like_one_value_at_a_time() {
        let mut state = 1_u32;
        let all: Vec<u32> = (0..100_003)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state
            })
            .collect();
        let one_by_one = |number: fn(u32) -> f32| -> Vec<u16> {
            all.iter()
                .map(|&bits| f16::from_f32(number(bits)).to_bits())
                .collect()
        };
        let mut room = Vec::new();
        // Not-a-numbers keep no common bits; only that they stay so counts.
        let same = |one: &[u16], other: &[u16]| {
            one.iter().zip(other).all(|(&one, &other)| {
                one == other || f16::from_bits(one).is_nan() && f16::from_bits(other).is_nan()
            })
        };
        let found = halves(Samples::Float(&all), &mut room);
        assert!(same(found, &one_by_one(f32::from_bits)));
        let found = halves(Samples::Uint(&all), &mut room);
        assert!(same(found, &one_by_one(|value| value as f32)));
        assert_eq!(halves(Samples::Half(&[1, 2]), &mut room), [1, 2]);
    }
}
