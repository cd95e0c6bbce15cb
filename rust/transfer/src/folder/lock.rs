//! One process at a time in a folder.
//!
//! The kernel frees the lock of a dead process, so on a disk of this machine a stale one needs no
//! judgement. On disks that other machines share, locks may be missing or a fiction. There the lock's
//! text decides: who holds it, on which machine, and how long ago it was last written.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::disk;
use crate::error::{Error, Result};
use crate::names::shown;

/// A holder on another machine writes its line anew every few seconds; after this silence it is dead.
const DEAD_AFTER: Duration = Duration::from_secs(60);

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
    is_shared: bool,
}

/// The line in a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Holder {
    pid: i32,
    host: String,
    /// When the process began, in a unit of the system's own: a number may be given to another one.
    began: String,
}

impl Lock {
    /// Makes the work folder if needed and locks it.
    pub fn take(folder: &Path, work: &Path) -> Result<Self> {
        let path = work.join("lock");
        for _ in 0..100 {
            match fs::create_dir(work) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(Error::io("make the folder", work, &error));
                }
                _ => {}
            }
            let mut options = File::options();
            options.read(true).write(true).create(true).truncate(false);
            let mut file = match options.open(&path) {
                // Another process finished between our two calls and took the folder with it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                outcome => outcome.map_err(|error| Error::io("open", &path, &error))?,
            };
            let has_locks = match file.try_lock() {
                Ok(()) => true,
                Err(TryLockError::WouldBlock) => return Err(held_by(folder, read(&mut file))),
                Err(TryLockError::Error(error)) if has_no_locks(&error) => false,
                Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path, &error)),
            };
            let is_shared = !has_locks || disk::is_shared(work);
            if is_shared {
                let holder = read(&mut file);
                if holder
                    .as_ref()
                    .is_some_and(|holder| holder.is_at_work(&Holder::me(), || silence(&file, work)))
                {
                    return Err(held_by(folder, holder));
                }
            }
            if disk::is_same_file(&file, &path) {
                let mut lock = Self { file, is_shared };
                lock.write();
                return Ok(lock);
            }
        }
        let text = format!("cannot lock {}", folder.display());
        Err(Error::new(
            "locked",
            format!("{text}: other processes come and go"),
        ))
    }

    /// Writes the line anew where somebody may look at its age.
    pub fn beat(&mut self) {
        if self.is_shared {
            self.write();
        }
    }

    /// The line is a courtesy and, on shared disks, a sign of life: its failure fails nothing.
    fn write(&mut self) {
        let Holder { pid, host, began } = Holder::me();
        let _ = self.file.set_len(0);
        let _ = self.file.rewind();
        let _ = writeln!(self.file, "{pid} {host} {began}");
    }
}

impl Holder {
    fn me() -> Self {
        let pid = i32::try_from(std::process::id()).unwrap_or_default();
        Self {
            pid,
            host: host_name(),
            began: disk::began(pid),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        Some(Self {
            pid: words.next()?.parse().ok()?,
            host: words.next()?.to_owned(),
            began: words.next().unwrap_or_default().to_owned(),
        })
    }

    /// True if this holder may still be at work, as far as `me` can tell.
    fn is_at_work(&self, me: &Self, silence: impl Fn() -> Option<Duration>) -> bool {
        if self.host == me.host {
            disk::may_be_alive(self.pid) && disk::began(self.pid) == self.began
        } else {
            silence().is_none_or(|silence| silence < DEAD_AFTER)
        }
    }
}

fn has_no_locks(error: &io::Error) -> bool {
    const NO_LOCKS_LEFT: i32 = 37; // ENOLCK on Linux, which NFS without its lock service says
    error.kind() == io::ErrorKind::Unsupported
        || cfg!(target_os = "linux") && error.raw_os_error() == Some(NO_LOCKS_LEFT)
}

fn read(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    // On Windows a locked file cannot be read; then the holder stays unnamed.
    file.rewind().ok()?;
    file.take(300).read_to_string(&mut text).ok()?;
    Holder::parse(&text)
}

/// How long nothing was written to the lock, by the disk's own clock.
fn silence(lock: &File, work: &Path) -> Option<Duration> {
    let probe: PathBuf = work.join(format!("now-{}", std::process::id()));
    let now = File::create(&probe).and_then(|file| file.metadata()?.modified());
    let _ = fs::remove_file(&probe);
    let written = lock.metadata().and_then(|data| data.modified()).ok()?;
    Some(now.ok()?.duration_since(written).unwrap_or_default())
}

fn held_by(folder: &Path, holder: Option<Holder>) -> Error {
    let (who, hint) = match holder {
        Some(Holder { pid, host, .. }) if host != host_name() => (
            format!("process {pid} on {}", shown(&host)),
            "wait for it to end; if that machine is gone, wait a minute",
        ),
        Some(Holder { pid, host, .. }) => (
            format!("process {pid} on {}", shown(&host)),
            "wait for it to end, or choose another folder",
        ),
        None => (
            "another process".to_owned(),
            "wait for it to end, or choose another folder",
        ),
    };
    let text = format!("{who} is downloading to {}", folder.display());
    Error::new("locked", text).hint(hint)
}

fn host_name() -> String {
    #[cfg(unix)]
    let name = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    #[cfg(not(unix))]
    let name = std::env::var("COMPUTERNAME").unwrap_or_default();
    if name.is_empty() {
        "this-host".to_owned()
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(pid: i32, host: &str, began: &str) -> Holder {
        let text = format!("{pid} {host} {began}\n");
        Holder::parse(&text).unwrap_or_else(|| holder(0, "none", ""))
    }

    #[test]
    fn the_living_hold_and_the_dead_do_not() {
        let me = Holder::me();
        let short = || Some(Duration::from_secs(3));
        let long = || Some(Duration::from_secs(3_600));
        // A process of this machine is asked for; its line may be as old as it likes.
        assert!(me.is_at_work(&me, long));
        assert!(!holder(i32::MAX, &me.host, "1").is_at_work(&me, short));
        // The same number, but another process.
        if cfg!(target_os = "linux") {
            assert!(!holder(me.pid, &me.host, "1").is_at_work(&me, short));
        }
        // Of another machine only the line is known.
        assert!(holder(7, "elsewhere", "1").is_at_work(&me, short));
        assert!(holder(7, "elsewhere", "1").is_at_work(&me, || None));
        assert!(!holder(7, "elsewhere", "1").is_at_work(&me, long));
    }

    #[test]
    fn a_line_of_an_older_version_or_none_is_read() {
        assert_eq!(
            holder(7, "a", ""),
            Holder::parse("7 a").unwrap_or_else(Holder::me)
        );
        assert_eq!(Holder::parse(""), None);
        assert_eq!(Holder::parse("x y z"), None);
    }
}
