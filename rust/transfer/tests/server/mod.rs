//! A web server on a real socket, for tests: a function from path to answer.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use synthesis_transfer::{
    download, CancellationToken, Concurrency, Counters, Http, Input, Limits, List, Options,
    Outcome, Result,
};

/// What the server says.
pub struct Answer {
    pub status: u16,
    pub headers: Vec<String>,
    pub body: Vec<u8>,
    /// Close the connection after this many bytes of the body.
    pub cut: Option<usize>,
}

pub fn ok(body: impl Into<Vec<u8>>) -> Answer {
    Answer {
        status: 200,
        headers: vec![],
        body: body.into(),
        cut: None,
    }
}

pub fn refused(status: u16, body: &str) -> Answer {
    Answer { status, ..ok(body) }
}

/// A running server; `paths` has every path and query that was asked for.
pub struct Server {
    pub url: String,
    paths: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn new(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::counting(Arc::default(), answer)
    }

    /// A server whose connections are counted.
    pub fn counting(
        connections: Arc<AtomicUsize>,
        answer: impl Fn(&str) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let paths = Arc::new(Mutex::new(vec![]));
        let (seen, answer) = (paths.clone(), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                connections.fetch_add(1, Ordering::SeqCst);
                let (seen, answer) = (seen.clone(), answer.clone());
                std::thread::spawn(move || serve(stream, &seen, &*answer));
            }
        });
        Self { url, paths }
    }

    pub fn asked(&self, part: &str) -> usize {
        let paths = self.paths.lock().unwrap();
        paths.iter().filter(|path| path.contains(part)).count()
    }
}

fn serve(
    stream: TcpStream,
    seen: &Mutex<Vec<String>>,
    answer: &dyn Fn(&str) -> Answer,
) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut writer = stream;
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first).ok()? == 0 {
            return None;
        }
        let mut line = String::new();
        while reader.read_line(&mut line).ok()? > 2 {
            line.clear();
        }
        let path = first.split(' ').nth(1)?.to_owned();
        seen.lock().unwrap().push(path.clone());
        let answer = answer(&path);
        let mut head = format!(
            "HTTP/1.1 {} X\r\nContent-Length: {}\r\n",
            answer.status,
            answer.body.len()
        );
        if !answer
            .headers
            .iter()
            .any(|header| header.starts_with("Date:"))
        {
            head.push_str("Date: Fri, 20 Nov 2026 12:00:00 GMT\r\n");
        }
        for header in &answer.headers {
            head.push_str(&format!("{header}\r\n"));
        }
        let end = answer.cut.unwrap_or(answer.body.len());
        // In one piece: two would wait for an acknowledgement in between.
        let whole = [format!("{head}\r\n").as_bytes(), &answer.body[..end]].concat();
        writer.write_all(&whole).ok()?;
        if answer.cut.is_some() {
            return None;
        }
    }
}

/// A folder that is removed in the end.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("synthesis-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Everything in the folder, by path, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names = vec![];
        let mut rest = vec![self.0.clone()];
        while let Some(path) = rest.pop() {
            for entry in std::fs::read_dir(path).unwrap().flatten() {
                if entry.path().is_dir() {
                    rest.push(entry.path());
                }
                let path = entry.path();
                let path = path.strip_prefix(&self.0).unwrap();
                names.push(path.to_string_lossy().into_owned());
            }
        }
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A list in a file of the folder.
pub fn file_list(folder: &Folder, name: &str, text: &[u8]) -> List {
    let path = folder.0.join(name);
    std::fs::write(&path, text).unwrap();
    List::Lines {
        input: Input::File(path),
        base: None,
    }
}

pub fn options(list: List, folder: &Folder) -> Options {
    Options::new(list, folder.0.join("out"), Concurrency::Fixed(8))
}

/// Runs a download to its end.
pub fn run(options: Options) -> Result<Outcome> {
    run_with(options, Arc::new(Counters::default()))
}

/// Runs a download whose counters may be looked at meanwhile.
pub fn run_with(options: Options, counters: Arc<Counters>) -> Result<Outcome> {
    let second = Duration::from_secs(1);
    let limits = Limits {
        checkpoint: 5 * second,
        connect: second,
        first_byte: 2 * second,
        idle: 2 * second,
        attempts: 3,
    };
    let http = Arc::new(Http::new("test", limits));
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(download(http, options, counters, CancellationToken::new()))
}
