//! Lists of every format to files, from files and from the web, over a real socket.
#![expect(clippy::unwrap_used, reason = "a test")]

mod server;

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use server::{file_list, ok, options, refused, run, run_with, Answer, Folder, Server};
use synthesis_transfer::{Counters, Input, List, Options};

fn url_list(url: &str) -> List {
    let url = synthesis_transfer::Url::parse(url).unwrap();
    List::Lines {
        input: Input::Url(url),
        base: None,
    }
}

/// The body of every file is its path.
fn echo() -> Server {
    Server::new(|path| {
        if path.contains("gone") {
            refused(404, "")
        } else {
            ok(path)
        }
    })
}

fn read(folder: &Folder, name: &str) -> String {
    fs::read_to_string(folder.0.join("out").join(name)).unwrap_or_default()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut packer = flate2::write::GzEncoder::new(vec![], flate2::Compression::new(6));
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

#[test]
fn a_text_list_gives_files_and_says_what_was_bad() {
    let (server, folder) = (echo(), Folder::new("text"));
    let url = &server.url;
    let text = format!(
        "\u{feff}# a comment\r\n\r\n{url}/a.png#frag\r\n{url}/b%20c.png?sig=1\tsub/x/d.png\n\
         {url}/a.png\nftp://h/x\n{url}/other/a.png\n{url}/gone.png\nnonsense\n\
         {url}/e\t../../evil\n{url}/last.png"
    );
    let list = file_list(&folder, "list.txt", text.as_bytes());
    let report = folder.0.join("report.jsonl");
    let wishes = |list| Options {
        report: Some(report.clone()),
        ..options(list, &folder)
    };
    for round in 0..2 {
        let outcome = run(wishes(list_again(&list))).unwrap();
        assert_eq!(read(&folder, "a.png"), "/a.png");
        assert_eq!(read(&folder, "sub/x/d.png"), "/b%20c.png?sig=1");
        assert_eq!(read(&folder, "last.png"), "/last.png");
        assert_eq!(outcome.counters.failed, 5, "{:?}", outcome.failures);
        let told: Vec<&str> = outcome
            .failures
            .iter()
            .map(|failure| failure.name.as_str())
            .collect();
        assert_eq!(told, ["a.png", "gone.png", "line 10", "line 6", "line 9"]);
        assert!(outcome.warnings[0].starts_with("1 line repeats"));
        assert_eq!((server.asked("/a.png"), server.asked("/other/")), (1, 0));
        let lines = fs::read_to_string(&report).unwrap();
        let lines: Vec<serde_json::Value> = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 9);
        assert_eq!(lines[8]["end"], true);
        assert_eq!(lines[8]["failed"], 5);
        assert_eq!(lines[8][if round == 0 { "new" } else { "present" }], 3);
        assert!(!lines.iter().any(|line| line.to_string().contains("sig=")));
        // A list without hashes: those of new files are told all the same.
        let digests = lines.iter().filter(|line| line["status"] == "new");
        assert!(digests.clone().all(|line| line["sha256"].is_string()));
        assert_eq!(digests.count(), if round == 0 { 3 } else { 0 });
    }
    assert_eq!(server.asked("last.png"), 1);
    assert!(!folder
        .names()
        .iter()
        .any(|name| name.contains("evil") || name.contains(".synthesis")));
}

fn list_again(list: &List) -> List {
    list.clone()
}

