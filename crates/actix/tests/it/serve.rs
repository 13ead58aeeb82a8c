//! What a peer can hold of a server, over real sockets.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::{BodyStream, SizedStream};
use actix_web::{App, HttpResponse, rt, web};
use bytes::Bytes;
use futures::stream;
use seawall_actix::{BodyLimitLayer, Seawall, ServerLimits, serve};
use seawall_health::{Drain, Health, Stop};
use seawall_ratelimit::MemoryStore;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::served::{Wire, status};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Tells when the answer that it belongs to is dropped.
struct Told(Arc<Notify>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

struct Running {
    address: SocketAddr,
    /// An answer without end was dropped.
    dropped: Arc<Notify>,
    drain: Drain,
    server: rt::task::JoinHandle<std::io::Result<seawall_health::Drained>>,
}

fn start(limits: ServerLimits) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let dropped = Arc::new(Notify::new());
    let drops = Arc::clone(&dropped);
    let seawall = Seawall::builder(MemoryStore::new(64))
        .body_limits(BodyLimitLayer::new(16))
        .build()
        .unwrap();
    let app = move || {
        let drops = Arc::clone(&drops);
        let endless = move || {
            let told = Told(Arc::clone(&drops));
            let chunk = move |told| async { Some((Ok::<_, std::io::Error>(CHUNK), told)) };
            let body = BodyStream::new(stream::unfold(told, chunk));
            async { HttpResponse::Ok().body(body) }
        };
        let ok = || async { "ok" };
        let echo = |body: String| async move { body };
        // What the parser says, to the letter, as the body of an answer.
        let parsers = || async {
            let body = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(PARSERS))]);
            HttpResponse::Ok().body(SizedStream::new(PARSERS.len() as u64, body))
        };
        let routes = web::scope("")
            .service(web::resource("/ok").get(ok))
            .service(web::resource("/ignores").post(ok))
            .service(web::resource("/echo").post(echo))
            .service(web::resource("/parsers").get(parsers))
            .service(web::resource("/endless").get(endless));
        App::new().service(seawall.protect(routes))
    };
    let health = Health::builder().build().unwrap();
    let drain = Drain::new(&health).pause(Duration::ZERO);
    let serving = serve(listener, app, limits).drain(drain.clone());
    let server = rt::spawn(async move { serving.await });
    Running {
        address,
        dropped,
        drain,
        server,
    }
}

const CHUNK: Bytes = Bytes::from_static(&[b'x'; 16 * 1024]);

const PARSERS: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";

impl Running {
    async fn connect(&self) -> Wire {
        Wire::of(TcpStream::connect(self.address).await.unwrap())
    }

    /// Sends it and reads until the connection ends.
    async fn all(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut wire = self.connect().await;
        wire.send(bytes).await;
        wire.rest().await
    }
}

fn limits() -> seawall_actix::ServerLimitsBuilder {
    ServerLimits::builder().workers(1)
}

const GET: &str = "GET /ok HTTP/1.1\r\nhost: a\r\n\r\n";

/// An answer of the parser, in the shape of all others.
fn refused(answer: &str, line: &str, code: &str) {
    assert!(answer.starts_with(line), "{answer}");
    assert!(
        answer.contains(&format!("\"error\":\"{code}\"")),
        "{answer}"
    );
    assert!(answer.contains("\r\nx-request-id: req_"), "{answer}");
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
}

#[actix_web::test]
async fn a_peer_that_never_reads_is_cut() {
    let limit = Duration::from_millis(200);
    let running = start(limits().write_timeout(limit).build().unwrap());
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(running.address).await.unwrap();
    let request = b"GET /endless HTTP/1.1\r\nhost: a\r\n\r\n";
    stream.write_all(request).await.unwrap();
    timeout(PATIENCE, running.dropped.notified()).await.unwrap();
}

