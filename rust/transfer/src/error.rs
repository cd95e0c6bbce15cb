//! One error for the crate: a stable kind, one line that says what failed, one that helps.

use std::borrow::Cow;
use std::io;
use std::path::Path;

/// The kinds this crate raises, beside those that a server's problem document names.
pub const KINDS: &[&str] = &[
    "bad-answer",
    "cancelled",
    "differs",
    "disk",
    "disk-full",
    "file-exists",
    "internal",
    "invalid-list",
    "invalid-name",
    "locked",
    "mismatch",
    "missing",
    "network",
    "not-found",
    "not-a-member",
    "permission",
    "server-error",
    "throttled",
    "timeout",
    "tls",
    "unauthorized",
    "url-expired",
];

/// The crate's result.
pub type Result<T> = std::result::Result<T, Error>;

/// What failed, on what and why. Texts never hold keys, nor the query of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Stable kebab-case code: one of [`KINDS`], or what a problem document named.
    pub kind: Cow<'static, str>,
    /// One line: what failed, on what, why.
    pub message: String,
    /// One line: what to do next.
    pub hint: Option<String>,
    /// The HTTP status that led here.
    pub status: Option<u16>,
    /// The server's `X-Request-Id`.
    pub request_id: Option<String>,
}

impl Error {
    /// An error of `kind` with its line.
    pub fn new(kind: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            message: message.into(),
            hint: None,
            status: None,
            request_id: None,
        }
    }

    /// Adds what to do next.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the HTTP status.
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// The error of a file operation, with its path.
    pub fn io(doing: &str, path: &Path, error: &io::Error) -> Self {
        let shown = path.display();
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::new(
                "disk-full",
                format!("cannot {doing} {shown}: the disk is full"),
            )
            .hint("free some space and run the same command again: what is done is kept"),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::new(
                "permission",
                format!("cannot {doing} {shown}: {}", plain(error)),
            )
            .hint("choose a folder that you can write to"),
            io::ErrorKind::InvalidFilename => Self::new(
                "invalid-name",
                format!("cannot {doing} {shown}: the disk takes no name that long"),
            )
            .hint("choose a folder nearer to the root, or ask the owner of the job to rename it"),
            io::ErrorKind::NotADirectory => {
                let text = format!("cannot {doing} {shown}: its folder is a file");
                Self::new("disk", text).hint("move that file away, or choose another folder")
            }
            io::ErrorKind::NotFound => Self::new(
                "disk",
                format!("cannot {doing} {shown}: its folder was taken away meanwhile"),
            )
            .hint("put it back, or run the same command again to begin a new one"),
            _ => Self::new("disk", format!("cannot {doing} {shown}: {}", plain(error)))
                .hint("check the disk, then run the same command again: what is done is kept"),
        }
    }

    /// True for failures that no other file would escape either: the disk, the key.
    pub fn is_fatal(&self) -> bool {
        matches!(
            self.kind.as_ref(),
            "disk"
                | "disk-full"
                | "permission"
                | "locked"
                | "cancelled"
                | "internal"
                | "unauthorized"
        )
    }

    /// True if the process or the machine has no more descriptors.
    pub fn is_crowded(&self) -> bool {
        self.message.contains("too many open files")
    }

    /// True for failures of the network or the server, which another run may escape.
    pub fn is_outage(&self) -> bool {
        matches!(
            self.kind.as_ref(),
            "network" | "timeout" | "server-error" | "throttled" | "tls"
        )
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// The words of an I/O error, lower case and without "(os error 13)".
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}
