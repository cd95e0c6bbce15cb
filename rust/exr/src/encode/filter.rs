//! What is left of a row of pixels when its neighbours are known: PNG's filters (ISO/IEC 15948,
//! clause 9) and TIFF's predictors (revision 6.0, section 14, and Adobe's technical note 3).
//!
//! Plain loops over bytes that do not depend on each other, for the compiler to make wide.

use super::wide::widened;

widened! {
    /// Each byte less the one a pixel to the left, which is `step` bytes before.
    pub fn sub(row: &[u8], step: usize, out: &mut [u8]) = sub_body
}

#[inline(always)]
fn sub_body(row: &[u8], step: usize, out: &mut [u8]) {
    let step = step.min(row.len());
    out[..step].copy_from_slice(&row[..step]);
    for ((out, now), left) in out[step..].iter_mut().zip(&row[step..]).zip(row) {
        *out = now.wrapping_sub(*left);
    }
}

widened! {
    /// Each byte less the one above.
    pub fn up(row: &[u8], above: &[u8], out: &mut [u8]) = up_body
}

#[inline(always)]
fn up_body(row: &[u8], above: &[u8], out: &mut [u8]) {
    for ((out, now), above) in out.iter_mut().zip(row).zip(above) {
        *out = now.wrapping_sub(*above);
    }
}

widened! {
    /// Each byte less that one of left, above and both which is nearest to left + above - both.
    pub fn paeth(row: &[u8], above: &[u8], step: usize, out: &mut [u8]) = paeth_body
}

#[inline(always)]
pub fn paeth_body(row: &[u8], above: &[u8], step: usize, out: &mut [u8]) {
    let step = step.min(row.len());
    up_body(&row[..step], &above[..step], &mut out[..step]);
    let neighbours = row.iter().zip(&above[step..]).zip(above);
    for ((out, now), ((left, above), both)) in
        out[step..].iter_mut().zip(&row[step..]).zip(neighbours)
    {
        // The distances of `left` and `above` from the estimate are those of the other one from
        // `both`. The third one's is their sum where both go one way, so never the smallest.
        let (to_left, to_above) = (apart(*above, *both), apart(*left, *both));
        let one_way = (*above.max(both) == *both) == (*left.max(both) == *both);
        let to_both = apart(to_left, to_above) | if one_way { u8::MAX } else { 0 };
        let nearer = if to_left.min(to_above) == to_left {
            left
        } else {
            above
        };
        let least = to_left.min(to_above);
        let is_near = to_both.max(least) == to_both;
        *out = now.wrapping_sub(if is_near { *nearer } else { *both });
    }
}

/// The distance of two bytes, in terms that stay bytes when they are made wide.
#[inline(always)]
fn apart(one: u8, other: u8) -> u8 {
    one.max(other).wrapping_sub(one.min(other))
}

widened! {
    /// Samples as bytes, the highest first.
    pub fn big_endian(samples: &[u16], out: &mut [u8]) = big_endian_body
}

#[inline(always)]
fn big_endian_body(samples: &[u16], out: &mut [u8]) {
    for (out, sample) in out.as_chunks_mut::<2>().0.iter_mut().zip(samples) {
        *out = sample.to_be_bytes();
    }
}

widened! {
    /// Predictor 3 for 16 bits: all high bytes, all low ones, each less the one `step` before.
    pub fn split_halves(row: &[u16], step: usize, out: &mut [u8]) = split_halves_body
}

#[inline(always)]
pub fn split_halves_body(row: &[u16], step: usize, out: &mut [u8]) {
    let (high, low) = out.split_at_mut(row.len());
    plane(row, step, high, |sample| (sample >> 8) as u8, |_| 0);
    plane(
        row,
        step,
        low,
        |sample| sample as u8,
        |sample| (sample >> 8) as u8,
    );
}

widened! {
    /// Predictor 3 for 32 bits: four planes, the highest bytes first.
    pub fn split_floats(row: &[u32], step: usize, out: &mut [u8]) = split_floats_body
}

#[inline(always)]
fn split_floats_body(row: &[u32], step: usize, out: &mut [u8]) {
    let mut planes = out.chunks_exact_mut(row.len());
    let mut next = || planes.next().unwrap_or_default();
    plane(row, step, next(), |sample| (sample >> 24) as u8, |_| 0);
    plane(
        row,
        step,
        next(),
        |sample| (sample >> 16) as u8,
        |sample| (sample >> 24) as u8,
    );
    plane(
        row,
        step,
        next(),
        |sample| (sample >> 8) as u8,
        |sample| (sample >> 16) as u8,
    );
    plane(
        row,
        step,
        next(),
        |sample| sample as u8,
        |sample| (sample >> 8) as u8,
    );
}

/// One byte of each sample, less that of the sample `step` before; before the first ones are
/// the last ones of the plane before.
#[inline(always)]
fn plane<T: Copy>(
    row: &[T],
    step: usize,
    out: &mut [u8],
    byte: impl Fn(T) -> u8,
    before: impl Fn(T) -> u8,
) {
    let step = step.min(row.len());
    let last = &row[row.len() - step..];
    for ((out, now), last) in out.iter_mut().zip(&row[..step]).zip(last) {
        *out = byte(*now).wrapping_sub(before(*last));
    }
    for ((out, now), left) in out[step..].iter_mut().zip(&row[step..]).zip(row) {
        *out = byte(*now).wrapping_sub(byte(*left));
    }
}

widened! {
    /// Predictor 2 for 32 bits: each sample less the one `step` before.
    pub fn less_words(row: &[u32], step: usize, out: &mut [u8]) = less_words_body
}

#[inline(always)]
fn less_words_body(row: &[u32], step: usize, out: &mut [u8]) {
    let step = step.min(row.len());
    let (out, _) = out.as_chunks_mut::<4>();
    for (out, now) in out.iter_mut().zip(&row[..step]) {
        *out = now.to_le_bytes();
    }
    for ((out, now), left) in out[step..].iter_mut().zip(&row[step..]).zip(row) {
        *out = now.wrapping_sub(*left).to_le_bytes();
    }
}
