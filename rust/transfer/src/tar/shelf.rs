//! A folder of shards: what they hold, what is staged for further ones, and the next free number.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use super::archive;
use super::{member, shard_name, shard_number};
use crate::disk;
use crate::error::{Error, Result};
use crate::folder::Present;

/// Bytes gathered before they are written.
const BUFFER: usize = 1 << 20;

/// The shards of a folder.
pub struct Shelf {
    folder: PathBuf,
    stage: PathBuf,
    next: u64,
    /// Set when the run ends before its time.
    pub stop: Arc<AtomicBool>,
}

/// The members of all shards of a folder; one that is not whole and ours is an error.
pub fn packed(folder: &Path) -> Result<Present> {
    let mut numbers: Vec<u64> = fs::read_dir(folder)
        .map_err(|error| Error::io("list", folder, &error))?
        .flatten()
        .filter_map(|entry| shard_number(entry.file_name().to_str()?))
        .collect();
    numbers.sort_unstable();
    let mut held = Present::default();
    for number in numbers {
        let path = folder.join(shard_name(number));
        let read = File::open(&path).and_then(|file| {
            let mut file = io::BufReader::with_capacity(4 << 10, file);
            archive::read(&mut file, |name, size| held.add(name, size))
        });
        read.map_err(|error| refused(&path, &error))?;
    }
    Ok(held)
}

impl Shelf {
    /// Reads the headers of all shards; one that is not whole and ours is an error.
    pub fn open(folder: &Path, stage: &Path) -> Result<(Self, Present)> {
        let held = packed(folder)?;
        let shelf = Self {
            folder: folder.to_owned(),
            stage: stage.to_owned(),
            next: 0,
            stop: Arc::default(),
        };
        remove(&shelf.part())?;
        shelf.unstage(&held)?;
        Ok((shelf, held))
    }

    /// Removes what is staged although a shard has it: a kill came between the two.
    fn unstage(&self, held: &Present) -> Result<()> {
        let mut rest = vec![(self.stage.clone(), String::new())];
        while let Some((path, prefix)) = rest.pop() {
            let entries = match fs::read_dir(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                outcome => outcome.map_err(|error| Error::io("list", &path, &error))?,
            };
            for entry in entries.flatten() {
                let Some(name) = entry
                    .file_name()
                    .to_str()
                    .map(|name| format!("{prefix}{name}"))
                else {
                    continue;
                };
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    rest.push((entry.path(), format!("{name}/")));
                } else if held.holds(&member(&name)) {
                    remove(&entry.path())?;
                }
            }
        }
        Ok(())
    }

    fn part(&self) -> PathBuf {
        self.stage.with_file_name("shard.part")
    }

    /// Where a file is while it waits for its shard.
    pub fn staged(&self, name: &str) -> PathBuf {
        self.stage.join(name)
    }

    /// Writes a shard of staged files, and removes those.
    pub fn pack(&mut self, names: &[Arc<str>]) -> Result<()> {
        let part = self.part();
        let fail = |error: io::Error| Error::io("write", &part, &error);
        let mut out = BufWriter::with_capacity(BUFFER, File::create(&part).map_err(fail)?);
        for name in names {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Error::new(
                    "cancelled",
                    "the run ended before the shard was whole",
                ));
            }
            self.write_member(&mut out, name).map_err(fail)?;
        }
        archive::write_end(&mut out).map_err(fail)?;
        let file = out.into_inner().map_err(|error| fail(error.into_error()))?;
        file.sync_all().map_err(fail)?;
        drop(file);
        loop {
            let path = self.folder.join(shard_name(self.next));
            self.next += 1;
            if path.exists() {
                continue;
            }
            match disk::rename_new(&part, &path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                outcome => {
                    outcome.map_err(|error| Error::io("write", &path, &error))?;
                    break;
                }
            }
        }
        // The name must be on disk before the files that it stands for go.
        sync_names(&self.folder)?;
        names.iter().try_for_each(|name| remove(&self.staged(name)))
    }

    fn write_member(&self, out: &mut impl Write, name: &str) -> io::Result<()> {
        let mut file = File::open(self.staged(name))?;
        let size = file.metadata()?.len();
        archive::write_header(out, &member(name), size)?;
        if io::copy(&mut file, out)? != size {
            return Err(io::Error::other("a staged file changed"));
        }
        out.write_all(archive::padding(size))
    }

    /// Gives a job-wide file its place beside the shards.
    pub fn put_beside(&self, name: &str) -> Result<()> {
        let path = self.folder.join(name);
        disk::rename_new(&self.staged(name), &path)
            .map_err(|error| Error::io("write", &path, &error))
    }

    /// Removes folders that staged files have left empty.
    pub fn tidy(&self) {
        tidy(&self.stage);
    }
}

fn tidy(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            tidy(&entry.path());
        }
    }
    // Stays if it holds anything.
    let _ = fs::remove_dir(folder);
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove", path, &error))
        }
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn sync_names(folder: &Path) -> Result<()> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| Error::io("sync", folder, &error))
}

#[cfg(not(unix))]
fn sync_names(_folder: &Path) -> Result<()> {
    Ok(())
}

fn refused(path: &Path, error: &io::Error) -> Error {
    if error.kind() != io::ErrorKind::InvalidData {
        return Error::io("read", path, error);
    }
    let text = format!("{} is no shard of ours: {error}", path.display());
    Error::new("file-exists", text).hint("move it away, or choose another folder")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kill_between_shard_and_stage_leaves_no_file_twice() {
        let folder = std::env::temp_dir().join(format!("shelf-{}", std::process::id()));
        let stage = folder.join(".synthesis").join("stage");
        let put = |name: &str| {
            let path = stage.join(name);
            let _ = path.parent().map(fs::create_dir_all);
            assert!(fs::write(path, name).is_ok());
        };
        let names = ["1.cam_a.f_1.rgb.png", "x/2.png"];
        names.iter().for_each(|name| put(name));
        let open = || Shelf::open(&folder, &stage).map_err(|error| error.message);
        let packed: Vec<Arc<str>> = names.iter().map(|name| Arc::from(*name)).collect();
        assert_eq!(open().map(|(mut shelf, _)| shelf.pack(&packed)), Ok(Ok(())));
        names.iter().for_each(|name| put(name));
        put("3.png");
        assert!(fs::write(folder.join(".synthesis").join("shard.part"), "half").is_ok());
        let held = open().map(|(_, held)| names.map(|name| held.holds(&member(name))));
        assert_eq!(held, Ok([true, true]));
        assert!(stage.join("3.png").exists() && !stage.join(names[0]).exists());
        assert!(!stage.join(names[1]).exists());
        assert!(!folder.join(".synthesis").join("shard.part").exists());
        let _ = fs::remove_dir_all(&folder);
    }
}
