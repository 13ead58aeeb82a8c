//! An axum 0.7 service behind the layers, asked over a socket.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use http::Request;
use other_frameworks::{Bounds, axum07};
use seawall_ratelimit::quota;
use seawall_tower::{
    BodyLimitLayer, DeadlineLayer, ErrorsLayer, RateLimitLayer, RequestIdLayer, TraceLayer,
};
use seawall_web::request::Route;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceBuilder;
use tower::util::MapRequestLayer;

/// Far more than a machine under load needs for an answer, and soon over.
const DEADLINE: Duration = Duration::from_millis(500);

fn bounds() -> Bounds {
    Bounds {
        deadline: DEADLINE,
        body: 8,
        quota: quota!("6/day"),
    }
}

fn routes() -> Router {
    let panics = || async {
        if true {
            panic!("SELECT secret FROM vault");
        }
    };
    let hangs = || async { std::future::pending::<()>().await };
    let fails = || async {
        (
            http::StatusCode::INTERNAL_SERVER_ERROR,
            "db.internal is down",
        )
    };
    let route = |request: Request<Body>| async move {
        let route = request.extensions().get::<Route>();
        route
            .map_or("", |route| route.as_str())
            .to_owned()
            .into_response()
    };
    Router::new()
        .route("/things/:id", get(route))
        .route("/things", post(|body: String| async { body }))
        .route("/panics", get(panics))
        .route("/hangs", get(hangs))
        .route("/fails", get(fails))
}

fn fused() -> Router {
    routes()
        .layer(bounds().fused().unwrap())
        .layer(MapRequestLayer::new(axum07::introduce))
}

fn layer_by_layer() -> Router {
    routes().layer(
        ServiceBuilder::new()
            .layer(MapRequestLayer::new(axum07::introduce))
            .layer(RequestIdLayer::new())
            .layer(TraceLayer::new())
            .layer(ErrorsLayer::new())
            .layer(DeadlineLayer::new(DEADLINE))
            .layer(RateLimitLayer::new(bounds().limits().unwrap()))
            .layer(BodyLimitLayer::new(8)),
    )
}

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async { axum::serve(listener, service).await });
    address
}

struct Answer(String);

impl Answer {
    fn status(&self) -> &str {
        self.0.split(' ').nth(1).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        let (head, _) = self.0.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(n, _)| *n == name)
            .map_or("", |(_, value)| value)
    }

    fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").unwrap().1
    }

    /// An error, with the id that its header has.
    fn is(&self, status: &str, code: &str) {
        let id = self.header("x-request-id");
        assert_eq!(self.status(), status, "{}", self.0);
        for part in [
            format!("\"error\":\"{code}\""),
            format!("\"request_id\":\"{id}\""),
        ] {
            assert!(self.body().contains(&part), "{part}: {}", self.0);
        }
        assert_eq!(self.header("content-type"), "application/json");
        assert!(
            !self.0.contains("secret") && !self.0.contains("internal is"),
            "{}",
            self.0
        );
    }
}

async fn ask(address: SocketAddr, head: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request = format!(
        "{head} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    Answer(answer)
}

/// Six requests are what an address has, and each of them is another story.
async fn check(router: Router) {
    let address = serve(router).await;

    let allowed = ask(address, "GET /things/7", "").await;
    assert_eq!((allowed.status(), allowed.body()), ("200", "/things/:id"));
    assert!(allowed.header("x-request-id").starts_with("req_"));
    assert_eq!(allowed.header("x-ratelimit-remaining"), "5");

    let echoed = ask(address, "POST /things", "12345678").await;
    assert_eq!((echoed.status(), echoed.body()), ("200", "12345678"));

    ask(address, "POST /things", "123456789")
        .await
        .is("413", "payload_too_large");
    ask(address, "GET /panics", "")
        .await
        .is("500", "internal_error");
    ask(address, "GET /fails", "")
        .await
        .is("500", "internal_error");
    let late = ask(address, "GET /hangs", "").await;
    late.is("504", "deadline_exceeded");

    let denied = ask(address, "GET /things/7", "").await;
    denied.is("429", "rate_limited");
    assert_eq!(denied.header("x-ratelimit-remaining"), "0");
    assert!(
        denied
            .header("retry-after")
            .parse::<u32>()
            .is_ok_and(|wait| wait > 0)
    );
}

#[tokio::test]
async fn the_fused_layer_serves_axum_0_7() {
    check(fused()).await;
}

#[tokio::test]
async fn the_single_layers_serve_axum_0_7() {
    check(layer_by_layer()).await;
}
