//! What can go wrong, as a stable kind and two lines of words.

use std::fmt;
use std::io;
use std::path::Path;

/// Stable name of a failure; the same words as in `synthesis.errors`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The bytes break the OpenEXR format, or stop too early.
    InvalidExr,
    /// A valid file of a sort that is not read here (deep, subsampled, HTJ2K ...).
    UnsupportedExr,
    /// The file lacks the channels that an asset is made of.
    MissingChannel,
    /// A lossy compression, or the wrong manifest, left ids that name no object.
    LostIds,
    /// The caller asked for something that makes no sense.
    Usage,
    /// No asset has this name.
    UnknownAsset,
    /// Larger than the limits of the reader or of a container.
    TooLarge,
    /// No such file or folder.
    NotFound,
    /// The file system says no.
    Permission,
    /// No space is left.
    DiskFull,
    /// Any other trouble with the disk.
    Disk,
    /// The caller asked to stop.
    Cancelled,
    /// A fault of this program.
    Internal,
}

/// All kinds that this crate can give, for the test that compares them with Python.
pub const KINDS: &[&str] = &[
    "cancelled",
    "disk",
    "disk-full",
    "internal",
    "invalid-exr",
    "lost-ids",
    "missing-channel",
    "not-found",
    "permission",
    "too-large",
    "unknown-asset",
    "unsupported-exr",
    "usage",
];

impl Kind {
    /// The kebab-case word that scripts compare.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidExr => "invalid-exr",
            Self::UnsupportedExr => "unsupported-exr",
            Self::MissingChannel => "missing-channel",
            Self::LostIds => "lost-ids",
            Self::Usage => "usage",
            Self::UnknownAsset => "unknown-asset",
            Self::TooLarge => "too-large",
            Self::NotFound => "not-found",
            Self::Permission => "permission",
            Self::DiskFull => "disk-full",
            Self::Disk => "disk",
            Self::Cancelled => "cancelled",
            Self::Internal => "internal",
        }
    }
}

/// One failure: what failed and why, and what to do next.
#[derive(Clone, Debug)]
pub struct Error {
    /// Stable name.
    pub kind: Kind,
    /// One line: what failed and why; names the file once `at` was called.
    pub message: String,
    /// One line: what to do next.
    pub hint: Option<&'static str>,
}

/// Shorthand of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A failure of `kind`.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: plain(message.into()),
            hint: None,
        }
    }

    /// A file that breaks the format.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::InvalidExr, message)
    }

    /// A file of a sort that is not read here.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(Kind::UnsupportedExr, message)
    }

    /// The same failure with advice.
    #[must_use]
    pub fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// The same failure with the place in front of its message.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.message = plain(format!("{place}: {}", self.message));
        self
    }

    /// The failure of a file operation on `path`.
    pub fn io(error: &io::Error, verb: &str, path: &Path) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => Kind::NotFound,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Kind::Permission,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Kind::DiskFull,
            _ => Kind::Disk,
        };
        Self::new(kind, format!("cannot {verb} {}: {error}", path.display()))
    }

    /// The caller's wish to stop.
    pub fn cancelled() -> Self {
        Self::new(Kind::Cancelled, "cancelled")
    }
}

/// The same words in one line: a file's own names may hold what a terminal obeys.
fn plain(words: String) -> String {
    let obeyed = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !words.contains(obeyed) {
        return words;
    }
    let mut shown = String::with_capacity(words.len());
    for letter in words.chars() {
        if obeyed(letter) {
            shown.extend(letter.escape_unicode());
        } else {
            shown.push(letter);
        }
    }
    shown
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::Error;

    #[test]
    fn a_message_is_one_line_that_no_terminal_obeys() {
        let error = Error::invalid("channel \u{1b}[2J\n\u{202e}é").at("a\rb.exr");
        assert_eq!(
            error.message,
            "a\\u{d}b.exr: channel \\u{1b}[2J\\u{a}\\u{202e}é"
        );
    }
}
