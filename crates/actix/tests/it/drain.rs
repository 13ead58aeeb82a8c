//! Probes, and the orderly end of a server.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::test::init_service;
use actix_web::{App, rt, web};
use seawall_actix::{Seawall, ServerLimits, health_routes, health_routes_for, serve};
use seawall_health::{Access, Check, Drain, Drained, Health, Stop};
use seawall_ratelimit::MemoryStore;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::support::{get, post, send};

fn seawall() -> Seawall {
    Seawall::builder(MemoryStore::new(64)).build().unwrap()
}

#[actix_web::test]
async fn a_failing_probe_keeps_its_own_body_behind_the_errors_layer() {
    let broken = Check::new("db", async || Err::<(), _>("SELECT secret"));
    let health = Health::builder()
        .check(broken.on_demand(Duration::from_secs(1)))
        .build();
    let health = health.unwrap();
    let others = web::scope("").route("/health/other", web::get().to(|| async { "other" }));
    let app = App::new()
        .service(seawall().observe(health_routes(&health)))
        .service(seawall().protect(others));
    let app = init_service(app).await;

    let ready = send(&app, get("/readyz")).await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.body, r#"{"status":"fail"}"#);
    assert_eq!(ready.header("content-type"), "application/health+json");
    assert_eq!(ready.header("cache-control"), "no-store");
    assert!(!ready.header("x-request-id").is_empty());
    assert_eq!(send(&app, get("/livez")).await.status, 200);
    assert_eq!(send(&app, get("/health")).await.status, 503);

    let refused = send(&app, post("/livez", "text/plain", "")).await;
    assert_eq!(
        (refused.status.as_u16(), refused.header("allow")),
        (405, "GET,HEAD")
    );
    assert_eq!(refused.code(), "method_not_allowed");
    // The probes keep to their own paths.
    assert_eq!(send(&app, get("/health/other")).await.body, "other");
    assert_eq!(send(&app, get("/elsewhere")).await.code(), "not_found");
}

#[actix_web::test]
async fn details_are_for_those_whom_the_application_authorises() {
    let health = Health::builder().service("shop", "1.2.3").build().unwrap();
    let routes = health_routes_for(&health, |request| {
        match request.headers().contains_key("x-inside") {
            true => Access::Authorized,
            false => Access::Public,
        }
    });
    let app = init_service(App::new().service(routes)).await;
    let told = send(&app, get("/health").insert_header(("x-inside", "1"))).await;
    assert!(told.body.contains("1.2.3"), "{}", told.body);
    assert!(!send(&app, get("/health")).await.body.contains("1.2.3"));
}

/// A server whose `/` waits until it is told to go on.
struct Running {
    address: SocketAddr,
    drain: Drain,
    arrived: Arc<Notify>,
    go_on: Arc<Notify>,
    server: rt::task::JoinHandle<std::io::Result<Drained>>,
}

fn start(drain: impl FnOnce(Drain) -> Drain) -> Running {
    let health = Health::builder().build().unwrap();
    let drain = drain(Drain::new(&health).pause(Duration::ZERO));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (arrives, waits) = (Arc::clone(&arrived), Arc::clone(&go_on));
    let app = move || {
        let (arrives, waits) = (Arc::clone(&arrives), Arc::clone(&waits));
        let wait = move || {
            let (arrives, waits) = (Arc::clone(&arrives), Arc::clone(&waits));
            async move {
                arrives.notify_one();
                waits.notified().await;
                "done"
            }
        };
        App::new().route("/", web::get().to(wait))
    };
    let limits = ServerLimits::builder().workers(1).build().unwrap();
    let serving = serve(listener, app, limits).drain(drain.clone());
    let server = rt::spawn(async move { serving.await });
    Running {
        address,
        drain,
        arrived,
        go_on,
        server,
    }
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

async fn ask(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(REQUEST).await.unwrap();
    stream
}

#[actix_web::test]
async fn what_is_in_flight_ends_before_the_server_does() {
    let running = start(|drain| drain.maximum(PATIENCE));
    let mut stream = ask(running.address).await;
    running.arrived.notified().await;
    assert_eq!(running.drain.in_flight(), 1);

    running.drain.signal(Stop::Graceful);
    running.drain.closing().await;
    running.go_on.notify_one();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("done"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    let drained = running.server.await.unwrap().unwrap();
    assert!(drained.is_clean(), "{drained:?}");
    assert!(TcpStream::connect(running.address).await.is_err());
}

/// Between the drain's closing and the moment in which the server hears of it and tells its workers,
/// only the drain itself knows. That moment is held here: the server runs in this thread, which
/// reads without giving way, and the worker in its own.
#[actix_web::test]
async fn an_answer_given_before_the_workers_are_told_closes_its_connection() {
    let running = start(|drain| drain);
    let mut stream = std::net::TcpStream::connect(running.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(REQUEST).unwrap();
    running.arrived.notified().await;

    running.drain.signal(Stop::Prompt);
    assert!(running.drain.is_closing());
    running.go_on.notify_one();
    let mut answer = Vec::new();
    while !answer.ends_with(b"done") {
        let mut part = [0; 1024];
        let length = stream.read(&mut part).unwrap();
        assert_ne!(length, 0, "half an answer");
        answer.extend(&part[..length]);
    }
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.contains("connection: close"), "{answer}");
    assert!(running.server.await.unwrap().unwrap().is_clean());
}

#[actix_web::test]
async fn what_does_not_end_is_cut_and_counted() {
    let running = start(|drain| drain.maximum(Duration::from_millis(50)));
    let mut stream = ask(running.address).await;
    running.arrived.notified().await;
    running.drain.signal(Stop::Graceful);
    let drained = running.server.await.unwrap().unwrap();
    assert_eq!(drained.left(), 1);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.is_empty());
}
