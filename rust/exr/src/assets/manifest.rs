//! The names and ids of a cryptomatte: a flat JSON object, in the file or beside it.

use std::fmt;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};

use crate::error::{Error, Kind, Result};

/// Lights are in the manifest, but they are no objects.
const DROPPED: [&str; 3] = ["vrayLightDome", "vrayLightMesh", "default"];
/// Ids are written as 16-bit numbers.
pub const MAX_OBJECTS: usize = 65_535;
/// Largest side file, as the largest attribute.
const MAX_BYTES: u64 = 32 << 20;

/// A named object and its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// As the manifest spells it.
    pub name: String,
    /// Its id.
    pub id: u32,
}

impl Object {
    /// It gets a number of its own.
    pub fn is_numbered(&self) -> bool {
        !DROPPED.contains(&self.name.as_str())
    }
}

/// Objects by name; the last of equal names counts, as in Python.
pub fn objects(manifest: &[u8]) -> Result<Vec<Object>> {
    let damaged = |reason: &dyn fmt::Display| Error::invalid(reason.to_string());
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
            Ok(id) if hex.len() <= 8 && !hex.starts_with('+') => Ok(Object { name, id }),
            _ => Err(damaged(&format_args!("{hex:?} is not an id"))),
        })
        .collect()
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

/// Where the side file `named` lies: in the EXR's own `folder` and nowhere else, for the name
/// comes from a file that may be anybody's.
pub fn beside(folder: Option<&Path>, named: &[u8]) -> Option<PathBuf> {
    let named = std::str::from_utf8(named).ok()?.trim_end_matches('\0');
    let is_plain = !named.is_empty()
        && !matches!(named, "." | "..")
        && !named.contains(['/', '\\', ':', '\0']);
    is_plain.then(|| folder.map(|folder| folder.join(named)))?
}

/// The bytes of a side file; a link is not followed.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let failed = |error| {
        Error::io(&error, "read the manifest", path).hint("the side file belongs beside the EXR")
    };
    let about = fs::symlink_metadata(path).map_err(failed)?;
    if !about.is_file() || about.len() > MAX_BYTES {
        let what = format!("{} is no plain file of a manifest", path.display());
        return Err(Error::new(Kind::MissingChannel, what));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_BYTES)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_manifests() {
        let found = objects(br#"{"b,\"\u00e9/":"12","a":"ffffffff","b,\"\u00e9/":"13"}"#).unwrap();
        let expected = [("a", 0xffff_ffff), ("b,\"é/", 0x13)].map(|(name, id)| Object {
            name: name.to_owned(),
            id,
        });
        assert_eq!(found, expected);
        for bad in [
            "",
            "[]",
            "{",
            r#"{"a":1}"#,
            r#"{"a":""}"#,
            r#"{"a":"xyz"}"#,
            r#"{"a":"123456789"}"#,
            r#"{"a":"+1"}"#,
            r#"{"a":"1"} x"#,
        ] {
            assert!(objects(bad.as_bytes()).is_err(), "{bad}");
        }
        let bomb = format!("{{\"a\":{}", "[".repeat(100_000));
        assert!(objects(bomb.as_bytes()).is_err());
    }

    #[test]
    fn counts_no_further_than_numbers_go() {
        let of = |count: usize| {
            let pairs: Vec<String> = (0..count).map(|n| format!("\"{n}\":\"{n:x}\"")).collect();
            objects(format!("{{{}}}", pairs.join(",")).as_bytes())
        };
        assert_eq!(of(MAX_OBJECTS).unwrap().len(), MAX_OBJECTS);
        assert!(of(MAX_OBJECTS + 10).is_err());
    }

    #[test]
    fn looks_for_side_files_beside_the_file_only() {
        let folder = Some(Path::new("renders"));
        assert_eq!(
            beside(folder, b"a.json\0"),
            Some(PathBuf::from("renders/a.json"))
        );
        for bad in ["", ".", "..", "/etc/passwd", "../a", "a/b", "a\\b", "C:a"] {
            assert_eq!(beside(folder, bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(beside(None, b"a.json"), None);
        assert_eq!(beside(folder, b"\xff"), None);
    }
}
