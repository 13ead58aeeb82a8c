//! Probes, and the orderly end of a server.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::{Method, Request};
use seawall_axum::{Partial, Seawall, ServerLimits, health_routes, health_routes_for, serve};
use seawall_degrade::{Degrade, critical, or_else};
use seawall_health::{Access, Check, Drain, Health, Stop};
use seawall_ratelimit::MemoryStore;
use seawall_web::answer;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::support::{get as ask, send};

fn seawall() -> Seawall {
    Seawall::builder(MemoryStore::new(64)).build().unwrap()
}

#[tokio::test]
async fn a_failing_probe_keeps_its_own_body_behind_the_errors_layer() {
    let broken = Check::new("db", async || Err::<(), _>("SELECT secret"));
    let health = Health::builder()
        .check(broken.on_demand(Duration::from_secs(1)))
        .build();
    let health = health.unwrap();
    let app = seawall().observe(health_routes(&health));

    let ready = send(&app, ask("/readyz")).await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.body, r#"{"status":"fail"}"#);
    assert_eq!(ready.header("content-type"), "application/health+json");
    assert_eq!(ready.header("cache-control"), "no-store");
    assert!(!ready.header("x-request-id").is_empty());
    assert_eq!(send(&app, ask("/livez")).await.status, 200);
    assert_eq!(send(&app, ask("/health")).await.status, 503);

    let mut post = Request::new(axum::body::Body::empty());
    *post.method_mut() = Method::POST;
    *post.uri_mut() = "/livez".parse().unwrap();
    let refused = send(&app, post).await;
    assert_eq!(
        (refused.status.as_u16(), refused.header("allow")),
        (405, "GET,HEAD")
    );
    assert_eq!(refused.code(), "method_not_allowed");
}

#[tokio::test]
async fn details_are_for_those_whom_the_application_authorises() {
    let health = Health::builder().service("shop", "1.2.3").build().unwrap();
    let app = health_routes_for(&health, |parts| match parts.headers.get("x-inside") {
        Some(_) => Access::Authorized,
        None => Access::Public,
    });
    let inside = Request::get("/health").header("x-inside", "1");
    let told = send(&app, inside.body(axum::body::Body::empty()).unwrap()).await;
    assert!(told.body.contains("1.2.3"), "{}", told.body);
    assert!(!send(&app, ask("/health")).await.body.contains("1.2.3"));
}

/// A page of one part.
async fn page(ok: bool, is_critical: bool) -> seawall_axum::Result<Partial<u32>> {
    let fetch = async move { if ok { Ok(1) } else { Err("10.0.0.7 refused") } };
    let joined = if is_critical {
        Degrade::new().join((critical("user", fetch),)).await
    } else {
        Degrade::new().join((or_else("user", fetch, 0),)).await
    };
    let partial = joined.map_err(answer::degrade::unavailable)?;
    Ok(Partial(partial.map(|(user,)| user)))
}

#[tokio::test]
async fn a_partial_answer_is_not_stored_and_a_missing_critical_part_is_a_503() {
    let app = seawall().protect(
        Router::new()
            .route("/whole", get(move || page(true, false)))
            .route("/part", get(move || page(false, false)))
            .route("/none", get(move || page(false, true))),
    );
    let whole = send(&app, ask("/whole")).await;
    assert_eq!(whole.body, r#"{"data":1,"partial":false,"errors":[]}"#);
    assert_eq!(whole.header("cache-control"), "");
    let part = send(&app, ask("/part")).await;
    let told = r#"{"data":0,"partial":true,"errors":[{"component":"user","error":"unavailable"}]}"#;
    assert_eq!((part.status.as_u16(), part.body.as_str()), (200, told));
    assert_eq!(part.header("cache-control"), "no-store");
    let none = send(&app, ask("/none")).await;
    assert_eq!(
        (none.status.as_u16(), none.code().as_str()),
        (503, "service_unavailable")
    );
    assert!(!none.body.contains("user") && !none.body.contains("10.0.0.7"));
}

#[tokio::test]
async fn what_is_in_flight_is_answered_and_then_the_server_ends() {
    let health = Health::builder().build().unwrap();
    let drain = Drain::new(&health)
        .pause(Duration::from_secs(60))
        .maximum(Duration::from_secs(60));
    let (begun, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let app = {
        let (begun, release) = (Arc::clone(&begun), Arc::clone(&release));
        let slow = move || async move {
            begun.notify_one();
            release.notified().await;
            "done"
        };
        Router::new()
            .route("/slow", get(slow))
            .merge(health_routes(&health))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = serve(listener, app, ServerLimits::default()).drain(drain.clone());
    let server = tokio::spawn(server.into_future());
    let request = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    let connect = async || TcpStream::connect(address).await.unwrap();

    let mut slow = connect().await;
    slow.write_all(request("/slow").as_bytes()).await.unwrap();
    begun.notified().await;
    let _silent = connect().await;

    // Readiness fails in the pause, and everything is still served.
    drain.signal(Stop::Graceful);
    let mut probe = connect().await;
    probe
        .write_all(request("/readyz").as_bytes())
        .await
        .unwrap();
    let mut head = [0; 12];
    probe.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 503");

    // A second signal ends the pause: kept connections close, and nobody is accepted.
    drain.signal(Stop::Graceful);
    probe.read_to_end(&mut Vec::new()).await.unwrap();
    assert!(!server.is_finished());
    release.notify_one();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("done"), "{answer}");
    assert!(server.await.unwrap().is_clean());
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn what_does_not_end_within_the_maximum_is_cut_and_counted() {
    let health = Health::builder().build().unwrap();
    let drain = Drain::new(&health).maximum(Duration::from_millis(30));
    let app = Router::new().route("/", get(std::future::pending::<()>));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = serve(listener, app, ServerLimits::default()).drain(drain.clone());
    let server = tokio::spawn(server.into_future());
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    while drain.in_flight() == 0 {
        tokio::task::yield_now().await;
    }
    drain.signal(Stop::Prompt);
    assert_eq!(server.await.unwrap().left(), 1);
    let _ = stream.read_to_end(&mut Vec::new()).await;
}
