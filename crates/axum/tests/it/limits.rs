//! Limits of the server, over real sockets and with limits of a few tens of milliseconds.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Extension};
use axum::routing::get;
use bytes::Bytes;
use http::{Request, Version};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use seawall_axum::{ServerLimits, ServerLimitsBuilder, serve};
use seawall_web::request::{Known, PeerAddr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

const SHORT: Duration = Duration::from_millis(60);

/// Far more than any limit here, far less than a hang.
const AT_MOST: Duration = Duration::from_secs(10);

fn app() -> Router {
    let endless = || async {
        let chunk = Bytes::from(vec![b'x'; 64 * 1024]);
        let chunks = futures::stream::repeat_with(move || Ok::<_, Infallible>(chunk.clone()));
        Body::from_stream(chunks)
    };
    // As handlers are told it, and as layers that know no axum are.
    let peer = |ConnectInfo(peer): ConnectInfo<SocketAddr>, Extension(known): Extension<Known>| async move {
        assert_eq!(known.peer().map(PeerAddr::ip), Some(peer.ip()));
        peer.ip().to_string()
    };
    Router::new()
        .route("/", get(|| async { "open" }))
        .route("/peer", get(peer))
        .route("/endless", get(endless))
        .route("/hang", get(std::future::pending::<()>))
}

async fn start(set: impl FnOnce(ServerLimitsBuilder) -> ServerLimitsBuilder) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = set(ServerLimits::builder()).build().unwrap();
    tokio::spawn(serve(listener, app(), limits).into_future());
    address
}

/// What the server says until it closes.
async fn said(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    let read = timeout(AT_MOST, stream.read_to_end(&mut said)).await;
    // A reset is an end too.
    let _ = read.expect("the server closes");
    String::from_utf8_lossy(&said).into_owned()
}

async fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    said(&mut stream).await
}

fn with_headers(lines: &str) -> String {
    format!("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{lines}\r\n")
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let address = start(|limits| limits.header_timeout(SHORT)).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    assert_eq!(said(&mut stream).await, "");
}

#[tokio::test]
async fn a_head_that_trickles_is_closed_however_busily() {
    let address = start(|limits| limits.header_timeout(SHORT)).await;
    let (mut reader, mut writer) = TcpStream::connect(address).await.unwrap().into_split();
    let trickle = async {
        let mut pace = tokio::time::interval(SHORT / 12);
        while writer.write_all(b"GET / HTTP/1.1\r\nx: ").await.is_ok() {
            pace.tick().await;
            if writer.write_all(b"a\r\ny").await.is_err() {
                break;
            }
        }
    };
    let mut said = Vec::new();
    let closed = async { drop(reader.read_to_end(&mut said).await) };
    timeout(AT_MOST, async {
        tokio::select! { () = trickle => {}, () = closed => {} }
    })
    .await
    .expect("the server closes");
}

#[tokio::test]
async fn a_kept_connection_is_closed_when_idle_or_when_its_next_head_does_not_end() {
    let keep = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
    let idle = start(|limits| limits.idle_timeout(SHORT)).await;
    assert!(exchange(idle, keep).await.ends_with("open"));
    let slow = start(|limits| limits.header_timeout(SHORT)).await;
    let mut stream = TcpStream::connect(slow).await.unwrap();
    stream.write_all(keep.as_bytes()).await.unwrap();
    let mut first = Vec::new();
    while !first.ends_with(b"open") {
        stream.read_buf(&mut first).await.unwrap();
    }
    stream.write_all(b"GET / HT").await.unwrap();
    assert_eq!(said(&mut stream).await, "");
}

#[tokio::test]
async fn a_request_that_takes_its_time_is_not_idle() {
    let address = start(|limits| {
        limits
            .idle_timeout(SHORT)
            .header_timeout(SHORT)
            .write_timeout(SHORT)
    })
    .await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"GET /hang HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let read = timeout(4 * SHORT, stream.read(&mut [0; 8])).await;
    assert!(
        read.is_err(),
        "still open, since the deadline of a handler is a layer's business"
    );
}

#[tokio::test]
async fn who_does_not_read_is_cut() {
    let address = start(|limits| limits.write_timeout(SHORT)).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    // The answer never ends, and the end of it is an end of the connection.
    tokio::time::sleep(4 * SHORT).await;
    said(&mut stream).await;
}

