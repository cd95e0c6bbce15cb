//! What differs between systems: free space, syncing, writing at an offset, renaming, limits.

mod rename;
mod sync;

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

pub use self::rename::{rename, rename_new};
pub use self::sync::{sync_folder, sync_names, SYNC_NEEDS_NAMES};

/// Does `work` again, a little later each time, while a network disk fails it in a way that passes:
/// its server is restarting, or has moved. What stays is the disk's last word.
pub fn again<T>(mut work: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let mut wait = Duration::from_millis(10);
    loop {
        match work() {
            Err(error) if is_passing(&error) && wait.as_millis() < 200 => {
                std::thread::sleep(wait);
                wait *= 2;
            }
            outcome => return outcome,
        }
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StaleNetworkFileHandle
            | io::ErrorKind::WouldBlock
            | io::ErrorKind::Interrupted
            | io::ErrorKind::TimedOut
    )
}

/// Bytes that this user may still write where `path` lies, if the system tells.
#[cfg(unix)]
pub fn free_space(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Bytes that this user may still write where `path` lies, if the system tells.
#[cfg(windows)]
pub fn free_space(path: &Path) -> Option<u64> {
    fs4::available_space(path).ok()
}

/// Writes all of `bytes` at `offset`.
#[cfg(unix)]
pub fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    use std::os::unix::fs::FileExt;
    // What was written before a failure is written once more: the same bytes at the same place.
    again(|| file.write_all_at(bytes, offset))
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

/// Writes all of `bytes` at the end.
pub fn write_all(file: &mut File, mut bytes: &[u8]) -> io::Result<()> {
    use std::io::Write;
    while !bytes.is_empty() {
        match again(|| file.write(bytes))? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => bytes = &bytes[written..],
        }
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

/// When process `pid` began, in ticks since the machine's start; empty where the system does not say.
pub fn began(pid: i32) -> String {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The second field is the program's name in brackets, which may hold anything.
    let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    rest.split_whitespace()
        .nth(19)
        .unwrap_or_default()
        .to_owned()
}

/// Names this start of the machine: memory not yet synced is lost with it. `None` where the system
/// has no such name; any interrupted run may then have been interrupted by a power loss.
pub fn boot_id() -> Option<String> {
    let text = if cfg!(target_os = "macos") {
        let command = std::process::Command::new("/usr/sbin/sysctl")
            .args(["-n", "kern.bootsessionuuid"])
            .output();
        String::from_utf8(command.ok()?.stdout).ok()?
    } else {
        std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?
    };
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// True if the folder's disk does not tell capital letters apart. `probe` is a file in it whose name
/// is in small letters.
pub fn folds_names(probe: &Path) -> bool {
    let name = probe.file_name().unwrap_or_default().to_ascii_uppercase();
    probe.with_file_name(name).symlink_metadata().is_ok()
}

/// True if other machines may use the same disk: locks of the kernel may then be a fiction.
pub fn is_shared(path: &Path) -> bool {
    #[cfg(target_os = "linux")]
    {
        // NFS, SMB (three ages of it), Lustre, FUSE, GPFS, BeeGFS, Ceph, 9P, AFS (two), OCFS2.
        const KINDS: [u32; 12] = [
            0x6969,
            0x517b,
            0xff53_4d42,
            0xfe53_4d42,
            0x0bd0_0bd0,
            0x6573_5546,
            0x4750_4653,
            0x1983_0326,
            0x00c3_6400,
            0x0102_1997,
            0x5346_414f,
            0x7461_636f,
        ];
        rustix::fs::statfs(path).is_ok_and(|stat| KINDS.contains(&(stat.f_type as u32)))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = path;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_tried_again_and_what_stays_is_told() {
        let mut left = 3;
        let outcome = again(|| {
            left -= 1;
            match left {
                0 => Ok("done"),
                _ => Err(io::ErrorKind::StaleNetworkFileHandle.into()),
            }
        });
        assert_eq!(outcome.ok(), Some("done"));
        let mut tries = 0;
        let outcome = again(|| -> io::Result<()> {
            tries += 1;
            Err(io::ErrorKind::StaleNetworkFileHandle.into())
        });
        assert!(outcome.is_err());
        assert_eq!(tries, 6);
        let mut tries = 0;
        let outcome = again(|| -> io::Result<()> {
            tries += 1;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert!(outcome.is_err());
        assert_eq!(tries, 1);
    }
}
