//! Files appear under their final names only when they are whole.
//!
//! Unfinished work lives in `.synthesis/` inside the output folder, in a folder of this
//! process's own, and both are removed when the work ends: loaders reject files that they do
//! not know.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};

static NEXT: AtomicU64 = AtomicU64::new(0);

/// A private folder for unfinished files of one output folder.
pub struct Scratch {
    directory: PathBuf,
    root: PathBuf,
    own: PathBuf,
}

impl Scratch {
    /// Makes the output folder, if need be, and the private one inside it.
    pub fn new(directory: &Path) -> Result<Self> {
        let root = directory.join(".synthesis");
        let own = root.join(format!(
            "exr-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        ));
        // Another process that ends may remove an empty `.synthesis` between our two steps.
        let mut tries = 0;
        loop {
            match fs::create_dir_all(&own) {
                Ok(()) => break,
                Err(error) if error.kind() == io::ErrorKind::NotFound && tries < 20 => tries += 1,
                Err(error) => return Err(Error::io(&error, "make the folder", &own)),
            }
        }
        Ok(Self {
            directory: directory.to_owned(),
            root,
            own,
        })
    }

    /// Writes `bytes` aside, then renames them to `name` in the output folder.
    pub fn put(&self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let unfinished = self.own.join(name);
        let path = self.directory.join(name);
        fs::write(&unfinished, bytes)
            .and_then(|()| replace(&unfinished, &path))
            .map_err(|error| {
                let _ = fs::remove_file(&unfinished);
                Error::io(&error, "write", &path)
            })?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.own);
        // Fails, as it should, while others work in it.
        let _ = fs::remove_dir(&self.root);
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
