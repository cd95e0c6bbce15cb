//! The output folder. It is the record: a final name is there only when its bytes were right.
//!
//! Unfinished work lies in `.synthesis/` inside it: parts named by a hash of the final name, the
//! journal and the lock. It goes away when nothing is left unfinished.

mod lock;
mod present;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use sha2::{Digest, Sha256};

use self::lock::Lock;
pub use self::present::{Found, Present};
use crate::backoff::lock;
use crate::disk;
use crate::draft::{self, Naming};
use crate::error::{Error, Result};
use crate::manifest::hex;
use crate::names::WORK;

/// Files that are only wanted for what is made from them.
#[derive(Debug, Clone)]
pub struct Aside {
    /// What their names end in, such as `.exr`.
    pub suffix: String,
    /// Ends of the names of what is made: with all of them in the folder, the file is not wanted.
    pub products: Vec<String>,
}

/// An output folder that this process has for itself.
pub struct Folder {
    path: PathBuf,
    work: PathBuf,
    aside: Option<Aside>,
    /// Where files wait for their shards, if they are to be in any.
    stage: Option<PathBuf>,
    held: Mutex<Option<Lock>>,
    /// True if names that differ only in capital letters or in how accents are written are one.
    pub folds: bool,
    /// The folder, to name files in without walking to it each time.
    directory: Option<File>,
    naming: Naming,
    written: Mutex<Vec<PathBuf>>,
    /// The folders that were made for it, the innermost first.
    made: Vec<PathBuf>,
}

