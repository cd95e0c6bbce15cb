//! Metres along the ray as float16.

use super::halves::halves;
use crate::read::Samples;

/// A row of distances; 0 where nothing was hit.
pub fn depth(z: Samples<'_>, room: &mut Vec<u16>, out: &mut Vec<u16>) {
    out.clear();
    out.extend(halves(z, room).iter().map(|&bits| finite(bits)));
}

/// Nothing was hit where the distance is no finite number; that is 0, and 0 has no sign.
const fn finite(bits: u16) -> u16 {
    const INFINITE: u16 = 0x7c00;
    const SIGN: u16 = 0x8000;
    if bits & INFINITE == INFINITE || bits == SIGN {
        0
    } else {
        bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_no_infinity_and_no_sign_of_zero() {
        let (mut room, mut out) = (Vec::new(), Vec::new());
        let z = [1.5, f32::INFINITY, 1e10, f32::NAN, -0.0, 0.0, 65504.0].map(f32::to_bits);
        depth(Samples::Float(&z), &mut room, &mut out);
        assert_eq!(out, [0x3e00, 0, 0, 0, 0, 0, 0x7bff]);
        depth(
            Samples::Half(&[0x3e00, 0x7c00, 0xfe00, 0x8000]),
            &mut room,
            &mut out,
        );
        assert_eq!(out, [0x3e00, 0, 0, 0]);
    }
}