#[actix_web::test]
async fn a_peer_that_reads_is_not_cut_however_long_it_takes() {
    let limit = Duration::from_millis(200);
    let running = start(limits().write_timeout(limit).build().unwrap());
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let request = b"GET /endless HTTP/1.1\r\nhost: a\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let reading = async {
        let mut sink = vec![0; 1024 * 1024];
        while stream.read(&mut sink).await.unwrap() > 0 {}
    };
    let ended = timeout(3 * limit, reading).await;
    assert!(ended.is_err(), "the answer has no end");
}

#[actix_web::test]
async fn a_slow_first_head_is_told_so_and_silence_is_not() {
    let limit = Duration::from_millis(200);
    let running = start(limits().header_timeout(limit).build().unwrap());
    let answer = running.all("GET /ok HTTP/1.1\r\nhost").await;
    refused(&answer, "HTTP/1.1 408 ", "request_timeout");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    assert_eq!(running.all("").await, "");
}

#[actix_web::test]
async fn a_slow_further_head_ends_the_connection() {
    let limit = Duration::from_millis(200);
    let running = start(limits().header_timeout(limit).build().unwrap());
    let mut wire = running.connect().await;
    wire.send(GET).await;
    assert_eq!(status(&wire.answer().await.unwrap()), 200);
    wire.send("GET /ok HTTP/1.1\r\nhost").await;
    assert_eq!(wire.rest().await, "");
}

#[actix_web::test]
async fn a_connection_without_a_request_ends() {
    let limit = Duration::from_millis(200);
    let running = start(limits().idle_timeout(limit).build().unwrap());
    let mut wire = running.connect().await;
    wire.send(GET).await;
    assert_eq!(status(&wire.answer().await.unwrap()), 200);
    assert_eq!(wire.rest().await, "");
}

#[actix_web::test]
async fn the_connection_that_is_too_many_is_closed_as_it_comes() {
    let limits = limits().connections(3).connections_by_address(2);
    let running = start(limits.build().unwrap());
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut wire = running.connect().await;
        wire.send(GET).await;
        assert_eq!(status(&wire.answer().await.unwrap()), 200);
        open.push(wire);
    }
    let mut third = running.connect().await;
    third.try_send(GET).await;
    assert_eq!(third.answer().await, None);

    // From elsewhere there is room for one, and for no more.
    let elsewhere = async |host: u8| {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 9, host], 0).into()).unwrap();
        let mut wire = Wire::of(socket.connect(running.address).await.unwrap());
        wire.try_send(GET).await;
        let answer = wire.answer().await;
        (wire, answer)
    };
    let (other, answer) = elsewhere(1).await;
    assert_eq!(status(&answer.unwrap()), 200);
    assert_eq!(elsewhere(2).await.1, None);

    // A place is free again once its connection has been closed to the end, which the server hears a
    // little later than we do.
    drop((open, other));
    let freed = async { while elsewhere(3).await.1.is_none() {} };
    timeout(PATIENCE, freed).await.unwrap();
}

