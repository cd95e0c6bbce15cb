//! What a file holds, without its pixels.

use std::collections::HashSet;
use std::fs::File;
use std::path::Path;

use crate::assets::cryptomatte::definitions;
use crate::assets::manifest::Object;
use crate::assets::source::makeable;
use crate::assets::Asset;
use crate::error::{Error, Result};
use crate::read::attribute::Attribute;
use crate::read::header::Header;
use crate::read::input::Input;
use crate::read::part::Part;

/// Longest text of an attribute that is shown, in characters.
const MAX_TEXT: usize = 1000;
/// Attributes that are shown in other ways.
const SHOWN: [&str; 9] = [
    "channels",
    "chunkCount",
    "compression",
    "dataWindow",
    "displayWindow",
    "lineOrder",
    "name",
    "tiles",
    "type",
];

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text, cut where it is very long.
    Text(String),
    /// Whole numbers.
    Integers(Vec<i64>),
    /// Other numbers.
    Numbers(Vec<f64>),
}

/// One cryptomatte.
#[derive(Clone, Debug)]
pub struct CryptomatteInfo {
    /// Prefix of its layers.
    pub name: String,
    /// Layers of two ranks each.
    pub layers: usize,
    /// Objects with a number of their own; nothing when the manifest is missing or damaged.
    pub objects: Option<usize>,
    /// Those of them whose id an object before them has, and which therefore get no pixel.
    pub shadowed: Option<usize>,
}

/// A file's contents.
#[derive(Clone, Debug)]
pub struct Info {
    /// Its header.
    pub header: Header,
    /// Its cryptomattes, sorted by name.
    pub cryptomattes: Vec<CryptomatteInfo>,
    /// What can be made of it.
    pub assets: Vec<Asset>,
}

/// Reads the header of the file.
pub fn info(path: &Path) -> Result<Info> {
    let file = File::open(path).map_err(|error| Error::io(&error, "open", path))?;
    let header = Input::new(file)
        .and_then(|mut input| Header::read(&mut input))
        .map_err(|error| error.at(path.display()))?;
    let cryptomattes = definitions(&header, path.parent())
        .iter()
        .map(|known| {
            let objects = known.objects().ok();
            CryptomatteInfo {
                name: known.name.clone(),
                layers: known.layers(&header).len(),
                objects: objects.as_deref().map(|all| numbered(all).count()),
                shadowed: objects.as_deref().map(shadowed),
            }
        })
        .collect();
    let assets = makeable(&header, path.parent());
    Ok(Info {
        header,
        cryptomattes,
        assets,
    })
}

fn numbered(objects: &[Object]) -> impl Iterator<Item = &Object> {
    objects.iter().filter(|object| object.is_numbered())
}

fn shadowed(objects: &[Object]) -> usize {
    let mut ids = HashSet::new();
    numbered(objects)
        .filter(|object| !ids.insert(object.id))
        .count()
}

/// A part's other attributes with their type and value.
pub fn attributes(part: &Part) -> impl Iterator<Item = (&str, &str, Value)> {
    part.attributes
        .iter()
        .filter(|attribute| !SHOWN.contains(&attribute.name.as_str()))
        .map(|attribute| {
            (
                attribute.name.as_str(),
                attribute.kind.as_str(),
                value(attribute),
            )
        })
}

fn value(attribute: &Attribute) -> Value {
    let bytes = attribute.value.as_slice();
    let words = || {
        bytes
            .chunks_exact(4)
            .filter_map(|word| word.try_into().ok())
    };
    let few = bytes.len() <= 256;
    match attribute.kind.as_str() {
        "string" => Value::Text(text(bytes)),
        "int" | "v2i" | "v3i" | "box2i" | "timecode" | "keycode" | "rational" if few => {
            Value::Integers(
                words()
                    .map(|word| i32::from_le_bytes(word).into())
                    .collect(),
            )
        }
        "float" | "v2f" | "v3f" | "box2f" | "m33f" | "m44f" | "chromaticities" if few => {
            Value::Numbers(
                words()
                    .map(|word| shortest(f32::from_le_bytes(word)))
                    .collect(),
            )
        }
        "double" | "v2d" | "v3d" | "m33d" | "m44d" if few => Value::Numbers(
            bytes
                .chunks_exact(8)
                .filter_map(|word| word.try_into().ok())
                .map(f64::from_le_bytes)
                .collect(),
        ),
        _ => Value::Text(format!("{} bytes", bytes.len())),
    }
}

/// The double that prints as the float does: 0.05, not 0.05000000074505806.
fn shortest(number: f32) -> f64 {
    number.to_string().parse().unwrap_or_else(|_| number.into())
}

fn text(bytes: &[u8]) -> String {
    // Enough bytes for the longest text there is.
    let words = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * MAX_TEXT + 4)]);
    let mut cut: String = words.chars().take(MAX_TEXT).collect();
    if cut.len() < bytes.len() && words.chars().count() > MAX_TEXT {
        cut.push('…');
    }
    cut
}
