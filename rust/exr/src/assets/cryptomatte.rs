//! Object ids from cryptomatte layers.
//!
//! Format: "Cryptomatte Specification" 1.2.0 of Psyop: attributes `cryptomatte/KEY/...` hold a
//! name and a manifest of object names; channels `NAME00.R` ... hold ids and coverages in turn,
//! two ranks a layer, ordered by coverage. The choice of one object per pixel is that of the
//! original service.

use std::fmt;

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};

use crate::error::{Error, Kind, Result};
use crate::read::channels::{find, Place, Plane};
use crate::read::compression::Compression;
use crate::read::header::Header;

/// Lights are in the manifest, but they are no objects.
const DROPPED: [&str; 3] = ["vrayLightDome", "vrayLightMesh", "default"];
/// Ids are written as 16-bit numbers.
const MAX_OBJECTS: usize = 65_535;
/// Share of covered pixels that must name an object, in percent.
const ENOUGH: usize = 99;
/// More layers than any renderer writes.
const MAX_LAYERS: usize = 16;
/// The same of definitions; others behind them are not looked at.
const MAX_DEFINITIONS: usize = 32;

/// The 32-bit id of an object name: MurmurHash3_32 with seed 0; where that would be a float with
/// an exponent of all zeros or all ones, bit 23 is flipped.
pub fn object_id(name: &str) -> u32 {
    let hash = murmur3(name.as_bytes());
    match hash >> 23 & 0xff {
        0 | 255 => hash ^ 1 << 23,
        _ => hash,
    }
}

/// MurmurHash3_x86_32 by Austin Appleby, seed 0.
fn murmur3(bytes: &[u8]) -> u32 {
    let mix = |word: u32| {
        word.wrapping_mul(0xcc9e_2d51)
            .rotate_left(15)
            .wrapping_mul(0x1b87_3593)
    };
    let word = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .fold(0_u32, |word, &byte| word << 8 | u32::from(byte))
    };
    let chunks = bytes.chunks_exact(4);
    let tail = mix(word(chunks.remainder()));
    let mut hash = chunks.fold(0_u32, |hash, chunk| {
        (hash ^ mix(word(chunk)))
            .rotate_left(13)
            .wrapping_mul(5)
            .wrapping_add(0xe654_6b64)
    });
    hash ^= tail ^ bytes.len() as u32;
    hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
    hash ^ hash >> 16
}

/// One cryptomatte that the header defines.
#[derive(Clone, Debug, Default)]
pub struct Cryptomatte {
    /// Prefix of its layers.
    pub name: String,
    /// The key of its attributes.
    key: String,
    manifest: Option<Vec<u8>>,
}

