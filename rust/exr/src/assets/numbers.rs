//! From ids to numbers: 1 for the first name of the manifest, and so on.

use std::rc::Rc;

use super::manifest::{Object, MAX_OBJECTS};
use crate::error::{Error, Kind, Result};

/// Manifests kept: frames of a job share theirs, jobs in one folder are few.
const KEPT: usize = 4;

/// Sorted ids and where in them the ids with the same upper bits begin. Ids are hashes, so that
/// hardly two share a place; where a hostile file makes all share one, the search is still short.
#[derive(Debug)]
pub struct Numbers {
    by_id: Vec<(u32, u16)>,
    begins: Vec<u32>,
    /// Lowest bits of an id that do not count.
    lost: u32,
    /// Lowest bits of a key that do not tell its place.
    shift: u32,
    is_empty: bool,
}

impl Numbers {
    /// A number for each of `objects`; 0 for those that are known, but no objects. After PXR24,
    /// which is `rounded`, ids are told by their upper 24 bits.
    pub fn new(objects: &[Object], rounded: bool) -> Result<Self> {
        let lost = if rounded { 8 } else { 0 };
        let mut by_id = Vec::with_capacity(objects.len());
        let mut last = 0_u16;
        for object in objects {
            let number = if object.is_numbered() {
                last = last.checked_add(1).ok_or_else(|| {
                    Error::new(Kind::TooLarge, format!("more than {MAX_OBJECTS} objects"))
                })?;
                last
            } else {
                0
            };
            // PXR24 rounds to nearest before it cuts.
            let half = if rounded { 0x80 } else { 0 };
            by_id.push((object.id.wrapping_add(half) >> lost, number));
        }
        // Of equal ids the first object counts, and lights do not.
        by_id.sort_unstable_by_key(|&(key, number)| (key, number.wrapping_sub(1)));
        by_id.dedup_by_key(|pair| pair.0);
        let bits = (4 * by_id.len()).next_power_of_two().ilog2().clamp(1, 16);
        let shift = 32 - lost - bits;
        let mut begins = vec![0_u32; (1 << bits) + 1];
        for (key, _) in &by_id {
            begins[(key >> shift) as usize + 1] += 1;
        }
        for place in 1..begins.len() {
            begins[place] += begins[place - 1];
        }
        Ok(Self {
            by_id,
            begins,
            lost,
            shift,
            is_empty: objects.is_empty(),
        })
    }

    /// The number of an id; nothing when the manifest lacks it.
    pub fn of(&self, id: u32) -> Option<u16> {
        let key = id >> self.lost;
        let place = (key >> self.shift) as usize;
        let (begin, end) = (self.begins[place], self.begins[place + 1]);
        let near = &self.by_id[begin as usize..end as usize];
        let found = near.binary_search_by_key(&key, |pair| pair.0).ok()?;
        Some(near[found].1)
    }

    /// The manifest names nothing at all.
    pub const fn is_empty(&self) -> bool {
        self.is_empty
    }
}

/// Numbers of the manifests met last.
#[derive(Debug, Default)]
pub struct Known(Vec<(Vec<u8>, bool, Rc<Numbers>)>);

impl Known {
    /// The numbers of a manifest, made by `make` unless its bytes were met before.
    pub fn get(
        &mut self,
        manifest: &[u8],
        rounded: bool,
        make: impl FnOnce() -> Result<Numbers>,
    ) -> Result<Rc<Numbers>> {
        let is_it = |known: &&(Vec<u8>, bool, _)| known.1 == rounded && known.0 == manifest;
        if let Some((_, _, numbers)) = self.0.iter().find(is_it) {
            return Ok(Rc::clone(numbers));
        }
        let numbers = Rc::new(make()?);
        if self.0.len() == KEPT {
            self.0.remove(0);
        }
        self.0
            .push((manifest.to_vec(), rounded, Rc::clone(&numbers)));
        Ok(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::object_id;

    fn objects(pairs: &[(&str, u32)]) -> Vec<Object> {
        let object = |&(name, id): &(&str, u32)| Object {
            name: name.to_owned(),
            id,
        };
        pairs.iter().map(object).collect()
    }

    #[test]
    fn counts_names_and_leaves_lights_out() {
        let known = objects(&[
            ("a", 9),
            ("b", 0xffff_ffff),
            ("default", 5),
            ("e", 0),
            ("f", 7),
        ]);
        let numbers = Numbers::new(&known, false).unwrap();
        let found = [9, 0xffff_ffff, 5, 0, 7, 8].map(|id| numbers.of(id));
        assert_eq!(found, [Some(1), Some(2), Some(0), Some(3), Some(4), None]);
        assert_eq!(Numbers::new(&[], false).unwrap().of(3), None);
    }

    #[test]
    fn gives_equal_ids_to_the_first_object() {
        let known = objects(&[("b", 1), ("c", 1), ("default", 1), ("default", 2)]);
        let numbers = Numbers::new(&known, false).unwrap();
        assert_eq!((numbers.of(1), numbers.of(2)), (Some(1), Some(0)));
    }

    #[test]
    fn finds_every_id_of_large_manifests_after_rounding_too() {
        for count in [1, 2, 100, MAX_OBJECTS] {
            let known: Vec<Object> = (0..count)
                .map(|index| {
                    let name = format!("{index:05}");
                    let id = object_id(&name);
                    Object { name, id }
                })
                .collect();
            let numbers = Numbers::new(&known, false).unwrap();
            let rounded = Numbers::new(&known, true).unwrap();
            for object in &known {
                assert!(numbers.of(object.id).is_some());
                // As PXR24 stores a float of this sign and size.
                assert!(rounded.of(object.id.wrapping_add(0x80) & !0xff).is_some());
            }
        }
    }

    #[test]
    fn searches_ids_that_all_share_a_place() {
        let known: Vec<Object> = (0..60_000)
            .map(|id| Object {
                name: id.to_string(),
                id,
            })
            .collect();
        let numbers = Numbers::new(&known, false).unwrap();
        assert_eq!(numbers.of(59_999), Some(60_000));
        assert_eq!(numbers.of(60_000), None);
    }

    #[test]
    fn makes_the_numbers_of_a_manifest_once() {
        let mut known = Known::default();
        let mut made = 0;
        for manifest in [&b"a"[..], b"a", b"b", b"a"] {
            let make = || {
                made += 1;
                Numbers::new(&[], false)
            };
            known.get(manifest, false, make).unwrap();
        }
        assert_eq!(made, 2);
        for number in 0..10_u8 {
            let make = || Numbers::new(&[], false);
            known.get(&[number], true, make).unwrap();
        }
        assert_eq!(known.0.len(), KEPT);
    }
}
