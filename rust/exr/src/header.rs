//! The header.

/// Longest side of an image, in pixels.
pub const MAX_SIDE: usize = 65_536;
/// Most pixels of an image.
pub const MAX_AREA: usize = 1 << 28;
/// Longest name of a channel or an attribute, in bytes.
pub const MAX_NAME: usize = 255;
