//! What differs between systems: free space, syncing, writing at an offset, renaming, limits.

use std::fs::File;
use std::io;
use std::path::Path;

/// Bytes that this user may still write where `path` lies, if the system tells.
#[cfg(unix)]
pub fn free_space(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Bytes that this user may still write where `path` lies, if the system tells.
#[cfg(not(unix))]
pub fn free_space(_path: &Path) -> Option<u64> {
    None
}

/// Brings everything written below `folder` to the disk itself. One call for any number of files.
#[cfg(target_os = "linux")]
pub fn sync_folder(folder: &Path, _written: &[std::path::PathBuf]) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(folder)?)?)
}

/// Brings the `written` files to the disk itself.
#[cfg(not(target_os = "linux"))]
pub fn sync_folder(_folder: &Path, written: &[std::path::PathBuf]) -> io::Result<()> {
    for path in written {
        match std::fs::OpenOptions::new().write(true).open(path) {
            Ok(file) => file.sync_all()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// True where [`sync_folder`] must be told the files.
pub const SYNC_NEEDS_NAMES: bool = !cfg!(target_os = "linux");

/// Writes all of `bytes` at `offset`.
#[cfg(unix)]
pub fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

/// Writes all of `bytes` at `offset`.
#[cfg(windows)]
pub fn write_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = std::os::windows::fs::FileExt::seek_write(file, bytes, offset)?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = &bytes[written..];
        offset += written as u64;
    }
    Ok(())
}

/// Reads from `offset`; fewer bytes than asked for only at the end of the file.
#[cfg(unix)]
pub fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, bytes, offset)
}

/// Reads from `offset`; fewer bytes than asked for only at the end of the file.
#[cfg(windows)]
pub fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, bytes, offset)
}

/// Renames without replacing: an existing `to` gives `AlreadyExists`.
pub fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    {
        use rustix::fs::{renameat_with, RenameFlags, CWD};
        use rustix::io::Errno;
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // Some file systems (old NFS, some FUSE) do not know the flag.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            outcome => return outcome.map_err(io::Error::from),
        }
    }
    if to.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    rename(from, to)
}

/// Renames, replacing. On Windows a virus scanner may hold a new file for a moment: try again.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let mut wait = std::time::Duration::from_millis(10);
    loop {
        match std::fs::rename(from, to) {
            Err(error)
                if cfg!(windows)
                    && error.kind() == io::ErrorKind::PermissionDenied
                    && wait.as_millis() < 1_500 =>
            {
                std::thread::sleep(wait);
                wait *= 2;
            }
            outcome => return outcome,
        }
    }
}

/// Lets this process open as many files as it may; returns how many, if there is a limit.
///
/// macOS starts at 256, which 100 connections and their files would use up.
pub fn raise_file_limit() -> Option<u64> {
    #[cfg(unix)]
    {
        use rustix::process::{getrlimit, setrlimit, Resource, Rlimit};
        let limit = getrlimit(Resource::Nofile);
        // macOS refuses more than this, whatever it says the maximum is.
        let most = if cfg!(target_os = "macos") {
            limit
                .maximum
                .map_or(Some(10_240), |most| Some(most.min(10_240)))
        } else {
            limit.maximum
        };
        let raised = Rlimit {
            current: most,
            maximum: limit.maximum,
        };
        if limit.current != most && setrlimit(Resource::Nofile, raised).is_ok() {
            return most;
        }
        limit.current
    }
    #[cfg(not(unix))]
    None
}

/// True if both are the same file, not just equal names.
pub fn is_same_file(open: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let (Ok(one), Ok(other)) = (open.metadata(), path.metadata()) else {
            return false;
        };
        (one.dev(), one.ino()) == (other.dev(), other.ino())
    }
    #[cfg(not(unix))]
    {
        let _ = open;
        path.exists()
    }
}

/// False only if this machine surely has no process `pid`.
pub fn may_be_alive(pid: i32) -> bool {
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        use rustix::process::{test_kill_process, Pid};
        Pid::from_raw(pid.max(0)).is_none_or(|pid| test_kill_process(pid) != Err(Errno::SRCH))
    }
    #[cfg(not(unix))]
    {
        let _ = pid;
        true
    }
}

/// Names this start of the machine, where the system does: memory not yet synced is lost with it.
pub fn boot_id() -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    text.trim().to_owned()
}
