//! Object ids from cryptomatte layers.
//!
//! Format: "Cryptomatte Specification" 1.2.0 of Psyop: attributes `cryptomatte/KEY/...` hold a
//! name and a manifest of object names, or the name of a file that is one; channels `NAME00.R`
//! ... hold ids and coverages in turn, two ranks a layer, ordered by coverage.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::manifest::{self, Object};
use super::numbers::{Known, Numbers};
use super::ranks::MAX_RANKS;
use crate::error::{Error, Kind, Result};
use crate::read::header::Header;
use crate::read::{find, Place};

/// More layers than any renderer writes.
const MAX_LAYERS: usize = MAX_RANKS / 2;
/// The same of definitions; others behind them are not looked at.
const MAX_DEFINITIONS: usize = 32;

/// One cryptomatte that the header defines.
#[derive(Clone, Debug, Default)]
pub struct Cryptomatte {
    /// Prefix of its layers.
    pub name: String,
    /// The key of its attributes.
    key: String,
    manifest: Option<Vec<u8>>,
    side_file: Option<PathBuf>,
}

/// Every cryptomatte of the header, sorted by name; side files are looked for in `folder`.
pub fn definitions(header: &Header, folder: Option<&Path>) -> Vec<Cryptomatte> {
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
        let value = &attribute.value;
        match field {
            "name" => found[index].name = String::from_utf8_lossy(value).into_owned(),
            "manifest" => found[index].manifest = Some(value.clone()),
            "manif_file" => found[index].side_file = manifest::beside(folder, value),
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
        const ENDS: [[&str; 3]; 4] = [
            ["R", "r", "red"],
            ["G", "g", "green"],
            ["B", "b", "blue"],
            ["A", "a", "alpha"],
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
                let place = |end: &&str| {
                    let name = format!("{}{layer:02}.{end}", self.name);
                    find(header, &[&name])?.first().copied()
                };
                let [id, coverage, next_id, next_coverage] =
                    ENDS.map(|spellings| spellings.iter().find_map(place));
                Some([id?, coverage?, next_id?, next_coverage?])
            })
            .collect()
    }

    fn manifest(&self) -> Result<Cow<'_, [u8]>> {
        match (&self.manifest, &self.side_file) {
            (Some(bytes), _) => Ok(bytes.into()),
            (None, Some(path)) => Ok(manifest::read(path)?.into()),
            (None, None) => Err(Error::new(
                Kind::MissingChannel,
                format!("cryptomatte {} has no manifest", self.name),
            )
            .hint("render with the manifest embedded, or in a file beside the EXR")),
        }
    }

    fn parse(&self, manifest: &[u8]) -> Result<Vec<Object>> {
        manifest::objects(manifest)
            .map_err(|error| error.at(format_args!("manifest of cryptomatte {}", self.name)))
    }

    /// Objects as the manifest lists them, sorted by name.
    pub fn objects(&self) -> Result<Vec<Object>> {
        self.parse(&self.manifest()?)
    }

    /// Objects that get a number of their own.
    pub fn count(&self) -> Result<usize> {
        let objects = self.objects()?;
        Ok(objects.iter().filter(|object| object.is_numbered()).count())
    }

    /// The numbers of its ids, from `known` if they were made before; `rounded` after PXR24.
    pub fn numbers(&self, rounded: bool, known: &mut Known) -> Result<Rc<Numbers>> {
        let manifest = self.manifest()?;
        known.get(&manifest, rounded, || {
            Numbers::new(&self.parse(&manifest)?, rounded)
        })
    }
}
