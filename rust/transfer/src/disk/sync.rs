//! Bringing what was written to the disk itself: once per checkpoint, not once per file.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Brings everything written below `folder` to the disk itself. One call for any number of files.
#[cfg(target_os = "linux")]
pub fn sync_folder(folder: &Path, _written: &[PathBuf]) -> io::Result<()> {
    let folder = File::open(folder)?;
    // A sync that fails is never tried again: what it has dropped, a second one would not miss.
    Ok(rustix::io::retry_on_intr(|| rustix::fs::syncfs(&folder))?)
}

/// Brings the `written` files, and the names in their folders, to the disk itself.
///
/// On macOS `fsync` hands bytes to the drive, which may keep them in memory of its own: one full sync
/// at the end empties that, whatever the number of files. `File::sync_all` would do it for each.
#[cfg(all(unix, not(target_os = "linux")))]
pub fn sync_folder(folder: &Path, written: &[PathBuf]) -> io::Result<()> {
    for path in written {
        match File::open(path) {
            Ok(file) => rustix::fs::fsync(file)?,
            // Somebody has taken it away since.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    let mut folders: Vec<&Path> = written.iter().filter_map(|path| path.parent()).collect();
    folders.sort_unstable();
    folders.dedup();
    for path in folders {
        rustix::fs::fsync(File::open(path)?)?;
    }
    File::open(folder)?.sync_all()
}

/// Brings the `written` files to the disk itself; NTFS keeps a journal of the names.
#[cfg(windows)]
pub fn sync_folder(_folder: &Path, written: &[PathBuf]) -> io::Result<()> {
    for path in written {
        match std::fs::OpenOptions::new().write(true).open(path) {
            Ok(file) => file.sync_all()?,
            // Somebody has taken it away since.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// True where [`sync_folder`] must be told the files.
pub const SYNC_NEEDS_NAMES: bool = !cfg!(target_os = "linux");

/// Brings the names in `folder` to the disk itself, where that is a thing of its own.
pub fn sync_names(folder: &Path) -> io::Result<()> {
    if cfg!(windows) {
        return Ok(());
    }
    match File::open(folder)?.sync_all() {
        // Some network disks cannot sync a folder: its names are with the server already.
        Err(error) if is_unknown(&error) => Ok(()),
        outcome => outcome,
    }
}

fn is_unknown(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
    )
}
