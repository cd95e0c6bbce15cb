//! Manifests found where any list may be, over a real socket: what they cost in requests and trips.
#![expect(clippy::unwrap_used, reason = "a test")]

mod server;

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use synthesis_transfer::{Concurrency, Input, List, Options, Url};

use server::{file_list, ok, options, refused, run, Answer, Folder, Server};

const COUNT: usize = 300;

/// A manifest of files whose bodies are their names, and from where on it is asked for.
fn manifest(after: Option<usize>) -> String {
    let mut text =
        "{\"job\":\"j\",\"count\":300,\"bytes\":0,\"url\":\"/f/{name}?s=1\"}\n".to_owned();
    for at in after.map_or(0, |at| at + 1)..COUNT {
        let body = format!("{at}.png");
        let digest = Sha256::digest(&body);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let bytes = body.len();
        text += &format!(
            "{{\"n\":\"{body}\",\"a\":\"rgb\",\"r\":{at},\"b\":{bytes},\"h\":\"{digest}\"}}\n"
        );
    }
    text + "{\"end\":true,\"next\":null}\n"
}

fn file(path: &str) -> Answer {
    ok(path.trim_start_matches("/f/").trim_end_matches("?s=1"))
}

fn after(path: &str) -> Option<usize> {
    let name = path.split_once("after=")?.1;
    name.trim_end_matches(".png").parse().ok()
}

fn at(url: &str) -> List {
    List::Lines {
        input: Input::Url(Url::parse(url).unwrap()),
        base: None,
    }
}

#[test]
fn a_manifest_is_asked_for_once_whoever_knew_that_it_is_one() {
    let packed = zstd::encode_all(manifest(None).as_bytes(), 3).unwrap();
    let server = Server::new(move |path| match path.contains("/m") {
        true if path.contains("zstd") => ok(packed.clone()),
        true => ok(manifest(after(path))),
        false => file(path),
    });
    let known = List::Manifest {
        url: Url::parse(&format!("{}/m-known", server.url)).unwrap(),
    };
    let found = |name: &str| at(&format!("{}/{name}", server.url));
    for (name, list) in [
        ("/m-known", known),
        ("/m-plain", found("m-plain")),
        ("/m-zstd", found("m-zstd")),
    ] {
        let folder = Folder::new(&name[1..]);
        // A second run of a finished folder asks for nothing else.
        for round in [1, 2] {
            let outcome = run(options(list.clone(), &folder)).unwrap();
            assert_eq!(outcome.counters.files_done, COUNT as u64);
            assert_eq!(outcome.counters.failed, 0, "{:?}", outcome.failures);
            assert_eq!(server.asked(name), round);
        }
        assert_eq!(fs::read(folder.0.join("out/7.png")).unwrap(), b"7.png");
    }
    assert_eq!(server.asked("/f/"), 3 * COUNT);
}

#[test]
fn a_manifest_that_is_cut_goes_on_where_it_was() {
    let server = Server::new(|path| match path.starts_with("/m") {
        true => Answer {
            cut: (!path.contains("after=")).then_some(9_000),
            ..ok(manifest(after(path)))
        },
        false => file(path),
    });
    let folder = Folder::new("cut-manifest");
    let outcome = run(options(at(&format!("{}/m", server.url)), &folder)).unwrap();
    assert_eq!(outcome.counters.files_new, COUNT as u64);
    assert_eq!((server.asked("/m"), server.asked("/m?after=")), (2, 1));
    assert_eq!(server.asked("/f/"), COUNT);
}

/// The first file's request finds a connection: the list was still being asked for when it was opened.
#[test]
fn a_connection_for_the_first_file_is_open_before_the_list_answers() {
    for name in ["m", "list"] {
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        let server = Server::counting(connections.clone(), move |path| {
            if path.starts_with("/f/") {
                return file(path);
            }
            let begun = Instant::now();
            while count.load(Ordering::SeqCst) < 2 {
                if begun.elapsed() > Duration::from_secs(1) {
                    return refused(404, "no second connection");
                }
                std::thread::yield_now();
            }
            match path {
                "/m" => ok(manifest(None)),
                _ => ok((0..COUNT)
                    .map(|at| format!("f/{at}.png\n"))
                    .collect::<String>()),
            }
        });
        let folder = Folder::new(&format!("ahead-{name}"));
        let outcome = run(Options {
            concurrency: Concurrency::Fixed(1),
            ..options(at(&format!("{}/{name}", server.url)), &folder)
        });
        assert_eq!(outcome.unwrap().counters.files_new, COUNT as u64);
        // The list's, and the one that all files came over.
        assert_eq!(connections.load(Ordering::SeqCst), 2, "{name}");
    }
}

#[test]
fn a_saved_manifest_needs_a_base() {
    let (server, folder) = (Server::new(|path| ok(path)), Folder::new("saved"));
    let manifest = "{\"job\":\"j\",\"count\":1,\"bytes\":7,\"url\":\"/f/{name}\"}\n\
                    {\"n\":\"a b\",\"a\":\"rgb\",\"r\":0,\"b\":8}\n{\"end\":true,\"next\":null}\n";
    let list = file_list(&folder, "saved.json", manifest.as_bytes());
    let error = run(options(list.clone(), &folder)).unwrap_err();
    assert_eq!(error.kind, "usage");
    assert!(error.hint.is_some_and(|hint| hint.contains("--base")));
    let List::Lines { input, .. } = list else {
        unreachable!()
    };
    let base = synthesis_transfer::Url::parse(&server.url).ok();
    let outcome = run(options(List::Lines { input, base }, &folder)).unwrap();
    assert_eq!(outcome.counters.failed, 0, "{:?}", outcome.failures);
    assert_eq!(fs::read(folder.0.join("out/a b")).unwrap(), b"/f/a%20b");
    assert_eq!(folder.names(), ["out", "out/a b", "saved.json"]);
}
