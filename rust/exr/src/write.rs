//! Writes a scanline EXR, one ZIP block per line, as V-Ray does.
//!
//! Layout: "OpenEXR File Layout" of the OpenEXR project. The same input gives the same bytes.

use std::path::Path;

use libdeflater::{CompressionLvl, Compressor};

use crate::error::{Error, Kind, Result};
use crate::extract::scratch::Scratch;
use crate::read::attribute::{MAX_AREA, MAX_NAME, MAX_SIDE};
use crate::read::header::MAX_ATTRIBUTE;
use crate::read::predictor;

/// Samples of one channel, row by row from the top: `width * height` of them.
#[derive(Clone, Copy)]
pub enum Samples<'a> {
    /// Bits of float16, little endian.
    Half(&'a [u8]),
    /// Bits of float32, little endian.
    Float(&'a [u8]),
}

impl<'a> Samples<'a> {
    const fn bytes(self) -> &'a [u8] {
        match self {
            Self::Half(bytes) | Self::Float(bytes) => bytes,
        }
    }

    const fn size(self) -> usize {
        match self {
            Self::Half(_) => 2,
            Self::Float(_) => 4,
        }
    }

    /// The pixel type number of the channel list.
    const fn code(self) -> i32 {
        match self {
            Self::Half(_) => 1,
            Self::Float(_) => 2,
        }
    }
}