#[tokio::test]
async fn an_http2_stream_without_room_is_cut() {
    let address = start(|limits| limits.write_timeout(SHORT)).await;
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(1024)
        .handshake::<_, Empty<Bytes>>(TokioIo::new(stream))
        .await
        .unwrap();
    let ended = tokio::spawn(connection);
    let request = Request::get(format!("http://{address}/endless")).body(Empty::new());
    let response = sender.send_request(request.unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
    let _ended = timeout(AT_MOST, ended).await.expect("the server closes");
    let rest = response.into_body().collect().await;
    assert!(rest.is_err(), "half an answer is not taken for a whole one");
}

#[tokio::test]
async fn an_address_has_so_many_connections() {
    let address = start(|limits| limits.connections_by_address(2)).await;
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        stream.read_exact(&mut [0; 15]).await.unwrap();
        open.push(stream);
    }
    let mut third = TcpStream::connect(address).await.unwrap();
    assert_eq!(said(&mut third).await, "");

    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut other = socket.connect(address).await.unwrap();
    other.write_all(with_headers("").as_bytes()).await.unwrap();
    assert!(said(&mut other).await.ends_with("open"), "another address");
}

fn is_refusal(said: &str, status: &str, code: &str) {
    assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{said}");
    let (head, body) = said.split_once("\r\n\r\n").unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["error"], code);
    let id = body["request_id"].as_str().unwrap();
    assert!(head.contains(&format!("x-request-id: {id}")), "{head}");
    assert!(head.contains("cache-control: no-store"), "{head}");
}

#[tokio::test]
async fn floods_of_headers_are_refused_in_one_voice() {
    let address = start(|limits| limits.header_count(50)).await;
    let many = |count: usize| with_headers(&"a: b\r\n".repeat(count));
    assert!(exchange(address, &many(48)).await.ends_with("open"));
    // By the application's side, and by the parser below it.
    for count in [49, 90, 400] {
        is_refusal(
            &exchange(address, &many(count)).await,
            "431",
            "headers_too_large",
        );
    }
    for length in [17 * 1024, 200 * 1024] {
        let large = with_headers(&format!("a: {}\r\n", "b".repeat(length)));
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The server may have refused before all of it is written.
        let _ = stream.write_all(large.as_bytes()).await;
        is_refusal(&said(&mut stream).await, "431", "headers_too_large");
    }
}

#[tokio::test]
async fn what_is_no_http_is_refused_in_the_same_voice() {
    let address = start(|limits| limits).await;
    is_refusal(
        &exchange(address, "BREW \x01\r\n\r\n").await,
        "400",
        "malformed_request",
    );
    let kept = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
    let text = exchange(address, &format!("{kept}no http\r\n\r\n")).await;
    assert!(text.contains("open"), "{text}");
}

#[tokio::test]
async fn both_protocols_are_served_and_know_the_peer() {
    let address = start(|limits| limits.header_count(20)).await;
    let request = "GET /peer HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    assert!(exchange(address, request).await.ends_with("127.0.0.1"));

    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    let request = Request::get(format!("http://{address}/peer")).body(Empty::<Bytes>::new());
    let response = sender.send_request(request.unwrap()).await.unwrap();
    assert_eq!(response.version(), Version::HTTP_2);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "127.0.0.1");

    let mut flood = Request::get(format!("http://{address}/"));
    for number in 0..40 {
        flood = flood.header(format!("x-{number}"), "y");
    }
    let response = sender
        .send_request(flood.body(Empty::new()).unwrap())
        .await
        .unwrap();
    assert_eq!(response.status(), 431);
}

/// CVE-2023-44487: streams opened and reset faster than the server looks at them.
#[tokio::test]
async fn rapid_resets_end_the_connection() {
    let address = start(|limits| limits).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut frames = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    frame(&mut frames, 4, 0, 0, &[]);
    for number in 0..500_u32 {
        let id = 2 * number + 1;
        // :method GET, :scheme http, :path /, from the static table; :authority x.
        let block = [0x82, 0x86, 0x84, 0x41, 0x01, b'x'];
        frame(&mut frames, 1, 0x5, id, &block);
        frame(&mut frames, 3, 0, id, &8_u32.to_be_bytes());
    }
    let _ = stream.write_all(&frames).await;
    said(&mut stream).await;
}

fn frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    out.extend_from_slice(&length[1..]);
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
}