/// Every cryptomatte of the header, sorted by name.
pub fn definitions(header: &Header) -> Vec<Cryptomatte> {
    let mut found: Vec<Cryptomatte> = Vec::new();
    for attribute in header.parts.iter().flat_map(|part| &part.attributes) {
        let mut words = attribute.name.splitn(3, '/');
        let (Some("cryptomatte"), Some(key), Some(field)) =
            (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let index = match found.iter().position(|known| known.key == key) {
            Some(index) => index,
            None if found.len() == MAX_DEFINITIONS => continue,
            None => {
                found.push(Cryptomatte {
                    key: key.to_owned(),
                    ..Cryptomatte::default()
                });
                found.len() - 1
            }
        };
        match field {
            "name" => found[index].name = String::from_utf8_lossy(&attribute.value).into_owned(),
            "manifest" => found[index].manifest = Some(attribute.value.clone()),
            _ => {}
        }
    }
    found.retain(|known| !known.name.is_empty());
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

impl Cryptomatte {
    /// Its layers in order: the places of id, coverage, id, coverage.
    pub fn layers(&self, header: &Header) -> Vec<[Place; 4]> {
        const ENDS: [[&str; 4]; 3] = [
            ["R", "G", "B", "A"],
            ["r", "g", "b", "a"],
            ["red", "green", "blue", "alpha"],
        ];
        // One look at all names, of which there may be very many, before layers are looked for.
        let mut maybe = [false; MAX_LAYERS];
        let parts = header.parts.iter();
        let names = parts.flat_map(|part| {
            let channels = part.channels.iter().map(|channel| channel.name.as_str());
            channels.chain([part.name.as_str()])
        });
        for name in names {
            let number = name
                .strip_prefix(&self.name)
                .and_then(|rest| rest.get(..2)?.parse::<usize>().ok());
            if let Some(maybe) = number.and_then(|layer| maybe.get_mut(layer)) {
                *maybe = true;
            }
        }
        (0..MAX_LAYERS)
            .filter(|&layer| maybe[layer])
            .filter_map(|layer| {
                ENDS.iter().find_map(|ends| {
                    let place = |end: &str| {
                        let name = format!("{}{layer:02}.{end}", self.name);
                        find(header, &[&name])?.first().copied()
                    };
                    let [a, b, c, d] = ends.map(place);
                    Some([a?, b?, c?, d?])
                })
            })
            .collect()
    }

    /// Names and ids as the manifest lists them; the last of equal names counts, as in Python.
    pub fn objects(&self) -> Result<Vec<(String, u32)>> {
        let manifest = self.manifest.as_deref().ok_or_else(|| {
            Error::new(
                Kind::MissingChannel,
                format!("cryptomatte {} has no manifest in the file", self.name),
            )
            .hint("render with the manifest embedded; side files are not read")
        })?;
        let damaged = |reason: &dyn fmt::Display| {
            Error::invalid(format!("manifest of cryptomatte {}: {reason}", self.name))
        };
        let end = manifest
            .iter()
            .position(|&byte| byte == 0)
            .unwrap_or(manifest.len());
        let mut json = serde_json::Deserializer::from_slice(&manifest[..end]);
        let mut pairs = json
            .deserialize_map(Pairs)
            .map_err(|error| damaged(&error))?;
        json.end().map_err(|error| damaged(&error))?;
        pairs.reverse();
        pairs.sort_by(|one, other| one.0.cmp(&other.0));
        pairs.dedup_by(|later, first| later.0 == first.0);
        pairs
            .into_iter()
            .map(|(name, hex)| match u32::from_str_radix(&hex, 16) {
                Ok(id) if hex.len() <= 8 => Ok((name, id)),
                _ => Err(damaged(&format!("{hex:?} is not an id"))),
            })
            .collect()
    }

    /// Objects that get a number of their own.
    pub fn count(&self) -> Result<usize> {
        let objects = self.objects()?;
        Ok(objects
            .iter()
            .filter(|(name, _)| !DROPPED.contains(&name.as_str()))
            .count())
    }
}

/// A flat JSON object as a list; values of other types than text are no ids.
struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<(String, String)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of names and ids")
    }

    fn visit_map<A: MapAccess<'de>>(
        self,
        mut map: A,
    ) -> std::result::Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if pairs.len() > MAX_OBJECTS + DROPPED.len() {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                return Err(serde::de::Error::custom(format!(
                    "more than {MAX_OBJECTS} objects"
                )));
            }
            pairs.push((name, map.next_value()?));
        }
        Ok(pairs)
    }
}

/// From ids to numbers: 1 for the first name, and so on; 0 for what has no number.
struct Numbers {
    /// Sorted by id.
    by_id: Vec<(u32, u16)>,
    /// Low bits that the compression threw away.
    lost: u32,
    last: (u32, Option<u16>),
}

impl Numbers {
    fn new(objects: &[(String, u32)], compression: Compression) -> Result<Self> {
        let lost = if compression == Compression::PXR24 {
            8
        } else {
            0
        };
        let mut by_id = Vec::with_capacity(objects.len());
        let mut number = 0_usize;
        for (name, id) in objects {
            let kept = if DROPPED.contains(&name.as_str()) {
                0
            } else {
                number += 1;
                u16::try_from(number).map_err(|_| {
                    Error::new(Kind::TooLarge, format!("more than {MAX_OBJECTS} objects"))
                })?
            };
            // PXR24 rounds to nearest before it cuts.
            let id = if lost > 0 {
                id.wrapping_add(0x80) >> lost
            } else {
                *id
            };
            by_id.push((id, kept));
        }
        by_id.sort_unstable();
        by_id.dedup_by_key(|pair| pair.0);
        Ok(Self {
            by_id,
            lost,
            last: (0, None),
        })
    }

    /// The number of an id; nothing when the manifest lacks it. Runs of one id are common.
    fn of(&mut self, id: u32) -> Option<u16> {
        if self.last.0 != id {
            let key = id >> self.lost;
            let found = self.by_id.binary_search_by_key(&key, |pair| pair.0).ok();
            self.last = (id, found.map(|index| self.by_id[index].1));
        }
        self.last.1
    }
}

