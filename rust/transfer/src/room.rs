//! Whether the disk has room for what is to come.

use std::path::Path;

use crate::disk;
use crate::error::{Error, Result};

/// Free bytes where `folder` is or will be, if the system tells.
pub fn free(folder: &Path) -> Option<u64> {
    let absolute = std::path::absolute(folder).ok()?;
    absolute.ancestors().find_map(disk::free_space)
}

/// Refuses to begin what cannot fit, unless `force`; words of warning if it will be tight.
pub fn check(folder: &Path, needed: u64, force: bool) -> Result<Option<String>> {
    let Some(free) = free(folder) else {
        return Ok(None);
    };
    let shown = folder.display();
    if free < needed {
        let text = format!(
            "{shown} needs {} and has {}: {} are missing",
            size(needed),
            size(free),
            size(needed - free)
        );
        return match force {
            true => Ok(Some(text)),
            false => Err(Error::new("disk-full", text).hint(
                "free some space, ask for fewer assets, choose another disk, or use --force",
            )),
        };
    }
    // Over 95 %: other programs write there too.
    let is_tight = u128::from(needed) * 100 > u128::from(free) * 95;
    let text = || {
        let (needed, free) = (size(needed), size(free));
        format!("{shown} will be nearly full: {needed} of {free} that are free are needed")
    };
    Ok(is_tight.then(text))
}

/// Bytes as people write them: `512 B`, `20.1 KB`, `97.0 GB`, by powers of 1000.
pub fn size(bytes: u64) -> String {
    let mut count = bytes as f64;
    let mut units = ["B", "KB", "MB", "GB", "TB", "PB", "EB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    while count >= 999.95 {
        let Some(next) = units.next() else { break };
        (count, unit) = (count / 1000.0, next);
    }
    match unit {
        "B" => format!("{bytes} B"),
        _ => format!("{count:.1} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_as_people_do() {
        let counts = [0, 999, 1_000, 999_949, 999_950, 97_000_000_000, u64::MAX];
        let shown = [
            "0 B", "999 B", "1.0 KB", "999.9 KB", "1.0 MB", "97.0 GB", "18.4 EB",
        ];
        assert_eq!(counts.map(size), shown);
    }

    #[test]
    fn what_cannot_fit_is_refused_and_what_is_tight_is_told() {
        let folder = std::env::temp_dir().join("not").join("there").join("yet");
        let Some(free) = free(&folder) else { return };
        assert_eq!(check(&folder, free / 2, false), Ok(None));
        assert!(matches!(
            check(&folder, free / 1000 * 980, false),
            Ok(Some(_))
        ));
        let refused = check(&folder, u64::MAX, false);
        assert_eq!(refused.map_err(|error| error.kind), Err("disk-full".into()));
        assert!(matches!(check(&folder, u64::MAX, true), Ok(Some(_))));
    }
}
