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
            "{shown} needs {needed} bytes and has {free}: {} bytes are missing",
            needed - free
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
    Ok(is_tight
        .then(|| format!("{shown} will be nearly full: {needed} of {free} free bytes are needed")))
}

#[cfg(test)]
mod tests {
    use super::*;

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
