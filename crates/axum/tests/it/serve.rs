//! Over a real socket: what the server does with what the layers decide.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use seawall_axum::{Json, Seawall};
use seawall_ratelimit::{MemoryStore, Policy, quota};
use seawall_web::request::{ClientIp, KeyBy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn start(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

fn app() -> Router {
    let policy = Policy::new("address", quota!("3/hour")).unwrap();
    let broken = || async {
        let half = futures::stream::iter([Ok("half")]);
        let failure = futures::stream::once(async {
            // The server has sent the first half by the time it waits for the second.
            tokio::task::yield_now().await;
            Err(std::io::Error::other("SELECT secret"))
        });
        let chunks = futures::StreamExt::chain(half, failure);
        Body::from_stream(chunks)
    };
    let routes = Router::new()
        .route(
            "/read",
            post(|Json(value): Json<serde_json::Value>| async move { value.to_string() }),
        )
        .route("/broken", get(broken));
    Seawall::builder(MemoryStore::new(64))
        .body_limit(1024)
        .limit(policy, KeyBy::address(ClientIp::peer()))
        .build()
        .unwrap()
        .protect(routes)
}

async fn exchange(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may have answered and closed before all of it is written.
    let _ = stream.write_all(request).await;
    // Nothing more comes from here, so the server closes once it has answered what it read.
    let _ = stream.shutdown().await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// What follows a refused body on the same connection is not taken for a request.
#[tokio::test]
async fn a_refused_body_is_not_read_as_the_next_request() {
    let address = start(app()).await;
    let smuggled = "GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n".repeat(100);
    let request = format!(
        "POST /read HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{smuggled}",
        smuggled.len()
    );
    let answer = exchange(address, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
}

/// A caller never takes half an answer for a whole one: the last chunk is missing.
#[tokio::test]
async fn a_body_that_fails_midway_has_no_last_chunk() {
    let address = start(app()).await;
    let answer = exchange(
        address,
        b"GET /broken HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert!(answer.contains("half"), "{answer}");
    assert!(!answer.ends_with("0\r\n\r\n"), "{answer}");
    assert!(!answer.contains("SELECT"));
}

#[tokio::test]
async fn the_peer_is_known_over_a_socket() {
    let address = start(app()).await;
    let request = b"GET /none HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    for _ in 0..3 {
        assert!(exchange(address, request).await.starts_with("HTTP/1.1 404"));
    }
    assert!(exchange(address, request).await.starts_with("HTTP/1.1 429"));
}
