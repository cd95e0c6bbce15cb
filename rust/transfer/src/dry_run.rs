//! What a run would do: the list is read and the folder looked at; nothing is fetched, written or
//! locked.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::control::Gate;
use crate::counters::{add, Counters};
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::folder::{Aside, Present, ASIDE, STAGE};
use crate::http::Http;
use crate::ids::Ids;
use crate::judge::Shards;
use crate::links::Links;
use crate::list::Listing;
use crate::manifest::{Line, Source};
use crate::names::{self, WORK};
use crate::options::{AssetCount, Options, Outcome};
use crate::plan::bad_line;
use crate::room;
use crate::selection::Selection;
use crate::tar;

/// Kinds that are told apart; files of further ones count as `other`.
const MOST_KINDS: usize = 200;

/// Counts.
pub async fn dry_run(http: &Http, options: Options, counters: Arc<Counters>) -> Result<Outcome> {
    let selection = Selection {
        asked: options.render_ids.as_deref().map(Ids::new),
        shard: options.shard,
    };
    let source = Source::new(options.list, options.headers);
    let (gate, links) = (Gate::default(), Links::new());
    let mut listing = Listing::new(http, &gate, &source, &links);
    let mut next = listing.next().await;
    let is_deep = !listing.is_manifest();
    let is_tar = options.tar.is_some();
    let directory = options.tar.map_or(options.directory, |tar| tar.directory);
    let place = directory.clone();
    let mut there =
        tokio::task::spawn_blocking(move || There::scan(&place, options.aside, is_deep, is_tar))
            .await
            .map_err(|_| Error::new("internal", "the folder's scan broke off"))??;
    let mut assets: BTreeMap<String, AssetCount> = BTreeMap::new();
    let (mut seen, mut complete) = (Ids::default(), true);
    while let Some(line) = next? {
        match line {
            Line::Head(head) => complete = head.complete.unwrap_or(true),
            Line::Bad(name, why) => {
                let text = format!("{}: {why}", names::shown(&name));
                counters.fail(&name, &Error::new(bad_line(is_deep), text));
            }
            Line::File(entry) if selection.has(&entry) => {
                entry.render.into_iter().for_each(|id| seen.insert(id));
                let mut kind = kind_of(&entry);
                if !assets.contains_key(&kind) && assets.len() >= MOST_KINDS {
                    "other".clone_into(&mut kind);
                }
                there.count(&entry, assets.entry(kind).or_default(), &counters);
            }
            Line::File(_) => {}
        }
        next = listing.next().await;
    }
    counters.whole();
    let needed = assets
        .values()
        .map(|asset| asset.bytes.saturating_sub(asset.present_bytes))
        .sum();
    let warning = room::check(&directory, needed, true)?;
    warning.into_iter().for_each(|text| counters.warn(text));
    Ok(Outcome {
        complete,
        listed: assets.keys().cloned().collect(),
        assets,
        free: room::free(&directory),
        needed,
        ..Outcome::of(&counters, selection.asked.as_ref(), &seen)
    })
}

/// What the list calls the file, or what its name does: `rgb.png` of `0.cam_x.f_1.rgb.png`, and
/// the extension of other names.
fn kind_of(entry: &Entry) -> String {
    if let Some(asset) = &entry.asset {
        return names::shown(asset);
    }
    let base = entry.name.rsplit('/').next().unwrap_or_default();
    let mut parts = base.splitn(4, '.');
    if let (Some(_), Some(camera), Some(frame), Some(suffix)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    {
        if camera.starts_with("cam_") && frame.starts_with("f_") {
            return suffix.to_owned();
        }
    }
    base.rsplit_once('.')
        .map_or_else(|| "none".to_owned(), |(_, ending)| ending.to_lowercase())
}

/// What the folder holds.
struct There {
    folder: Present,
    aside: Present,
    shards: Option<Shards>,
    wanted_for_products: Option<Aside>,
}

impl There {
    fn scan(directory: &Path, aside: Option<Aside>, is_deep: bool, is_tar: bool) -> Result<Self> {
        let scan = |path: &Path, is_deep| match path.is_dir() {
            true => Present::scan(path, None, false, is_deep),
            false => Ok(Present::default()),
        };
        let work = directory.join(WORK);
        let shards = match is_tar && directory.is_dir() {
            true => Some(Shards {
                packed: tar::packed(directory)?,
                beside: scan(directory, false)?,
            }),
            false => None,
        };
        let stage = is_tar.then(|| work.join(STAGE));
        Ok(Self {
            aside: scan(&work.join(ASIDE), false)?,
            folder: scan(stage.as_deref().unwrap_or(directory), is_deep)?,
            shards,
            wanted_for_products: aside,
        })
    }

    fn count(&mut self, entry: &Entry, asset: &mut AssetCount, counters: &Counters) {
        let bytes = entry.bytes.unwrap_or(0);
        asset.files += 1;
        asset.bytes += bytes;
        asset.unknown_sizes += u64::from(entry.bytes.is_none());
        add(&counters.files_total, 1);
        add(&counters.bytes_total, bytes);
        let stem = self
            .wanted_for_products
            .as_ref()
            .and_then(|aside| Some((aside, entry.name.strip_suffix(aside.suffix.as_str())?)));
        let is_made = stem.is_some_and(|(aside, stem)| {
            aside
                .products
                .iter()
                .all(|end| self.folder.holds(&format!("{stem}{end}")))
        });
        let held = if stem.is_some() {
            &mut self.aside
        } else {
            &mut self.folder
        };
        let packed = self.shards.as_mut().and_then(|shards| shards.take(entry));
        let is_there = packed
            .or_else(|| held.take(&entry.name))
            .is_some_and(|found| {
                found.bytes != u64::MAX && entry.bytes.is_none_or(|bytes| bytes == found.bytes)
            });
        if is_made || is_there {
            asset.present_files += 1;
            asset.present_bytes += bytes;
            add(&counters.files_present, 1);
            add(&counters.bytes_present, bytes);
        }
    }
}
