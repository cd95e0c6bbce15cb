//! Finding channels in parts.

use crate::read::header::Header;
use crate::read::part::Part;

/// A channel of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Index of the part.
    pub part: usize,
    /// Index of the channel in it.
    pub channel: usize,
}

/// Where all of `names` are: in one part, or each in the part whose name and a dot it begins with.
pub fn find(header: &Header, names: &[&str]) -> Option<Vec<Place>> {
    let within = |part: usize| -> Option<Vec<Place>> {
        let channels = &header.parts[part].channels;
        names
            .iter()
            .map(|name| {
                let channel = channels.iter().position(|channel| channel.name == *name)?;
                Some(Place { part, channel })
            })
            .collect()
    };
    let mut order: Vec<usize> = (0..header.parts.len()).collect();
    // Plain R, G, B may be in every part of a file; the picture is in the part named so.
    order.sort_by_key(|&part| !is_picture(&header.parts[part]));
    order.into_iter().find_map(within).or_else(|| {
        names
            .iter()
            .map(|name| {
                header.parts.iter().enumerate().find_map(|(index, part)| {
                    let short = name.strip_prefix(&part.name)?.strip_prefix('.')?;
                    let mut channels = part.channels.iter();
                    let channel = channels.position(|channel| channel.name == short)?;
                    Some(Place {
                        part: index,
                        channel,
                    })
                })
            })
            .collect()
    })
}

fn is_picture(part: &Part) -> bool {
    ["", "rgba", "rgb", "beauty"].contains(&part.name.to_lowercase().as_str())
}

/// Size of the images that `header` gives: the display window of its first part.
pub fn size(header: &Header) -> (usize, usize) {
    let window = header.parts[0].display_window;
    (window.width(), window.height())
}
