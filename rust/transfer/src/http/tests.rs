//! The stack against a real socket that says exactly what it is told to.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::{Http, Limits, Request};
use crate::error::Result;
use crate::key::Key;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody";

fn stack() -> Http {
    let limits = Limits {
        connect: Duration::from_secs(5),
        first_byte: Duration::from_millis(300),
        idle: Duration::from_millis(300),
        attempts: 2,
        checkpoint: Duration::from_secs(5),
    };
    Http::new("test", limits)
}

/// A server: for each connection its answers, each cut in pieces of so many bytes, then closed.
async fn serve(answers: Vec<Vec<Vec<u8>>>, step: usize) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/x?y", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for connection in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            socket.set_nodelay(true).unwrap();
            for answer in connection {
                request(&mut socket).await;
                for piece in answer.chunks(step) {
                    let _ = socket.write_all(piece).await;
                    tokio::task::yield_now().await;
                }
            }
        }
    });
    url.parse().unwrap()
}

async fn request(socket: &mut TcpStream) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if socket.read(&mut byte).await.unwrap_or(0) == 0 {
            break;
        }
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}

async fn get(http: &Http, url: &Url) -> Result<(u16, Vec<u8>)> {
    let (key, headers) = Key::split(HeaderMap::new(), Some(url));
    let mut response = http.get(url.clone(), &key, &headers).await?;
    Ok((response.status(), response.read(1 << 20).await?))
}

#[tokio::test]
async fn every_way_to_cut_an_answer_gives_the_same_body() {
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
        3;a=b\r\nbod\r\n1\r\ny\r\n0\r\nX: y\r\n\r\n";
    let interim = [b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", OK].concat();
    for step in 1..40 {
        let answers = vec![OK.to_vec(), chunked.to_vec(), interim.clone(), OK.to_vec()];
        let (http, url) = (stack(), serve(vec![answers], step).await);
        for _ in 0..4 {
            assert_eq!(
                get(&http, &url).await,
                Ok((200, b"body".to_vec())),
                "{step}"
            );
        }
        assert_eq!(http.keep(9), 1);
    }
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_is_replaced_at_once() {
    let once = vec![OK.to_vec()];
    let (http, url) = (
        stack(),
        serve(vec![once.clone(), once.clone(), once], 999).await,
    );
    for _ in 0..3 {
        assert_eq!(get(&http, &url).await, Ok((200, b"body".to_vec())));
    }
}

#[tokio::test]
async fn a_cut_is_a_fault_of_the_network() {
    for cut in [0, 10, OK.len() - 1] {
        let (http, url) = (stack(), serve(vec![vec![OK[..cut].to_vec()]], 999).await);
        let kind = get(&http, &url).await.map_err(|error| error.kind);
        assert_eq!(kind, Err("network".into()), "{cut}");
    }
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n".to_vec();
    let (http, url) = (stack(), serve(vec![vec![chunked]], 999).await);
    assert!(get(&http, &url)
        .await
        .is_err_and(|error| error.kind == "network"));
}

#[tokio::test]
async fn silence_is_a_timeout_before_the_head_and_in_the_body() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    for said in [&b""[..], &OK[..OK.len() - 2]] {
        let http = stack();
        let (answer, _) = tokio::join!(get(&http, &url), async {
            let (mut socket, _) = listener.accept().await.unwrap();
            request(&mut socket).await;
            socket.write_all(said).await.unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
        });
        assert_eq!(answer.map_err(|error| error.kind), Err("timeout".into()));
    }
}

#[tokio::test]
async fn what_changes_something_is_sent_once() {
    let (http, url) = (
        stack(),
        serve(vec![vec![OK.to_vec(), Vec::new()]], 999).await,
    );
    assert!(get(&http, &url).await.is_ok());
    let post = Request {
        method: Method::POST,
        url,
        headers: HeaderMap::new(),
        body: Some(b"x".to_vec()),
        timeout: Duration::from_secs(5),
    };
    let kind = http.request(post).await.map_err(|error| error.kind);
    assert_eq!(kind.err(), Some("network".into()));
}

#[tokio::test]
async fn redirects_end() {
    let hop = b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n".to_vec();
    let (http, url) = (stack(), serve(vec![vec![hop; 20]], 999).await);
    let answer = get(&http, &url).await;
    assert!(answer.is_err_and(|error| error.message.contains("more than 10 times")));
}

#[tokio::test]
async fn a_user_in_the_address_goes_into_a_header() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut url: Url = format!("http://{}/", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    url.set_username("a b").unwrap();
    url.set_password(Some("c")).unwrap();
    let http = stack();
    let (answer, said) = tokio::join!(get(&http, &url), async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let said = request(&mut socket).await;
        socket.write_all(OK).await.unwrap();
        said
    });
    assert!(answer.is_ok());
    assert!(
        said.contains("\r\nauthorization: Basic YSBiOmM=\r\n"),
        "{said}"
    );
    assert!(!said.contains("a%20b"));
}

#[tokio::test]
async fn idle_connections_above_a_number_are_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Url = format!("http://{}/", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    let open = Arc::new(AtomicUsize::new(0));
    let serving = open.clone();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let open = serving.clone();
            open.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                while !request(&mut socket).await.is_empty() {
                    socket.write_all(OK).await.unwrap();
                }
                open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    let (key, _) = Key::split(HeaderMap::new(), None);
    let http = stack();
    let mut answers = Vec::new();
    for _ in 0..20 {
        let answer = http.get(url.clone(), &key, &HeaderMap::new()).await;
        answers.push(answer.unwrap());
    }
    assert_eq!(http.keep(5), 20);
    for mut answer in answers {
        assert_eq!(answer.read(9).await.unwrap(), b"body");
    }
    assert_eq!(http.keep(30), 20);
    assert_eq!(http.keep(5), 5);
    while open.load(Ordering::SeqCst) > 5 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // The rest still serve.
    assert_eq!(get(&http, &url).await, Ok((200, b"body".to_vec())));
    assert_eq!((http.keep(5), open.load(Ordering::SeqCst)), (5, 5));
}
