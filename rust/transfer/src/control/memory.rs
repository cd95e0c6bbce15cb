//! What was learnt of each host, in a small file: the next run begins there.
//!
//! Nothing depends on it: a damaged file is as good as none, and what it says is tried, not believed.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Hosts that are kept: the ones used last.
const MOST_HOSTS: usize = 100;

/// Days after which a host is another one.
const DAYS: u64 = 30;

/// A larger file is none of ours.
const LARGEST: u64 = 1 << 20;

/// What is known of one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    /// Permits that it settled at.
    permits: usize,
    /// When, in seconds since 1970.
    when: u64,
}

/// The file.
#[derive(Debug)]
pub struct Memory {
    path: Option<PathBuf>,
    host: String,
}

impl Memory {
    /// What `path` holds of `host`, which is written as host and port.
    pub fn of(path: Option<PathBuf>, host: String) -> Self {
        Self { path, host }
    }

    /// The permits that the host settled at, if that is known and not long ago.
    pub fn recall(&self) -> Option<usize> {
        let hosts = read(self.path.as_deref()?, now());
        hosts.get(&self.host).map(|known| known.permits)
    }

    /// Notes them. What goes wrong is of no account: it is only a hint.
    pub fn learn(&self, permits: usize) {
        if let Some(path) = &self.path {
            let now = now();
            let mut hosts = read(path, now);
            hosts.insert(self.host.clone(), Known { permits, when: now });
            while hosts.len() > MOST_HOSTS {
                let oldest = hosts.iter().min_by_key(|(_, known)| known.when);
                let Some(host) = oldest.map(|(host, _)| host.clone()) else {
                    break;
                };
                hosts.remove(&host);
            }
            let _ = write(path, &hosts);
        }
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

fn read(path: &Path, now: u64) -> BTreeMap<String, Known> {
    let is_small = path.metadata().is_ok_and(|meta| meta.len() <= LARGEST);
    let text = if is_small {
        std::fs::read(path).unwrap_or_default()
    } else {
        Vec::new()
    };
    let mut hosts: BTreeMap<String, Known> = serde_json::from_slice(&text).unwrap_or_default();
    hosts.retain(|_, known| known.permits > 0 && now.abs_diff(known.when) < DAYS * 86_400);
    hosts
}

/// To a file of its own beside it, readable by nobody else, and then in its place.
fn write(path: &Path, hosts: &BTreeMap<String, Known>) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.{:08x}", std::process::id(), fastrand::u32(..)));
    let other = path.with_file_name(name);
    let mut options = std::fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options
        .open(&other)
        .and_then(|mut file| file.write_all(&serde_json::to_vec(hosts)?))
        .and_then(|()| crate::disk::rename(&other, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&other);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("synthesis-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        folder.join("deeper").join("hosts.json")
    }

    fn of(path: &Path, host: &str) -> Memory {
        Memory::of(Some(path.to_owned()), host.to_owned())
    }

    #[test]
    fn what_was_learnt_is_recalled_by_host() {
        let path = place("recall");
        assert_eq!(of(&path, "a:443").recall(), None);
        of(&path, "a:443").learn(512);
        of(&path, "b:443").learn(30);
        assert_eq!(of(&path, "a:443").recall(), Some(512));
        assert_eq!(of(&path, "b:443").recall(), Some(30));
        assert_eq!(of(&path, "c:443").recall(), None);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = path.metadata().map_or(0, |meta| meta.permissions().mode());
            assert_eq!(mode & 0o777, 0o600);
        }
        let others = path.parent().and_then(|folder| folder.read_dir().ok());
        assert_eq!(others.map(Iterator::count), Some(1));
    }

    #[test]
    fn a_damaged_old_or_crowded_file_does_no_harm() {
        let path = place("damaged");
        of(&path, "a:443").learn(512);
        for text in ["", "{", "[]", "{\"a:443\": {\"permits\": -1}}", "\u{0}"] {
            assert!(std::fs::write(&path, text).is_ok());
            assert_eq!(of(&path, "a:443").recall(), None, "{text}");
        }
        assert!(std::fs::write(&path, "{\"a:443\": {\"permits\": 9, \"when\": 5}}").is_ok());
        assert_eq!(of(&path, "a:443").recall(), None);
        for host in 0..120 {
            of(&path, &format!("host{host}:443")).learn(40);
        }
        assert_eq!(read(&path, now()).len(), MOST_HOSTS);
    }
}