#[test]
fn every_format_and_packing_gives_the_same() {
    let server = echo();
    let url = &server.url;
    let digest = |text: &str| {
        use sha2::Digest;
        sha2::Sha256::digest(text)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let (one, two) = (digest("/1.png"), digest("/2.png"));
    let csv = format!(
        "size,sha256,url,name\n6,{one},{url}/1.png,x.png\n,{two},{url}/2.png,\"y,z.png\"\n"
    );
    let json = format!(
        "{{\"url\":\"{url}/1.png\",\"name\":\"x.png\",\"size\":6,\"sha256\":\"{one}\"}}\n\
         {{\"u\":\"{url}/2.png\",\"n\":\"y,z.png\",\"b\":6,\"h\":\"{two}\"}}"
    );
    let text = format!("{url}/1.png\tx.png\n{url}/2.png\ty,z.png\n");
    for (at, list) in [csv, json, text].iter().enumerate() {
        let packings = [
            list.as_bytes().to_vec(),
            gzip(list.as_bytes()),
            zstd::encode_all(list.as_bytes(), 3).unwrap(),
        ];
        for (packing, bytes) in packings.iter().enumerate() {
            let folder = Folder::new(&format!("format-{at}-{packing}"));
            let outcome = run(options(file_list(&folder, "list", bytes), &folder)).unwrap();
            assert_eq!(
                outcome.counters.failed, 0,
                "{at} {packing}: {:?}",
                outcome.failures
            );
            assert_eq!(read(&folder, "x.png"), "/1.png", "{at} {packing}");
            assert_eq!(read(&folder, "y,z.png"), "/2.png", "{at} {packing}");
        }
    }
}

#[test]
fn wrong_bytes_never_get_their_name() {
    let (server, folder) = (echo(), Folder::new("wrong"));
    let url = &server.url;
    let list = format!(
        "url,size,sha256\n{url}/1.png,7,\n{url}/2.png,6,{}\n",
        "ab".repeat(32)
    );
    let outcome = run(options(
        file_list(&folder, "list.csv", list.as_bytes()),
        &folder,
    ))
    .unwrap();
    assert_eq!(outcome.failed_by_kind.get("mismatch"), Some(&2));
    assert!(!folder.names().iter().any(|name| name.ends_with(".png")));
}

#[test]
fn it_is_told_how_far_a_list_was_read_and_when_it_is_whole() {
    let entered = Arc::new(AtomicUsize::new(0));
    let seen = entered.clone();
    // The first files are held up, so that the planner waits in the middle of the list.
    let server = Server::new(move |path| {
        seen.fetch_add(1, Ordering::SeqCst);
        while seen.load(Ordering::SeqCst) < 1_000 {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        ok(path)
    });
    let folder = Folder::new("share");
    let line = |at| {
        format!(
            "{}/{at:04},{}\n",
            server.url,
            if at == 0 { "" } else { "5" }
        )
    };
    let lines: String = (0..1_200).map(line).collect();
    let list = file_list(&folder, "list", format!("url,size\n{lines}").as_bytes());
    let counters = Arc::new(Counters::default());
    let (wishes, shown) = (options(list, &folder), counters.clone());
    let run = std::thread::spawn(move || run_with(wishes, shown));
    while entered.load(Ordering::SeqCst) < 8 || counters.snapshot().files_total < 1_024 {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let now = counters.snapshot();
    assert!(!now.is_whole && !now.sizes_known);
    let share = now.list_share.unwrap();
    assert!((0.8..0.95).contains(&share), "{share}");
    entered.store(1_000, Ordering::SeqCst);
    assert_eq!(run.join().unwrap().unwrap().counters.files_new, 1_200);
    let end = counters.snapshot();
    assert!(end.is_whole && end.list_share > Some(0.9), "{end:?}");
}

#[test]
fn a_list_of_which_much_is_gone_is_seen_to_its_end() {
    let (server, folder) = (echo(), Folder::new("gone"));
    let line = |at: usize| format!("{}/{}{at}\n", server.url, ["gone", "", "gone"][at % 3]);
    let list = (0..300).map(line).collect::<String>();
    let list = file_list(&folder, "list", list.as_bytes());
    let outcome = run(options(list, &folder)).unwrap();
    assert_eq!(outcome.failed_by_kind.get("not-found"), Some(&200));
    assert_eq!(outcome.counters.files_new, 100);
}

#[test]
fn a_list_that_is_cut_on_the_web_is_read_again() {
    let tries = AtomicUsize::new(0);
    let server = Server::new(move |path| {
        if path != "/list" {
            return ok(path);
        }
        let lines: String = (0..400).map(|at| format!("f/{at}.png\n")).collect();
        let cut = (tries.fetch_add(1, Ordering::SeqCst) < 2).then_some(1_234);
        Answer { cut, ..ok(lines) }
    });
    let folder = Folder::new("cut");
    let outcome = run(options(url_list(&format!("{}/list", server.url)), &folder)).unwrap();
    assert_eq!(
        (outcome.counters.files_new, outcome.counters.failed),
        (400, 0)
    );
    assert_eq!((server.asked("/list"), server.asked("/f/")), (3, 400));
}

/// The list has other names when it is read anew, or the same ones and fewer.
#[test]
fn a_list_that_changes_while_it_is_read_ends_the_run() {
    for (count, has_others) in [(400, true), (20, false)] {
        let tries = AtomicUsize::new(0);
        let server = Server::new(move |path| {
            if path != "/list" {
                return ok(path);
            }
            let first = tries.fetch_add(1, Ordering::SeqCst) == 0;
            let (count, kind) = if first {
                (400, 0)
            } else {
                (count, u8::from(has_others))
            };
            let lines: String = (0..count).map(|at| format!("f/{at}.{kind}\n")).collect();
            Answer {
                cut: first.then_some(1_000),
                ..ok(lines)
            }
        });
        let folder = Folder::new("changed");
        let error = run(options(url_list(&format!("{}/list", server.url)), &folder)).unwrap_err();
        assert!(
            error.message.contains("changed while it was read"),
            "{error}"
        );
    }
}

#[test]
fn no_list_is_no_list() {
    let folder = Folder::new("none");
    for (text, word) in [
        ("<html>", "web page"),
        ("[{}]", "array"),
        ("hello", "no URL"),
    ] {
        let error = run(options(
            file_list(&folder, "list", text.as_bytes()),
            &folder,
        ))
        .unwrap_err();
        assert!(error.message.contains(word), "{error}");
        assert_eq!(
            folder.names(),
            ["list"],
            "a run that brought nothing leaves no folder"
        );
    }
    let missing = Server::new(|_| refused(404, ""));
    let error = run(options(url_list(&format!("{}/list", missing.url)), &folder)).unwrap_err();
    assert_eq!((error.status, folder.names().len()), (Some(404), 1));
    fs::create_dir(folder.0.join("out")).unwrap();
    fs::write(folder.0.join("out/mine"), "").unwrap();
    assert!(run(options(url_list(&format!("{}/list", missing.url)), &folder)).is_err());
    assert_eq!(folder.names(), ["list", "out", "out/mine"]);
    let empty = run(options(file_list(&folder, "list", b""), &folder)).unwrap();
    assert_eq!(empty.counters.files_total, 0);
    let list = List::Lines {
        input: Input::File(folder.0.join("not-there")),
        base: None,
    };
    assert_eq!(run(options(list, &folder)).unwrap_err().kind, "usage");
}

#[test]
fn expired_links_of_a_list_on_the_web_are_renewed_once() {
    // The server's clock says noon; links are signed until then, and later ones until one o'clock.
    let tries = AtomicUsize::new(0);
    let server = Server::new(move |path| {
        if path == "/list" {
            let start = ["110000", "120000"][tries.fetch_add(1, Ordering::SeqCst).min(1)];
            let line = |at| format!("f/{at}?X-Amz-Date=20261120T{start}Z&X-Amz-Expires=3500\n");
            return ok((0..300).map(line).collect::<String>());
        }
        match path.contains("T110000Z") {
            true => refused(403, "<Error><Message>Request has expired</Message></Error>"),
            false => ok(path.split('?').next().unwrap_or_default()),
        }
    });
    let folder = Folder::new("renewed");
    let outcome = run(options(url_list(&format!("{}/list", server.url)), &folder)).unwrap();
    assert_eq!(
        (outcome.counters.files_new, outcome.counters.failed),
        (300, 0),
        "{:?}",
        outcome.failures
    );
    assert!(
        server.asked("T110000Z") <= 9,
        "{}",
        server.asked("T110000Z")
    );
    assert!(server.asked("/list") <= 3, "{}", server.asked("/list"));
}

#[test]
fn expired_links_of_a_file_cost_a_request_each_at_most() {
    let server = Server::new(|_| refused(403, "AccessDenied: Request has expired"));
    let folder = Folder::new("expired");
    let line = |at| format!("{}/f/{at}?se=2026-11-20T11%3A00Z&sig=x\n", server.url);
    let list: String = (0..300).map(line).collect();
    let outcome = run(options(
        file_list(&folder, "list", list.as_bytes()),
        &folder,
    ))
    .unwrap();
    assert_eq!(outcome.failed_by_kind.get("url-expired"), Some(&300));
    assert!(server.asked("/f/") <= 9, "{}", server.asked("/f/"));
}

#[test]
fn shards_are_disjoint_and_whole_and_a_dry_run_writes_nothing() {
    let server = echo();
    let lines: String = (0..100)
        .map(|at| format!("{}/{at}.png\n", server.url))
        .collect();
    let mut all = vec![];
    for part in 0..3 {
        let folder = Folder::new(&format!("part-{part}"));
        let list = file_list(&folder, "list", lines.as_bytes());
        let shard = Some((part, 3));
        let dry = Options {
            shard,
            dry_run: true,
            ..options(list.clone(), &folder)
        };
        let counted = run(dry).unwrap().assets["png"].clone();
        assert_eq!(folder.names(), ["list"]);
        let outcome = run(Options {
            shard,
            ..options(list, &folder)
        })
        .unwrap();
        assert_eq!(outcome.counters.files_new, counted.files);
        assert_eq!(
            (counted.unknown_sizes, counted.present_files),
            (counted.files, 0)
        );
        all.extend(
            folder
                .names()
                .into_iter()
                .filter(|name| name.ends_with(".png")),
        );
    }
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 100);
    assert_eq!(server.asked(".png"), 100);
}
