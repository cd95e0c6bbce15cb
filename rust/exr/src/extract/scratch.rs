//! Files appear under their final names only when they are whole.
//!
//! Unfinished work lives in `.synthesis/` inside the output folder, in a folder of this
//! process's own, and both are removed when the work ends: loaders reject files that they do
//! not know. A lock beside it tells others that its owner lives; what a killed one left goes
//! when the next work ends.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};

static NEXT: AtomicU64 = AtomicU64::new(0);
/// Encoders write in larger pieces; this is for their small ones.
const ROOM: usize = 32 << 10;

/// A private folder for unfinished files of one output folder.
pub struct Scratch {
    directory: PathBuf,
    root: PathBuf,
    own: PathBuf,
    lock: Option<File>,
}

impl Scratch {
    /// Makes the output folder, if need be, and the private one inside it.
    pub fn new(directory: &Path) -> Result<Self> {
        let root = directory.join(".synthesis");
        // Another process that ends may remove an empty `.synthesis` between our steps.
        let mut tries = 0;
        loop {
            let own = root.join(format!(
                "exr-{}-{}",
                std::process::id(),
                NEXT.fetch_add(1, Ordering::Relaxed)
            ));
            match claim(&own) {
                Ok(lock) => {
                    return Ok(Self {
                        directory: directory.to_owned(),
                        root,
                        own,
                        lock,
                    });
                }
                Err(error) if tries < 20 && passes(&error) => tries += 1,
                Err(error) => return Err(Error::io(&error, "make the folder", &own)),
            }
        }
    }

    /// Begins the file `name` of the output folder.
    pub fn create(&self, name: &str) -> Result<Unfinished> {
        let (unfinished, path) = (self.own.join(name), self.directory.join(name));
        let file = File::create(&unfinished).map_err(|error| Error::io(&error, "write", &path))?;
        Ok(Unfinished {
            unfinished,
            path,
            file: Some(BufWriter::with_capacity(ROOM, file)),
            bytes: 0,
        })
    }

    /// Writes the file `name` of the output folder at once.
    pub fn put(&self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let mut out = self.create(name)?;
        out.put(bytes)?;
        out.publish()
    }
}

/// A file that is not whole yet; it goes when it is dropped.
#[derive(Debug)]
pub struct Unfinished {
    unfinished: PathBuf,
    path: PathBuf,
    file: Option<BufWriter<File>>,
    bytes: u64,
}

impl Unfinished {
    /// Adds `bytes`.
    pub fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.write_all(bytes)
            .map_err(|error| Error::io(&error, "write", &self.path))
    }

    /// Where it will appear.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes written, those written twice counted twice.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The whole file under its name, in place of what was there.
    pub fn publish(mut self) -> Result<PathBuf> {
        let flushed = match self.file.take() {
            Some(mut file) => file.flush(),
            None => Ok(()),
        };
        flushed
            .and_then(|()| replace(&self.unfinished, &self.path))
            .map_err(|error| Error::io(&error, "write", &self.path))?;
        Ok(self.path.clone())
    }

    fn file(&mut self) -> io::Result<&mut BufWriter<File>> {
        self.file
            .as_mut()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Write for Unfinished {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file()?.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file()?.flush()
    }
}

impl Seek for Unfinished {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file()?.seek(to)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Closed first, for Windows removes no open file.
        self.file = None;
        let _ = fs::remove_file(&self.unfinished);
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.own);
        if self.lock.take().is_some() {
            let _ = fs::remove_file(lock_path(&self.own));
        }
        sweep(&self.root);
        // Fails, as it should, while others work in it.
        let _ = fs::remove_dir(&self.root);
    }
}

fn lock_path(own: &Path) -> PathBuf {
    own.with_extension("lock")
}

/// Whether the next name may do: another process has this one, or removed the folder around it.
fn passes(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::WouldBlock
    )
}

/// Holds the lock of a private folder and makes it; `None` where the file system has no locks.
fn claim(own: &Path) -> io::Result<Option<File>> {
    let path = lock_path(own);
    fs::create_dir_all(path.parent().unwrap_or(own))?;
    let lock = File::create(&path)?;
    let held = match lock.try_lock() {
        Ok(()) => Some(lock),
        Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
        Err(TryLockError::Error(_)) => {
            drop(lock);
            fs::remove_file(&path)?;
            None
        }
    };
    // After the lock: whoever sweeps between the two steps finds nothing to remove.
    fs::create_dir_all(own)?;
    Ok(held)
}

/// Removes the folders of processes that were killed: their locks are free.
fn sweep(root: &Path) {
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if !name.to_string_lossy().starts_with("exr-") || path.extension().is_none() {
            continue;
        }
        let Ok(lock) = File::open(&path) else {
            continue;
        };
        if lock.try_lock().is_ok() {
            let _ = fs::remove_dir_all(path.with_extension(""));
            drop(lock);
            let _ = fs::remove_file(&path);
        }
    }
}

/// Renames over what is there. On Windows an open reader of the old file makes this fail for
/// a moment, so it is tried again for half a second.
fn replace(from: &Path, to: &Path) -> io::Result<()> {
    let mut tries = 0;
    loop {
        match fs::rename(from, to) {
            Err(error)
                if cfg!(windows)
                    && error.kind() == io::ErrorKind::PermissionDenied
                    && tries < 25 =>
            {
                tries += 1;
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_what_the_killed_left_and_leaves_the_living_alone() {
        let directory = std::env::temp_dir().join(format!("sweep-{}", std::process::id()));
        let root = directory.join(".synthesis");
        fs::create_dir_all(root.join("exr-1-0")).unwrap();
        fs::write(root.join("exr-1-0").join("a.bin"), b"half").unwrap();
        fs::write(root.join("exr-1-0.lock"), b"").unwrap();
        let living = Scratch::new(&directory).unwrap();
        drop(Scratch::new(&directory).unwrap());
        assert!(!root.join("exr-1-0").exists());
        living.put("a.bin", b"whole").unwrap();
        drop(living);
        assert!(!root.exists());
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn leaves_only_the_finished_file() {
        let directory = std::env::temp_dir().join(format!("scratch-{}", std::process::id()));
        let scratch = Scratch::new(&directory).unwrap();
        scratch.put("a.bin", b"first").unwrap();
        scratch.put("a.bin", b"second").unwrap();
        drop(scratch);
        let names: Vec<_> = fs::read_dir(&directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, ["a.bin"]);
        assert_eq!(fs::read(directory.join("a.bin")).unwrap(), b"second");
        fs::remove_dir_all(directory).unwrap();
    }
}
