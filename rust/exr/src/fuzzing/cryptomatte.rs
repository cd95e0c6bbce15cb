//! Manifests, and the numbers that ids become.

use std::rc::Rc;

use crate::assets::manifest::objects;
use crate::assets::numbers::Numbers;
use crate::assets::segments::Segments;
use crate::read::Samples;

/// A manifest is refused or gives sorted names; and every row of ids gets the numbers that the rule,
/// written down as simply as can be, gives it. Two bytes say where the manifest ends, one how many ranks
/// and which rule; behind it, two bytes for each id and coverage.
pub fn cryptomatte(data: &[u8]) {
    let [low, high, how, rest @ ..] = data else {
        return;
    };
    let end = (usize::from(*low) | usize::from(*high) << 8).min(rest.len());
    let (manifest, pixels) = rest.split_at(end);
    let Ok(found) = objects(manifest) else {
        return;
    };
    assert!(found.windows(2).all(|pair| pair[0].name < pair[1].name));
    let Ok(numbers) = Numbers::new(&found, how & 64 != 0) else {
        return;
    };
    let (count, competes) = (1 + usize::from(how & 7), how & 128 != 0);
    let (mut ids, mut coverages) = (vec![Vec::new(); count], vec![Vec::new(); count]);
    for pixel in pixels.chunks_exact(2 * count) {
        for (rank, pair) in pixel.chunks_exact(2).enumerate() {
            let id = match usize::from(pair[0]) {
                0 => 0,
                byte => found
                    .get(byte - 1)
                    .map_or(byte as u32 * 0x0101_0101, |object| object.id),
            };
            let coverage = match pair[1] {
                251 => f32::NAN,
                252 => -0.5,
                253 => f32::INFINITY,
                254 => -0.0,
                255 => 1.5,
                byte => f32::from(byte) / 250.0,
            };
            ids[rank].push(id);
            coverages[rank].push(coverage.to_bits());
        }
    }
    let width = ids[0].len();
    if width == 0 {
        return;
    }
    let channels: Vec<Samples<'_>> = ids
        .iter()
        .zip(&coverages)
        .flat_map(|(ids, coverages)| [Samples::Float(ids), Samples::Float(coverages)])
        .collect();
    let numbers = Rc::new(numbers);
    let mut maker = Segments::new(Rc::clone(&numbers), competes, u64::MAX);
    let mut out = Vec::new();
    // Twice, for it remembers the last id.
    for _ in 0..2 {
        maker.row(&channels, &mut out).unwrap();
        assert_eq!(out.len(), width);
        for (pixel, &number) in out.iter().enumerate() {
            let ranks = ids.iter().zip(&coverages);
            let ranks = ranks.map(|(ids, all)| (ids[pixel], f32::from_bits(all[pixel])));
            let right = winner(&numbers, ranks.collect(), competes);
            assert_eq!(number, right, "pixel {pixel} of {width}");
        }
    }
}

/// The rule: masks of 8 bits, summed rank by rank; the largest wins, the first among equals.
fn winner(numbers: &Numbers, ranks: Vec<(u32, f32)>, competes: bool) -> u16 {
    let mut masks: Vec<(u16, f32)> = Vec::new();
    for (id, coverage) in ranks {
        let number = numbers.of(id).unwrap_or(0);
        if id == 0 || number == 0 || coverage.is_nan() {
            continue;
        }
        match masks.iter_mut().find(|mask| mask.0 == number) {
            Some(mask) => mask.1 += coverage,
            None => masks.push((number, coverage)),
        }
    }
    let (mut best, mut found, mut sum) = (0, 0, 0_u8);
    for (number, coverage) in masks {
        let mask = (255.0 * coverage.clamp(0.0, 1.0)) as u8;
        sum = sum.wrapping_add(mask);
        if mask > best || mask == best && best > 0 && number < found {
            (best, found) = (mask, number);
        }
    }
    if competes && 255 - sum > best {
        0
    } else {
        found
    }
}

#[cfg(test)]
mod tests {
    /// Pixels by chance, of few values, so that runs and edges of all rules are met.
    #[test]
    fn fast_paths_keep_to_the_rule() {
        let manifest = br#"{"a":"3f000000","b":"3e123456","c":"3f000001","default":"1"}"#;
        let mut seed = 1_u32;
        let mut next = || {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            seed
        };
        for _ in 0..3000 {
            let mut data = vec![manifest.len() as u8, 0, next() as u8];
            data.extend(manifest);
            let (ids, coverages) = (next() % 5 + 1, next() % 250 + 1);
            for _ in 0..next() % 60 {
                let pair = [next() % ids, (next() % 4 * coverages + 1).min(255)];
                for _ in 0..next() % 20 {
                    data.extend(pair.map(|number| number as u8));
                }
            }
            super::cryptomatte(&data);
        }
    }
}