impl Folder {
    /// Makes the folder and its work folder if needed, and locks it against other processes.
    pub fn open(path: &Path, aside: Option<Aside>, is_staged: bool) -> Result<Self> {
        let missing = path.ancestors().take_while(|path| !path.exists());
        let made = missing.map(Path::to_owned).collect();
        fs::create_dir_all(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
                let text = format!(
                    "cannot make the folder {}: a file is in its place",
                    path.display()
                );
                Error::new("file-exists", text).hint("choose another folder")
            }
            io::ErrorKind::InvalidFilename => {
                let text = format!("cannot make the folder {}: it is too long", path.display());
                Error::new("usage", text).hint("choose a folder nearer to the root")
            }
            _ => Error::io("make the folder", path, &error),
        })?;
        let work = path.join(WORK);
        let held = Lock::take(path, &work)?;
        let folds = disk::folds_names(&work.join("lock"));
        sweep_scratch(&work);
        let naming = draft::naming(&work);
        if aside.is_some() {
            let folder = work.join(ASIDE);
            fs::create_dir_all(&folder)
                .map_err(|error| Error::io("make the folder", &folder, &error))?;
        }
        let stage = is_staged.then(|| work.join(STAGE));
        if let Some(folder) = &stage {
            fs::create_dir_all(folder)
                .map_err(|error| Error::io("make the folder", folder, &error))?;
        }
        Ok(Self {
            directory: File::open(stage.as_deref().unwrap_or(path)).ok(),
            path: path.to_owned(),
            work,
            aside,
            stage,
            held: Mutex::new(Some(held)),
            folds,
            naming,
            written: Mutex::default(),
            made,
        })
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder itself, open, where the system can do that.
    pub fn directory(&self) -> Option<&File> {
        self.directory.as_ref()
    }

    /// How files without a name get theirs here.
    pub fn naming(&self) -> Naming {
        self.naming
    }

    /// Where unfinished work is.
    pub fn work(&self) -> &Path {
        &self.work
    }

    /// The final path of a checked name.
    pub fn target(&self, name: &str) -> PathBuf {
        match self.stem_aside(name) {
            Some(_) => self.work.join(ASIDE).join(name),
            None => self.stage.as_ref().unwrap_or(&self.path).join(name),
        }
    }

    /// Where files wait for their shards, if they are to be in any.
    pub fn stage(&self) -> Option<&Path> {
        self.stage.as_deref()
    }

    /// Where files are kept that are only wanted for what is made from them.
    pub fn aside(&self) -> PathBuf {
        self.work.join(ASIDE)
    }

    /// The name without its suffix, if the file is only wanted for what is made from it.
    pub fn stem_aside<'a>(&self, name: &'a str) -> Option<&'a str> {
        name.strip_suffix(self.aside.as_ref()?.suffix.as_str())
    }

    /// True if all that is made from such a file is in the folder.
    pub fn is_made(&self, stem: &str, present: &Present) -> bool {
        let products = self.aside.iter().flat_map(|aside| &aside.products);
        products
            .map(|end| format!("{stem}{end}"))
            .all(|name| present.holds(&name))
    }

    /// Where the bytes of `name` gather. Hashed: a name may already have the greatest length.
    pub fn part(&self, name: &str) -> PathBuf {
        self.work.join(format!("{}.part", part_id(name)))
    }

    /// Gives a finished part its final name; without `replace` an existing file stays.
    pub fn publish(&self, part: &Path, name: &str, replace: bool) -> Result<()> {
        let target = self.target(name);
        let rename = || match replace {
            true => disk::rename(part, &target),
            false => disk::rename_new(part, &target),
        };
        let outcome = match rename() {
            // Names of lists may be paths; their folders are made when they are first needed.
            Err(error) if error.kind() == io::ErrorKind::NotFound && name.contains('/') => target
                .parent()
                .map_or(Ok(()), fs::create_dir_all)
                .and_then(|()| rename()),
            outcome => outcome,
        };
        outcome.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::DirectoryNotEmpty => {
                let _ = fs::remove_file(part);
                let text = format!("{} came into being during the download", target.display());
                Error::new("file-exists", text).hint(if self.folds {
                    "run the same command again; this disk takes names for one that differ in capitals"
                } else {
                    "run the same command again"
                })
            }
            _ => Error::io("write", &target, &error),
        })?;
        if disk::SYNC_NEEDS_NAMES {
            lock(&self.written).push(target);
        }
        Ok(())
    }

    /// Brings all that was published to the disk itself.
    pub fn sync(&self) -> Result<()> {
        let written = std::mem::take(&mut *lock(&self.written));
        disk::sync_folder(&self.path, &written)
            .map_err(|error| Error::io("sync", &self.path, &error))
    }

    /// Shows other machines that this process is still at work; called every few seconds.
    pub fn beat(&self) {
        if let Some(held) = lock(&self.held).as_mut() {
            held.beat();
        }
    }

    /// Removes parts that `is_wanted` does not want: what earlier runs left of small files.
    pub fn sweep(&self, is_wanted: impl Fn(&str) -> bool) {
        for entry in fs::read_dir(&self.work).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(id) = name.to_str().and_then(|name| name.strip_suffix(".part")) else {
                continue;
            };
            if !is_wanted(id) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Removes the work folder; anything in it that is not ours keeps it.
    pub fn finish(&self) {
        self.sweep(|_| false);
        for name in ["journal", "journal.new", "lock"] {
            let _ = fs::remove_file(self.work.join(name));
        }
        drop(lock(&self.held).take());
        // They stay if they hold anything: files aside that nobody has used yet.
        for name in [ASIDE, STAGE] {
            let _ = fs::remove_dir(self.work.join(name));
        }
        let _ = fs::remove_dir(&self.work);
    }

    /// Removes the work folder, and what was made for this run if nothing came to be in it.
    pub fn leave(&self) {
        self.finish();
        for path in &self.made {
            let _ = fs::remove_dir(path);
        }
    }
}

/// Where files wait for their shards, in the work folder.
pub const STAGE: &str = "stage";

/// Where files are kept aside, in the work folder.
pub const ASIDE: &str = "aside";

/// Removes what killed extractions left: they work in `exr-PID-NUMBER` folders.
fn sweep_scratch(work: &Path) {
    for entry in fs::read_dir(work).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let mut words = name.to_str().unwrap_or_default().split('-');
        if words.next() != Some("exr") {
            continue;
        }
        let pid = words.next().and_then(|word| word.parse().ok());
        if pid.is_some_and(|pid| !disk::may_be_alive(pid)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The name of a part: 128 bits of the sha256 of the final name.
pub fn part_id(name: &str) -> String {
    hex(&Sha256::digest(name.as_bytes())[..16])
}

/// The sha256 of a file.
pub fn digest(path: &Path) -> io::Result<[u8; 32]> {
    let (mut file, mut hasher) = (File::open(path)?, Sha256::new());
    let mut block = vec![0; 1 << 20];
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(hasher.finalize().into()),
            Ok(read) => hasher.update(&block[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
