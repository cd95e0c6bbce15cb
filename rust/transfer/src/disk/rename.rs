//! Giving a file its final name.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

/// Renames without replacing: an existing `to` gives `AlreadyExists`.
pub fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    {
        use rustix::fs::{renameat_with, RenameFlags, CWD};
        use rustix::io::Errno;
        let outcome = patiently(|| {
            renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE).map_err(io::Error::from)
        });
        // Some file systems (NFS, some FUSE) do not know the flag.
        let code = outcome.as_ref().err().and_then(Errno::from_io_error);
        if !matches!(code, Some(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP)) {
            return outcome;
        }
    }
    // A second name never replaces; then the first goes. A kill between the two leaves a part whose
    // file has its final name already, which the next run takes away.
    match patiently(|| fs::hard_link(from, to)) {
        Ok(()) => fs::remove_file(from),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // No hard links here (FAT, some network disks): look first, and hope that nobody is faster.
        Err(_) if to.symlink_metadata().is_ok() => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => rename(from, to),
    }
}

/// Renames, replacing.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    patiently(|| fs::rename(from, to))
}

/// On Windows a virus scanner may hold a new file for a moment, elsewhere a network disk may be
/// away for one.
fn patiently(mut work: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    let mut waits = WAITS.iter();
    loop {
        match super::again(&mut work) {
            Err(error) if cfg!(windows) && is_held(&error) => match waits.next() {
                Some(wait) => std::thread::sleep(Duration::from_millis(*wait)),
                None => return Err(error),
            },
            outcome => return outcome,
        }
    }
}

/// Eight more tries, in milliseconds between them: 2.3 s in all.
const WAITS: [u64; 8] = [10, 20, 40, 80, 160, 320, 640, 1_000];

/// Access denied, sharing violation, lock violation: what Windows says of a file that a scanner holds.
fn is_held(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(5 | 32 | 33))
}
