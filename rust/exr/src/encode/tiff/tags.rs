//! The directory of a TIFF: what it holds and where it stands.

use crate::encode::{Format, Shape};

const ASCII: u16 = 2;
const SHORT: u16 = 3;
const LONG: u16 = 4;
const RATIONAL: u16 = 5;

const DESCRIPTION: u16 = 270;
/// `tifffile` leaves room behind the description.
const ROOM: usize = 64;

/// Where the strips are and how they are packed.
pub struct Strips {
    /// Rows of each but the last.
    pub rows: usize,
    /// Number of the compression.
    pub method: u16,
    /// Where each begins.
    pub offsets: Vec<u32>,
    /// Bytes of each.
    pub counts: Vec<u32>,
}

/// One entry of the directory.
pub struct Tag {
    number: u16,
    kind: u16,
    count: u32,
    value: Vec<u8>,
}

fn shorts(number: u16, values: &[u16]) -> Tag {
    Tag {
        number,
        kind: SHORT,
        count: values.len() as u32,
        value: values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect(),
    }
}

fn longs(number: u16, values: &[u32]) -> Tag {
    Tag {
        number,
        kind: LONG,
        count: values.len() as u32,
        value: values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect(),
    }
}

/// Two bytes if that is enough.
fn short_or_long(number: u16, value: usize) -> Tag {
    u16::try_from(value).map_or_else(
        |_| longs(number, &[value as u32]),
        |value| shorts(number, &[value]),
    )
}

fn text(number: u16, words: &str) -> Tag {
    let mut value = words.as_bytes().to_vec();
    value.push(0);
    Tag {
        number,
        kind: ASCII,
        count: value.len() as u32,
        value,
    }
}

fn one(number: u16) -> Tag {
    Tag {
        kind: RATIONAL,
        count: 1,
        ..longs(number, &[1, 1])
    }
}

/// As `tifffile` 2020.9 has them; of the samples that are no floats the two tags that say so.
pub fn of_tifffile(shape: Shape, strips: &Strips) -> Vec<Tag> {
    const INTEGER: u16 = 1;
    const FLOAT: u16 = 3;
    let (channels, size) = shape.samples.size();
    let (predictor, sort) = match shape.samples {
        Format::Half(_) | Format::Float => (3, FLOAT),
        _ => (2, INTEGER),
    };
    let (width, height) = (shape.width, shape.height);
    let described = if channels == 1 {
        format!("{{\"shape\": [{height}, {width}]}}")
    } else {
        format!("{{\"shape\": [{height}, {width}, {channels}]}}")
    };
    let mut tags = vec![
        longs(256, &[width as u32]),
        longs(257, &[height as u32]),
        shorts(258, &vec![8 * size as u16; channels]),
        shorts(259, &[strips.method]),
        shorts(262, &[if channels == 3 { 2 } else { 1 }]),
        text(DESCRIPTION, &described),
        longs(273, &strips.offsets),
        shorts(277, &[channels as u16]),
        longs(278, &[strips.rows as u32]),
        longs(279, &strips.counts),
        one(282),
        one(283),
    ];
    if channels > 1 {
        tags.push(shorts(284, &[1]));
    }
    tags.extend([
        shorts(296, &[1]),
        text(305, "tifffile.py"),
        shorts(317, &[predictor]),
        shorts(339, &vec![sort; channels]),
    ]);
    tags
}

/// As libtiff has them by OpenCV: 8 bits, one channel.
pub fn of_libtiff(shape: Shape, strips: &Strips) -> Vec<Tag> {
    // Counts are short where it can tell beforehand that every strip stays small.
    let short = strips.rows * shape.width < 6553 && strips.counts.len() > 1;
    let counts = if short {
        let counts: Vec<u16> = strips.counts.iter().map(|&count| count as u16).collect();
        shorts(279, &counts)
    } else {
        longs(279, &strips.counts)
    };
    vec![
        short_or_long(256, shape.width),
        short_or_long(257, shape.height),
        shorts(258, &[8]),
        shorts(259, &[strips.method]),
        shorts(262, &[1]),
        longs(273, &strips.offsets),
        shorts(277, &[1]),
        short_or_long(278, strips.rows),
        counts,
        shorts(284, &[1]),
        shorts(317, &[2]),
        shorts(339, &[1]),
    ]
}

/// The head of a file whose directory is at 8: long values behind it, room behind the
/// description, then zeros up to a multiple of 16, where the strips begin.
pub fn first(tags: &[Tag]) -> Vec<u8> {
    let directory = 8 + 2 + 12 * tags.len() + 4;
    let mut file = b"II\x2a\0\x08\0\0\0".to_vec();
    file.extend_from_slice(&(tags.len() as u16).to_le_bytes());
    let mut values = Vec::new();
    for tag in tags {
        let place = (directory + values.len()).next_multiple_of(2);
        entry(&mut file, tag, place);
        if tag.value.len() > 4 {
            values.resize(place - directory, 0);
            values.extend_from_slice(&tag.value);
            if tag.number == DESCRIPTION {
                values.resize(values.len() + ROOM, 0);
            }
        }
    }
    file.extend_from_slice(&[0; 4]);
    file.extend_from_slice(&values);
    file.resize(file.len().next_multiple_of(16), 0);
    file
}

/// A directory for the end of a file, at the even `place`: behind it the counts, then the offsets.
pub fn last(tags: &[Tag], place: usize) -> Vec<u8> {
    let mut values = place + 2 + 12 * tags.len() + 4;
    let mut file = (tags.len() as u16).to_le_bytes().to_vec();
    let long = |number: u16| {
        let found = tags.iter().find(|tag| tag.number == number);
        found.filter(|tag| tag.value.len() > 4)
    };
    let behind = [long(279), long(273)];
    let places = behind.map(|tag| {
        let place = values;
        values += tag.map_or(0, |tag| tag.value.len());
        place
    });
    for tag in tags {
        entry(&mut file, tag, places[usize::from(tag.number == 273)]);
    }
    file.extend_from_slice(&[0; 4]);
    for tag in behind.into_iter().flatten() {
        file.extend_from_slice(&tag.value);
    }
    file
}

/// 12 bytes: number, type, count, and the value or where it is.
fn entry(file: &mut Vec<u8>, tag: &Tag, place: usize) {
    file.extend_from_slice(&tag.number.to_le_bytes());
    file.extend_from_slice(&tag.kind.to_le_bytes());
    file.extend_from_slice(&tag.count.to_le_bytes());
    let mut value = [0; 4];
    if tag.value.len() > 4 {
        value = (place as u32).to_le_bytes();
    } else {
        value[..tag.value.len()].copy_from_slice(&tag.value);
    }
    file.extend_from_slice(&value);
}
