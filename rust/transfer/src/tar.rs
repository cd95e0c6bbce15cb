//! `--tar DIR`: shards in the form that WebDataset reads, in place of single files.
//!
//! Files gather in `.synthesis/stage` as whole files, checked as ever. When `renders` renders next
//! to each other in the list are there, they are written to one shard: in the list's order, with
//! headers that hold nothing of the moment or the machine; synced, and only then given their
//! name. So the same list gives the same shards, and a kill costs nothing but the shard that was
//! being written, whose files are still staged.
//!
//! WebDataset takes what is before the first dot of a file name as the key of a sample. A render's
//! file `7.cam_left.f_2.rgb.png` is therefore the member `7_cam_left_f_2.rgb.png`; all other names
//! stay. Job-wide files lie beside the shards. A render with a failed file stays staged.

mod archive;
mod pack;
mod shelf;

use std::path::PathBuf;

use crate::entry::Entry;

#[cfg(any(test, feature = "fuzzing"))]
pub use archive::read;
pub use pack::Packer;
pub use shelf::{packed, Shelf};

/// Where shards go, and how much is in one.
#[derive(Debug, Clone)]
pub struct Tar {
    /// The folder of `shard-000000.tar` and so on; made if it does not exist. It takes the place of
    /// the output folder.
    pub directory: PathBuf,
    /// Renders in a shard, at least 1; for lists, files that share what is before the first dot.
    pub renders: u64,
}

/// The name of shard `number`.
fn shard_name(number: u64) -> String {
    format!("shard-{number:06}.tar")
}

/// The number of a shard's name.
fn shard_number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("shard-")?.strip_suffix(".tar")?;
    let number = digits.parse().ok()?;
    (shard_name(number) == name).then_some(number)
}

/// The member for a file: the name with a key that WebDataset takes for one sample an image.
pub fn member(name: &str) -> String {
    let mut parts = name.splitn(4, '.');
    if let (Some(id), Some(camera), Some(frame), Some(suffix)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    {
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let number = frame.strip_prefix("f_");
        if is_number(id) && camera.starts_with("cam_") && number.is_some_and(is_number) {
            return format!("{id}_{camera}_{frame}.{suffix}");
        }
    }
    name.to_owned()
}

/// True for files of a manifest that belong to no render.
pub fn is_job_wide(entry: &Entry) -> bool {
    entry.line == 0 && entry.render.is_none()
}

/// What files of one render share: their id, or what is before the first dot of their names.
fn key(name: &str, render: Option<u64>) -> String {
    if let Some(id) = render {
        return id.to_string();
    }
    let base = name.rfind('/').map_or(0, |at| at + 1);
    let end = name[base..].find('.').map_or(name.len(), |at| base + at);
    name[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_have_one_key_an_image() {
        assert_eq!(member("7.cam_a.f_2.rgb.png"), "7_cam_a_f_2.rgb.png");
        assert_eq!(member("7.cam_a.f_2.exr"), "7_cam_a_f_2.exr");
        for same in [
            "a/b.png",
            "7.rgb.png",
            "7.cam_a.f_x.png",
            "plain",
            "x.cam_a.f_1.png",
        ] {
            assert_eq!(member(same), same);
        }
        assert_eq!(key("a.b/c.d.png", None), "a.b/c");
        assert_eq!(key("plain", None), "plain");
        assert_eq!(key("7.cam_a.f_2.exr", Some(7)), "7");
    }

    #[test]
    fn shards_are_numbered() {
        assert_eq!(shard_number(&shard_name(12)), Some(12));
        assert_eq!(shard_number(&shard_name(1_234_567)), Some(1_234_567));
        for other in [
            "shard-1.tar",
            "shard-+00001.tar",
            "shard-000001.tar.part",
            "x.tar",
        ] {
            assert_eq!(shard_number(other), None, "{other}");
        }
    }
}