/// One number per pixel.
///
/// For each object, coverages of the ranks that show it are summed, clipped to 1 and cut to 8
/// bits; the largest wins, the first name among equals. When `background_competes` (the rule
/// of file versions before 1.5), a pixel is background if that is larger than the winner.
pub fn segments(
    objects: &[(String, u32)],
    ranks: &[(&Plane, &Plane)],
    compression: Compression,
    background_competes: bool,
) -> Result<Vec<u16>> {
    let mut numbers = Numbers::new(objects, compression)?;
    let halves = || {
        Error::new(
            Kind::LostIds,
            "its ids are stored as half floats, which cannot hold them",
        )
        .hint("render the cryptomatte with 32-bit channels")
    };
    let ranks = ranks
        .iter()
        .map(|(id, coverage)| Ok((id.words().ok_or_else(halves)?, *coverage)))
        .collect::<Result<Vec<_>>>()?;
    let area = ranks.first().map_or(0, |rank| rank.0.len());
    let mut out = crate::read::input::reserve(area)?;
    let (mut covered, mut known) = (0_usize, 0_usize);
    let mut masks: Vec<(u16, f32)> = Vec::with_capacity(ranks.len());
    for pixel in 0..area {
        masks.clear();
        for (rank, (ids, coverage)) in ranks.iter().enumerate() {
            let (id, coverage) = (ids[pixel], coverage.number(pixel));
            if id == 0 || coverage.is_nan() {
                continue;
            }
            let number = numbers.of(id);
            if rank == 0 && coverage > 0.0 {
                covered += 1;
                known += usize::from(number.is_some());
            }
            match number {
                None | Some(0) => {}
                Some(number) => match masks.iter_mut().find(|mask| mask.0 == number) {
                    Some(mask) => mask.1 += coverage,
                    None => masks.push((number, coverage)),
                },
            }
        }
        out.push(winner(&masks, background_competes));
    }
    if known * 100 < covered * ENOUGH && !objects.is_empty() {
        return Err(Error::new(
            Kind::LostIds,
            format!("only {known} of {covered} covered pixels have an id of the manifest"),
        )
        .hint("a lossy compression (DWAA, DWAB) destroyed the ids: render with ZIPS or ZIP"));
    }
    Ok(out)
}

fn winner(masks: &[(u16, f32)], background_competes: bool) -> u16 {
    let (mut best, mut number, mut sum) = (0_u8, 0_u16, 0_u8);
    for &(candidate, coverage) in masks {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_public_files_do() {
        for (name, key) in [
            ("cryptomatte", "881c23b"),
            ("segmentation", "b818ccc"),
            ("VRayCryptomatte_Mtl", "88ce693"),
        ] {
            assert_eq!(format!("{:08x}", murmur3(name.as_bytes()))[..7], *key);
        }
        for (name, id) in [
            ("belts_2", 0xe9d4_5938),
            ("walls_0", 0x932c_97e6),
            ("arm_lower_left", 0x6ce9_3cfe),
        ] {
            assert_eq!(object_id(name), id);
        }
    }

    #[test]
    fn picks_the_first_of_equals_and_lets_background_win_on_request() {
        assert_eq!(winner(&[(3, 0.4), (2, 0.4)], false), 2);
        assert_eq!(winner(&[(3, 0.4)], false), 3);
        assert_eq!(winner(&[(3, 0.4)], true), 0);
        assert_eq!(winner(&[(3, 0.6)], true), 3);
        assert_eq!(winner(&[(3, 0.001)], false), 0);
        assert_eq!(winner(&[], false), 0);
    }

    fn definition(manifest: &str) -> Cryptomatte {
        Cryptomatte {
            name: "c".into(),
            key: "k".into(),
            manifest: Some(manifest.into()),
        }
    }

    #[test]
    fn reads_manifests() {
        let objects = definition(r#"{"b,\"é/":"12","a":"ffffffff","b,\"é/":"13"}"#)
            .objects()
            .unwrap();
        assert_eq!(
            objects,
            [("a".to_owned(), 0xffff_ffff), ("b,\"é/".to_owned(), 0x13)]
        );
        for bad in [
            "",
            "[]",
            "{",
            r#"{"a":1}"#,
            r#"{"a":"xyz"}"#,
            r#"{"a":"123456789"}"#,
            r#"{"a":"+1"} x"#,
        ] {
            assert!(definition(bad).objects().is_err(), "{bad}");
        }
        let bomb = format!("{{\"a\":{}", "[".repeat(100_000));
        assert!(definition(&bomb).objects().is_err());
    }
}
