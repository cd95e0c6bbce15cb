//! A file being written. Where the system can do that it has no name until it is whole, so that a
//! kill leaves nothing behind and one call to the directory does; elsewhere it is a part.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::disk;
use crate::error::{Error, Result};
use crate::folder::Folder;

/// How files without a name get theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// By their descriptor (Linux; for users other than root from 6.10).
    Descriptor,
    /// By their descriptor's entry in `/proc`.
    Proc,
    /// They cannot: parts are renamed.
    Rename,
}

/// Finds out by doing it once in the work folder, because only that tells.
pub fn naming(work: &Path) -> Naming {
    let probe = work.join("probe");
    let _ = std::fs::remove_file(&probe);
    for naming in [Naming::Descriptor, Naming::Proc] {
        let works = nameless(work).and_then(|file| name(&file, naming, None, &probe));
        if works.is_ok() {
            let _ = std::fs::remove_file(&probe);
            return naming;
        }
    }
    Naming::Rename
}

/// One file being written.
pub struct Draft<'a> {
    folder: &'a Folder,
    file: File,
    /// Its name until it is whole, if it has one.
    part: Option<PathBuf>,
}

impl<'a> Draft<'a> {
    /// An empty draft of what shall be `name`.
    pub fn new(folder: &'a Folder, name: &str) -> Result<Self> {
        let fail = |error: io::Error| Error::io("write", &folder.target(name), &error);
        if folder.naming() != Naming::Rename {
            let file = disk::again(|| nameless(folder.work())).map_err(fail)?;
            return Ok(Self {
                folder,
                file,
                part: None,
            });
        }
        let part = folder.part(name);
        let file = disk::again(|| File::create(&part));
        let file = file.map_err(|error| Error::io("write", &part, &error))?;
        Ok(Self {
            folder,
            file,
            part: Some(part),
        })
    }

    /// Adds bytes at the end.
    pub fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let written = disk::write_all(&mut self.file, bytes);
        written.map_err(|error| Error::io("write", &self.folder.target(name), &error))
    }

    /// Gives it its final name; without `replace` an existing file stays.
    pub fn publish(mut self, name: &str, replace: bool) -> Result<()> {
        if let Some(part) = self.part.take() {
            return self.folder.publish(&part, name, replace);
        }
        let naming = self.folder.naming();
        let directory = self.folder.directory();
        let is_plain = !replace && directory.is_some() && self.folder.stem_aside(name).is_none();
        if is_plain && self::name(&self.file, naming, directory, Path::new(name)).is_ok() {
            return Ok(());
        }
        // Whatever is in the way, the longer path knows what to do about it.
        let part = self.folder.part(name);
        let _ = std::fs::remove_file(&part);
        let named = disk::again(|| self::name(&self.file, naming, None, &part));
        named.map_err(|error| Error::io("write", &part, &error))?;
        self.folder.publish(&part, name, replace)
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if let Some(part) = self.part.take() {
            let _ = std::fs::remove_file(part);
        }
    }
}

/// A file without a name on the disk of `folder`.
#[cfg(target_os = "linux")]
fn nameless(folder: &Path) -> io::Result<File> {
    use rustix::fs::{openat, Mode, OFlags, CWD};
    let mode = Mode::from_raw_mode(0o666);
    let file = openat(
        CWD,
        folder,
        OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC,
        mode,
    )?;
    Ok(File::from(file))
}

/// Gives it a name, which must be free.
#[cfg(target_os = "linux")]
fn name(file: &File, naming: Naming, directory: Option<&File>, path: &Path) -> io::Result<()> {
    use std::os::fd::{AsFd, AsRawFd};

    use rustix::fs::{linkat, AtFlags, CWD};
    let directory = directory.map_or(CWD, |directory| directory.as_fd());
    match naming {
        Naming::Descriptor => linkat(file, "", directory, path, AtFlags::EMPTY_PATH)?,
        Naming::Proc => {
            let entry = format!("/proc/self/fd/{}", file.as_raw_fd());
            linkat(CWD, entry, directory, path, AtFlags::SYMLINK_FOLLOW)?;
        }
        Naming::Rename => return Err(io::ErrorKind::Unsupported.into()),
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn nameless(_folder: &Path) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(target_os = "linux"))]
fn name(_file: &File, _naming: Naming, _directory: Option<&File>, _path: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
