//! The names of what an EXR gives.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::error::{Error, Kind, Result};

/// `X` of every `X.exr`; two files of one folder's output may not share it.
pub fn stems(files: &[PathBuf]) -> Result<Vec<String>> {
    let mut seen: HashMap<String, &PathBuf> = HashMap::new();
    let mut stems = Vec::with_capacity(files.len());
    for file in files {
        let name = file
            .file_name()
            .unwrap_or(file.as_os_str())
            .to_string_lossy();
        let is_exr = |(_, suffix): &(&str, &str)| suffix.eq_ignore_ascii_case("exr");
        let stem = name
            .rsplit_once('.')
            .filter(is_exr)
            .map_or(name.as_ref(), |(stem, _)| stem)
            .to_owned();
        if let Some(other) = seen.insert(stem.clone(), file) {
            return Err(Error::new(
                Kind::Usage,
                format!(
                    "{} and {} would give files of one name",
                    other.display(),
                    file.display()
                ),
            )
            .hint("extract them into different folders"));
        }
        stems.push(stem);
    }
    Ok(stems)
}
