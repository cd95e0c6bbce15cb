//! Shards: the same bytes after any interruption, and whole or not at all.
#![expect(clippy::unwrap_used, reason = "a test")]

mod server;

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use server::{file_list, ok, options, refused, run, Folder, Server};
use synthesis_transfer::Options;

#[test]
fn shards_are_the_same_after_any_interruption_and_nothing_is_fetched_twice() {
    let is_down = Arc::new(AtomicBool::new(true));
    let down = is_down.clone();
    let server = Server::new(move |path| match path {
        _ if path.contains("/5.") && down.load(Ordering::SeqCst) => refused(404, ""),
        _ if path.contains("big") => ok(vec![7; 3 << 20]),
        _ => ok(path),
    });
    let kinds = ["rgb.png", "info.json", "big.exr"];
    let lines = |end: usize| -> String {
        let names = (0..end).flat_map(|at| kinds.map(|kind| format!("{at}.cam_x.f_1.{kind}")));
        names
            .map(|name| format!("{}/{name}\n", server.url))
            .collect()
    };
    let tar = |folder: &Folder, end| Options {
        tar: Some(synthesis_transfer::Tar {
            directory: folder.0.join("out"),
            renders: 3,
        }),
        ..options(file_list(folder, "list", lines(end).as_bytes()), folder)
    };
    let shards = |folder: &Folder| {
        let names = folder.names();
        let names = names.iter().filter(|name| name.ends_with(".tar"));
        names
            .map(|name| fs::read(folder.0.join(name)).unwrap())
            .collect::<Vec<_>>()
    };
    let folder = Folder::new("tar");
    let outcome = run(tar(&folder, 8)).unwrap();
    assert_eq!(
        (outcome.counters.files_new, outcome.counters.failed),
        (21, 3)
    );
    assert_eq!(shards(&folder).len(), 3, "{:?}", folder.names());
    let before = server.asked("exr");
    is_down.store(false, Ordering::SeqCst);
    // The render that had failed and two new ones make a shard; nothing else is asked for.
    let outcome = run(tar(&folder, 10)).unwrap();
    assert_eq!(
        (outcome.counters.files_new, outcome.counters.failed),
        (9, 0),
        "{:?}",
        outcome.failures
    );
    assert_eq!(
        (shards(&folder).len(), server.asked("exr")),
        (4, before + 3)
    );
    assert!(
        !folder
            .names()
            .iter()
            .any(|name| name.contains(".synthesis")),
        "{:?}",
        folder.names()
    );
    assert_eq!(run(tar(&folder, 10)).unwrap().counters.files_present, 30);
    assert_eq!(server.asked("exr"), before + 3);
    // Two whole runs agree to the byte, and the first shard's members are samples in order.
    let (one, two) = (Folder::new("tar-one"), Folder::new("tar-two"));
    run(tar(&one, 8)).unwrap();
    run(tar(&two, 8)).unwrap();
    assert_eq!(shards(&one), shards(&two));
    assert_eq!(shards(&one).len(), 3);
    assert!(shards(&one)[0].starts_with(b"0_cam_x_f_1.rgb.png\0"));
    // A damaged shard is refused and left alone.
    let path = one.0.join("out/shard-000001.tar");
    let mut bytes = fs::read(&path).unwrap();
    bytes.truncate(2_000);
    fs::write(&path, &bytes).unwrap();
    assert_eq!(run(tar(&one, 8)).unwrap_err().kind, "file-exists");
    assert_eq!(fs::read(&path).unwrap(), bytes);
}
