//! From scene-linear or stored values to 8 bits, rounded half up: `floor(255 x + 0.5)`.

use std::sync::OnceLock;

use half::f16;

use crate::read::channels::Plane;

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

/// The answer for each of the 65,536 float16 values.
fn table(curve: bool) -> &'static [u8] {
    static LINEAR: OnceLock<Vec<u8>> = OnceLock::new();
    static CURVE: OnceLock<Vec<u8>> = OnceLock::new();
    let table = if curve { &CURVE } else { &LINEAR };
    table.get_or_init(|| {
        (0..=u16::MAX)
            .map(|bits| quantize(f16::from_bits(bits).to_f32(), curve))
            .collect()
    })
}

/// Writes the plane's 8-bit values to every `step`-th byte of `out`, starting at `first`.
pub fn to_bytes(plane: &Plane, curve: bool, out: &mut [u8], first: usize, step: usize) {
    let out = out[first..].iter_mut().step_by(step);
    if let Plane::Half(all) = plane {
        let table = table(curve);
        for (byte, &bits) in out.zip(all) {
            *byte = table[usize::from(bits)];
        }
    } else {
        for (index, byte) in out.enumerate().take(plane.len()) {
            *byte = quantize(plane.number(index), curve);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::quantize;

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
}
