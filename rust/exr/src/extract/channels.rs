//! Channels into memory: all in one array, or each in one of its own.

use std::fs::File;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use half::slice::{HalfBitsSliceExt, HalfFloatSliceExt};
use zerocopy::{FromBytes, IntoBytes};

use super::arrays::{Array, Arrays, Values};
use super::file::note;
use crate::error::{Error, Kind, Result};
use crate::read::attribute::SampleType;
use crate::read::channels::size;
use crate::read::header::Header;
use crate::read::{find, Input, Place, Reading, Row, Rows, Samples};

/// The channels `names` of the file at `path` in one array, in that order. float16 beside
/// float32 becomes float32; whole numbers stand beside themselves only.
pub fn channels(
    path: &Path,
    names: &[String],
    reading: Reading,
    stop: &AtomicBool,
) -> Result<Arrays> {
    let start = |header: &Header, places: &[Place]| -> Result<Vec<Array>> {
        let values = common(header, places)?;
        Ok(vec![Array::zeros(size(header), places.len(), values)?])
    };
    let put =
        |arrays: &mut [Array], row: &Row<'_>| arrays.iter_mut().for_each(|array| weave(array, row));
    read(path, names, reading, stop, start, put)
}

/// Each of the channels `names` of the file at `path` in an array of its own type.
pub fn planes(
    path: &Path,
    names: &[String],
    reading: Reading,
    stop: &AtomicBool,
) -> Result<Arrays> {
    let start = |header: &Header, places: &[Place]| -> Result<Vec<Array>> {
        let plane = |place: &Place| Array::zeros(size(header), 1, values(header, place));
        places.iter().map(plane).collect()
    };
    let put = |arrays: &mut [Array], row: &Row<'_>| {
        for (channel, array) in arrays.iter_mut().enumerate() {
            array.put(row.channel(channel).bytes());
        }
    };
    read(path, names, reading, stop, start, put)
}

/// Reads `names` into the arrays that `start` makes, by `put`.
fn read(
    path: &Path,
    names: &[String],
    reading: Reading,
    stop: &AtomicBool,
    start: impl FnOnce(&Header, &[Place]) -> Result<Vec<Array>>,
    put: impl Fn(&mut [Array], &Row<'_>),
) -> Result<Arrays> {
    let read = || -> Result<Arrays> {
        let mut input =
            Input::new(File::open(path).map_err(|error| Error::io(&error, "open", path))?)?;
        let header = Header::read(&mut input)?;
        let places = places(&header, names)?;
        let mut arrays = start(&header, &places)?;
        let mut missing = Vec::new();
        let mut rows = Rows::new(input, &header, &places, reading)?;
        while let Some(row) = rows.next(stop)? {
            if !row.is_whole {
                note(&mut missing, row.y);
            }
            put(&mut arrays, &row);
        }
        Ok(Arrays {
            all: arrays.into_iter().map(Ok).collect(),
            missing,
        })
    };
    crate::guard::quietly(read)
        .unwrap_or_else(|| Err(Error::new(Kind::Internal, "a fault in the reader")))
        .map_err(|error| {
            let is_placed = error.message.contains(&path.display().to_string());
            if is_placed || error.kind == Kind::Cancelled {
                error
            } else {
                error.at(path.display())
            }
        })
}

fn places(header: &Header, names: &[String]) -> Result<Vec<Place>> {
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    // Together if they are in one part, for R may be in many.
    let together = find(header, &all);
    let one = |name: &&str| {
        let found = find(header, &[name])?;
        found.first().copied()
    };
    let found = match together {
        Some(places) => places,
        None => match all.iter().map(one).collect() {
            Some(places) => places,
            None => {
                let missing = all.iter().find(|name| one(name).is_none());
                let words = format!("no channel {}", missing.unwrap_or(&""));
                return Err(Error::new(Kind::MissingChannel, words));
            }
        },
    };
    for place in &found {
        let part = &header.parts[place.part];
        if let Some(reason) = part.unreadable() {
            return Err(Error::unsupported(reason));
        }
    }
    if found.is_empty() {
        return Err(Error::new(Kind::Usage, "no channel is named"));
    }
    Ok(found)
}

/// What the samples of a channel are.
fn values(header: &Header, place: &Place) -> Values {
    match header.parts[place.part].channels[place.channel].kind {
        SampleType::Half => Values::F16,
        SampleType::Float => Values::F32,
        SampleType::Uint => Values::U32,
    }
}

/// The type that holds all of them without loss.
fn common(header: &Header, places: &[Place]) -> Result<Values> {
    let mut common = None;
    for values in places.iter().map(|place| values(header, place)) {
        common = match (common, values) {
            (None, values) => Some(values),
            (Some(common), values) if common == values => Some(values),
            (Some(Values::U32), _) | (Some(_), Values::U32) => {
                return Err(Error::new(
                    Kind::Usage,
                    "whole numbers and floats do not fit in one array",
                )
                .hint("read them as planes, which have a type each"));
            }
            _ => Some(Values::F32),
        };
    }
    common.ok_or_else(|| Error::new(Kind::Usage, "no channel is named"))
}

/// So many pixels of all channels at a time, which stay in the nearest cache.
const PIXELS: usize = 128;

/// Puts a row, sample beside sample.
fn weave(array: &mut Array, row: &Row<'_>) {
    let (step, values) = (array.channels, array.values);
    let target = array.next_row();
    let halves = |channel| match row.channel(channel) {
        Samples::Half(all) => all,
        Samples::Float(_) | Samples::Uint(_) => &[],
    };
    if step == 1 {
        target.copy_from_slice(row.channel(0).bytes());
    } else if values != Values::F16 {
        if let Ok(target) = <[u32]>::mut_from_bytes(target) {
            longs(target, step, row);
        }
    } else if let Ok(target) = <[u16]>::mut_from_bytes(target) {
        if step == 3 {
            let [first, second, third] = [0, 1, 2].map(halves);
            let from = first.iter().zip(second).zip(third);
            for (to, ((&first, &second), &third)) in target.as_chunks_mut().0.iter_mut().zip(from) {
                *to = [first, second, third];
            }
            return;
        }
        for (number, target) in target.chunks_mut(PIXELS * step).enumerate() {
            for channel in 0..step {
                spread(target, channel, step, &halves(channel)[number * PIXELS..]);
            }
        }
    }
}

/// The same for samples of 32 bits, which halves become.
fn longs(target: &mut [u32], step: usize, row: &Row<'_>) {
    for (number, target) in target.chunks_mut(PIXELS * step).enumerate() {
        let first = number * PIXELS;
        for channel in 0..step {
            match row.channel(channel) {
                Samples::Float(all) | Samples::Uint(all) => {
                    spread(target, channel, step, &all[first..]);
                }
                Samples::Half(all) => {
                    let mut floats = [0.0_f32; PIXELS];
                    let halves = &all[first..all.len().min(first + PIXELS)];
                    let halves: &[half::f16] = halves.reinterpret_cast();
                    halves.convert_to_f32_slice(&mut floats[..halves.len()]);
                    let bits = <[u32; PIXELS]>::ref_from_bytes(floats.as_bytes());
                    if let Ok(bits) = bits {
                        spread(target, channel, step, bits);
                    }
                }
            }
        }
    }
}

/// Writes every `step`-th sample, until `target` or the samples end.
fn spread<T: Copy>(target: &mut [T], channel: usize, step: usize, from: &[T]) {
    for (to, &sample) in target[channel..].iter_mut().step_by(step).zip(from) {
        *to = sample;
    }
}