#[actix_web::test]
async fn a_refused_body_that_came_along_leaves_the_connection_in_step() {
    let running = start(limits().build().unwrap());
    let mut wire = running.connect().await;
    let small = "GET / HTTP/1.1\r\n";
    let large = "GET / HTTP/1.1\r\n\r\n";
    for (target, body, expected) in [
        ("/missing", small, 404),
        ("/ok", small, 405),
        ("/ignores", small, 200),
        ("/ignores", large, 413),
        ("/echo", large, 413),
    ] {
        let length = body.len();
        wire.send(format!(
            "POST {target} HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
        .await;
        let answer = wire.answer().await.unwrap();
        assert_eq!(status(&answer), expected, "{answer}");
        assert!(!answer.contains("connection: close"), "{answer}");
    }
    wire.send(GET).await;
    assert!(wire.answer().await.unwrap().ends_with("\r\n\r\nok"));
}

/// Whoever reads only when all is written, as simple clients do. A reset would fail a write, or the
/// read to the end.
#[actix_web::test]
async fn the_answer_to_a_refused_body_arrives_while_its_peer_writes() {
    let running = start(limits().linger_timeout(PATIENCE).build().unwrap());
    const PIECE: usize = 64 * 1024;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let length = 12 * PIECE;
    let head = format!("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    // The answer is there, and so is the end of what the server writes.
    stream.readable().await.unwrap();
    for _ in 0..12 {
        stream.write_all(&[b'x'; PIECE]).await.unwrap();
    }
    let mut answer = String::new();
    let reading = stream.read_to_string(&mut answer);
    timeout(PATIENCE, reading).await.unwrap().unwrap();
    assert_eq!(status(&answer), 413);
    assert!(answer.contains("connection: close"), "{answer}");
}

#[actix_web::test]
async fn a_body_without_end_is_not_read_without_end() {
    let running = start(limits().build().unwrap());
    let stream = TcpStream::connect(running.address).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let head = b"POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    writer.write_all(head).await.unwrap();
    let chunk = [b"10000\r\n".as_slice(), &[b'x'; 0x10000], b"\r\n"].concat();
    let writing = async {
        let mut chunks = 0;
        while writer.write_all(&chunk).await.is_ok() {
            chunks += 1;
        }
        chunks
    };
    let mut said = vec![0; 1024];
    let (chunks, read) = timeout(PATIENCE, async {
        tokio::join!(writing, reader.read(&mut said))
    })
    .await
    .unwrap();
    said.truncate(read.unwrap());
    assert_eq!(status(&String::from_utf8(said).unwrap()), 413);
    // The buffers of both sockets hold some megabytes.
    assert!(chunks < 16 * 16, "{chunks} chunks of 64 KiB");
}

#[actix_web::test]
async fn what_the_parser_refuses_has_the_body_of_every_error() {
    let limits = limits().header_count(50);
    let running = start(limits.build().unwrap());
    let answer = running
        .all("GET /ok HTTP/1.1\r\nhost: a\r\nno header\r\n\r\n")
        .await;
    refused(&answer, "HTTP/1.1 400 ", "malformed_request");
    let coded =
        "POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n";
    let answer = running.all(coded).await;
    refused(&answer, "HTTP/1.1 400 ", "malformed_request");
    let endless = format!("GET /ok HTTP/1.1\r\nhost: a\r\nx: {}", "x".repeat(300_000));
    let mut wire = running.connect().await;
    wire.try_send(endless).await;
    let answer = wire.answer().await.unwrap();
    refused(&answer, "HTTP/1.1 431 ", "headers_too_large");

    for more in [
        "x: y\r\n".repeat(50),
        "x: y\r\n".repeat(120),
        format!("x: {}\r\n", "y".repeat(17_000)),
    ] {
        let close = "connection: close\r\n";
        let answer = running
            .all(format!("GET /ok HTTP/1.1\r\nhost: a\r\n{close}{more}\r\n"))
            .await;
        refused(&answer, "HTTP/1.1 431 ", "headers_too_large");
    }
}

#[actix_web::test]
async fn what_the_application_says_is_never_taken_for_the_parsers() {
    let running = start(limits().build().unwrap());
    let close = "GET /parsers HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let answer = running.all(close).await;
    assert_eq!(answer.matches("HTTP/1.1").count(), 2, "{answer}");
    assert!(!answer.contains("malformed_request"), "{answer}");
}

#[actix_web::test]
async fn a_server_that_leaves_closes_what_is_idle_at_once() {
    let running = start(limits().build().unwrap());
    let mut used = running.connect().await;
    used.send(GET).await;
    assert_eq!(status(&used.answer().await.unwrap()), 200);
    let mut unused = running.connect().await;
    running.drain.signal(Stop::Graceful);
    assert_eq!(used.rest().await, "");
    assert_eq!(unused.rest().await, "");
    drop((used, unused));
    let drained = timeout(PATIENCE, running.server).await.unwrap();
    assert!(drained.unwrap().unwrap().is_clean());
}
