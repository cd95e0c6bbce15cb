//! From scene-linear or stored values to 8 bits, rounded half up: `floor(255 x + 0.5)`.

use std::sync::OnceLock;

use half::f16;

use crate::read::Samples;

/// The curve of IEC 61966-2-1, on values from 0 to 1.
fn srgb(value: f64) -> f64 {
    if value <= 0.003_130_8 {
        12.92 * value
    } else {
        1.055 * value.powf(1.0 / 2.4) - 0.055
    }
}

/// One value; what is not a number is 0.
fn quantize(value: f32, curve: bool) -> u8 {
    let value = if value.is_nan() {
        0.0
    } else {
        f64::from(value.clamp(0.0, 1.0))
    };
    (255.0 * if curve { srgb(value) } else { value } + 0.5).floor() as u8
}

/// Answers made once, for float16 one by one, for float32 by their upper half.
struct Tables {
    curve: bool,
    halves: Vec<u8>,
    floats: Vec<Step>,
}

/// The values of one upper half of a float32 between 0 and 1 are `low`, from `next` on one more:
/// so few are they that 8 bits change at most once among them.
#[derive(Clone, Copy)]
struct Step {
    next: u32,
    low: u8,
}

/// Bits of 1.0 and of infinity.
const ONE: u32 = 0x3f80_0000;
const INFINITE: u32 = 0x7f80_0000;

impl Tables {
    fn get(curve: bool) -> &'static Self {
        static LINEAR: OnceLock<Tables> = OnceLock::new();
        static CURVE: OnceLock<Tables> = OnceLock::new();
        let tables = if curve { &CURVE } else { &LINEAR };
        tables.get_or_init(|| Self {
            curve,
            halves: (0..=u16::MAX)
                .map(|bits| quantize(f16::from_bits(bits).to_f32(), curve))
                .collect(),
            floats: (0..ONE >> 16).map(|upper| step(upper, curve)).collect(),
        })
    }

    fn float(&self, bits: u32) -> u8 {
        match self.floats.get((bits >> 16) as usize) {
            Some(step) => step.low + u8::from(bits >= step.next),
            // Above 1, or below 0 (its sign makes the bits large), or not a number.
            None if bits <= INFINITE => 255,
            None => 0,
        }
    }

    fn number(&self, value: u32) -> u8 {
        quantize(value as f32, self.curve)
    }
}

/// Where the 8-bit value changes, found by halving.
fn step(upper: u32, curve: bool) -> Step {
    let (mut from, mut to) = (upper << 16, upper << 16 | 0xffff);
    let low = quantize(f32::from_bits(from), curve);
    if quantize(f32::from_bits(to), curve) == low {
        return Step {
            next: u32::MAX,
            low,
        };
    }
    while from + 1 < to {
        let middle = from.midpoint(to);
        if quantize(f32::from_bits(middle), curve) == low {
            from = middle;
        } else {
            to = middle;
        }
    }
    Step { next: to, low }
}

/// A row of pixels with 8 bits a channel, the channels together; `curve` for scene-linear values.
pub fn to_bytes(channels: &[Samples<'_>], curve: bool, out: &mut Vec<u8>) {
    let tables = Tables::get(curve);
    let step = channels.len();
    out.resize(
        step * channels.first().map_or(0, |samples| samples.len()),
        0,
    );
    if let (&[Samples::Half(red), Samples::Half(green), Samples::Half(blue)], Ok(table)) = (
        channels,
        <&[u8; 1 << 16]>::try_from(tables.halves.as_slice()),
    ) {
        // An array of all values of u16 needs no check of the index.
        let pixels = red.iter().zip(green).zip(blue);
        for (pixel, ((&red, &green), &blue)) in out.chunks_exact_mut(3).zip(pixels) {
            pixel[0] = table[usize::from(red)];
            pixel[1] = table[usize::from(green)];
            pixel[2] = table[usize::from(blue)];
        }
        return;
    }
    for (first, samples) in channels.iter().enumerate() {
        let out = out.iter_mut().skip(first).step_by(step);
        match samples {
            Samples::Half(all) => out
                .zip(*all)
                .for_each(|(byte, &bits)| *byte = tables.halves[usize::from(bits)]),
            Samples::Float(all) => out
                .zip(*all)
                .for_each(|(byte, &bits)| *byte = tables.float(bits)),
            Samples::Uint(all) => out
                .zip(*all)
                .for_each(|(byte, &value)| *byte = tables.number(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_half_up_and_clips() {
        for (value, plain) in [
            (0.0, 0),
            (1.0, 255),
            (2.0, 255),
            (-1.0, 0),
            (f32::NAN, 0),
            (f32::INFINITY, 255),
        ] {
            assert_eq!(quantize(value, false), plain);
            assert_eq!(quantize(value, true), plain);
        }
        assert_eq!(quantize(0.5 / 255.0, false), 1);
        assert_eq!(quantize(0.5, false), 128);
        assert_eq!(quantize(0.5, true), 188);
        assert_eq!(quantize(0.002, true), 7);
    }

    /// The table of floats is the formula: it is monotone, changes at most once per entry, and
    /// exactly where the entry says.
    #[test]
    fn looks_floats_up_as_the_formula_says() {
        for curve in [false, true] {
            let tables = Tables::get(curve);
            for upper in 0..=u32::from(u16::MAX) {
                let (first, last) = (upper << 16, upper << 16 | 0xffff);
                let mut tried = vec![first, first + 1, first + 0x5a5a, last - 1, last];
                if let Some(step) = tables.floats.get(upper as usize) {
                    let end = quantize(f32::from_bits(last), curve);
                    assert!(end - step.low <= 1);
                    if step.next != u32::MAX {
                        tried.extend([step.next - 1, step.next]);
                    }
                }
                for bits in tried {
                    let plain = quantize(f32::from_bits(bits), curve);
                    assert_eq!(tables.float(bits), plain, "{bits:#x}");
                }
            }
        }
    }

    #[test]
    fn weaves_channels_of_any_type() {
        let (half, float) = ([0x3800, 0x3c00, 0], [0.5_f32, 2.0, -1.0].map(f32::to_bits));
        let mut out = Vec::new();
        let halves = Samples::Half(&half);
        to_bytes(&[halves, halves, halves], false, &mut out);
        assert_eq!(out, [128, 128, 128, 255, 255, 255, 0, 0, 0]);
        let mixed = [halves, Samples::Float(&float), Samples::Uint(&[0, 1, 2])];
        to_bytes(&mixed, false, &mut out);
        assert_eq!(out, [128, 128, 0, 255, 255, 255, 0, 0, 255]);
        to_bytes(&[halves], true, &mut out);
        assert_eq!(out, [188, 255, 0]);
    }
}