/// Writes the file: whole under its name, or not at all.
pub fn write(
    path: &Path,
    width: usize,
    height: usize,
    channels: &[(&str, Samples<'_>)],
    attributes: &[(&str, &str)],
) -> Result<()> {
    let bytes = encode(width, height, channels, attributes)?;
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .ok_or_else(|| Error::new(Kind::Usage, format!("not a file name: {}", path.display())))?;
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    Scratch::new(directory)?.put(name, &bytes).map(drop)
}

/// The bytes of the file.
pub fn encode(
    width: usize,
    height: usize,
    channels: &[(&str, Samples<'_>)],
    attributes: &[(&str, &str)],
) -> Result<Vec<u8>> {
    let channels = checked(width, height, channels, attributes)?;
    let mut file = header(width, height, &channels, attributes);
    let table = file.len();
    file.resize(table + 8 * height, 0);

    let line: usize = channels
        .iter()
        .map(|(_, samples)| samples.size() * width)
        .sum();
    let mut raw = Vec::with_capacity(line);
    let mut split = vec![0; line];
    let mut compressor = Compressor::new(CompressionLvl::default());
    let mut packed = vec![0; compressor.zlib_compress_bound(line)];
    for y in 0..height {
        raw.clear();
        for (_, samples) in &channels {
            let row = samples.size() * width;
            raw.extend_from_slice(&samples.bytes()[y * row..(y + 1) * row]);
        }
        predictor::split(&raw, &mut split);
        let size = compressor
            .zlib_compress(&split, &mut packed)
            .map_err(|_| Error::new(Kind::Internal, "cannot compress a line"))?;
        // The format's rule: what does not shrink is stored as it is.
        let block = if size < line {
            &packed[..size]
        } else {
            &raw[..]
        };
        let offset = file.len() as u64;
        file[table + 8 * y..table + 8 * y + 8].copy_from_slice(&offset.to_le_bytes());
        file.extend_from_slice(&(y as u32).to_le_bytes());
        file.extend_from_slice(&(block.len() as u32).to_le_bytes());
        file.extend_from_slice(block);
    }
    Ok(file)
}

/// The channels sorted by name, as the format wants them, after every check.
fn checked<'a>(
    width: usize,
    height: usize,
    channels: &[(&'a str, Samples<'a>)],
    attributes: &[(&str, &str)],
) -> Result<Vec<(&'a str, Samples<'a>)>> {
    let usage = |message: String| Err(Error::new(Kind::Usage, message));
    if width == 0 || height == 0 || channels.is_empty() {
        return usage("an EXR needs at least one pixel and one channel".to_owned());
    }
    if width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_AREA {
        return Err(Error::new(
            Kind::TooLarge,
            format!("{width} x {height} pixels are too many"),
        ));
    }
    let mut sorted = channels.to_vec();
    sorted.sort_by_key(|&(name, _)| name);
    for (name, samples) in &sorted {
        check_name(name)?;
        let expected = width * height * samples.size();
        if samples.bytes().len() != expected {
            return usage(format!(
                "channel {name} has {} bytes; {width} x {height} pixels need {expected}",
                samples.bytes().len()
            ));
        }
    }
    if let Some((name, _)) = attributes
        .iter()
        .find(|(_, value)| value.len() > MAX_ATTRIBUTE)
    {
        return Err(Error::new(
            Kind::TooLarge,
            format!("attribute {name} is longer than {MAX_ATTRIBUTE} bytes"),
        ));
    }
    let mut names: Vec<&str> = attributes.iter().map(|&(name, _)| name).collect();
    names.extend(OWN_ATTRIBUTES);
    names.sort_unstable();
    for name in &names {
        check_name(name)?;
    }
    let twice = |pair: &[&str]| (pair[0] == pair[1]).then(|| pair[0].to_owned());
    let channel_names: Vec<&str> = sorted.iter().map(|&(name, _)| name).collect();
    match names
        .windows(2)
        .chain(channel_names.windows(2))
        .find_map(twice)
    {
        Some(name) => usage(format!("{name} is given twice")),
        None => Ok(sorted),
    }
}

fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.len() > MAX_NAME || name.contains('\0') {
        return Err(Error::new(
            Kind::Usage,
            format!("not a name for an EXR: {name:?}"),
        ));
    }
    Ok(())
}

const OWN_ATTRIBUTES: [&str; 8] = [
    "channels",
    "compression",
    "dataWindow",
    "displayWindow",
    "lineOrder",
    "pixelAspectRatio",
    "screenWindowCenter",
    "screenWindowWidth",
];

fn header(
    width: usize,
    height: usize,
    channels: &[(&str, Samples<'_>)],
    attributes: &[(&str, &str)],
) -> Vec<u8> {
    const LONG_NAMES: u32 = 0x400;
    const ZIPS: u8 = 2;
    let long = attributes
        .iter()
        .map(|(name, _)| name.len())
        .any(|length| length > 31)
        || channels.iter().any(|(name, _)| name.len() > 31);
    let mut out = vec![0x76, 0x2f, 0x31, 0x01];
    out.extend_from_slice(&(2 | if long { LONG_NAMES } else { 0 }).to_le_bytes());

    let mut list = Vec::new();
    for (name, samples) in channels {
        list.extend_from_slice(name.as_bytes());
        list.push(0);
        for number in [samples.code(), 0, 1, 1] {
            list.extend_from_slice(&number.to_le_bytes());
        }
    }
    list.push(0);
    let window: Vec<u8> = [0, 0, width as i32 - 1, height as i32 - 1]
        .iter()
        .flat_map(|number: &i32| number.to_le_bytes())
        .collect();
    attribute(&mut out, "channels", "chlist", &list);
    attribute(&mut out, "compression", "compression", &[ZIPS]);
    attribute(&mut out, "dataWindow", "box2i", &window);
    attribute(&mut out, "displayWindow", "box2i", &window);
    attribute(&mut out, "lineOrder", "lineOrder", &[0]);
    attribute(&mut out, "pixelAspectRatio", "float", &1_f32.to_le_bytes());
    attribute(&mut out, "screenWindowCenter", "v2f", &[0; 8]);
    attribute(&mut out, "screenWindowWidth", "float", &1_f32.to_le_bytes());
    let mut sorted = attributes.to_vec();
    sorted.sort_unstable();
    for (name, value) in sorted {
        attribute(&mut out, name, "string", value.as_bytes());
    }
    out.push(0);
    out
}

fn attribute(out: &mut Vec<u8>, name: &str, kind: &str, value: &[u8]) {
    for word in [name, kind] {
        out.extend_from_slice(word.as_bytes());
        out.push(0);
    }
    out.extend_from_slice(&(value.len() as u32).to_le_bytes());
    out.extend_from_slice(value);
}
