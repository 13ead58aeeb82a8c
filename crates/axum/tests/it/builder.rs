//! The builder: right order, one shape, one id.

use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures::stream;
use http::{Request, StatusCode};
use seawall_axum::{ContextLayer, Seawall};
use seawall_errors::{ApiError, codes};
use seawall_ratelimit::{MemoryStore, Policy, quota};
use seawall_tower::RateLimitLayer;
use seawall_web::limits::RateLimits;
use seawall_web::request::{ClientIp, ForwardedHeader, KeyBy, Known, Missing, Principal};

use crate::support::{Read, get as get_request, post as post_request, send};

fn routes() -> Router {
    Router::new()
        .route("/ok", get(|| async { "ok" }))
        .route(
            "/panic",
            get(|| async {
                if true {
                    panic!("SELECT secret")
                }
            }),
        )
        .route(
            "/leak",
            get(|| async { (StatusCode::INTERNAL_SERVER_ERROR, "SELECT secret") }),
        )
        .route("/hang", get(|| async { pending::<()>().await }))
        .route("/post", post(|| async { "posted" }))
}

fn builder() -> seawall_axum::SeawallBuilder<MemoryStore> {
    Seawall::builder(MemoryStore::new(1024)).deadline(Duration::from_secs(5))
}

fn from(peer: &str, mut request: Request<Body>) -> Request<Body> {
    let address: SocketAddr = format!("{peer}:4711").parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(address));
    request
}

#[track_caller]
fn check(read: &Read, status: u16, code: &str) {
    assert_eq!(
        (read.status.as_u16(), read.code().as_str()),
        (status, code),
        "{read:?}"
    );
    assert_eq!(read.json()["request_id"], read.header("x-request-id"));
    assert!(!read.body.contains("SELECT"));
}

#[tokio::test(start_paused = true)]
async fn whatever_goes_wrong_has_one_shape() {
    let app = builder().build().unwrap().protect(routes());
    check(&send(&app, get_request("/nothing")).await, 404, "not_found");
    let wrong_method = send(&app, get_request("/post")).await;
    check(&wrong_method, 405, "method_not_allowed");
    assert_eq!(wrong_method.header("allow"), "POST");
    check(
        &send(&app, get_request("/panic")).await,
        500,
        "internal_error",
    );
    check(
        &send(&app, get_request("/leak")).await,
        500,
        "internal_error",
    );
    check(
        &send(&app, get_request("/hang")).await,
        504,
        "deadline_exceeded",
    );
    assert_eq!(send(&app, get_request("/ok")).await.body, "ok");
}

#[tokio::test]
async fn limits_by_address_know_the_peer() {
    let policy = Policy::new("address", quota!("1/hour")).unwrap();
    let app = builder()
        .limit(policy, KeyBy::address(ClientIp::peer()))
        .build()
        .unwrap()
        .protect(routes());
    assert_eq!(
        send(&app, from("10.0.0.1", get_request("/ok")))
            .await
            .status,
        200
    );
    check(
        &send(&app, from("10.0.0.1", get_request("/nothing"))).await,
        429,
        "rate_limited",
    );
    let mut forged = from("10.0.0.1", get_request("/ok"));
    forged
        .headers_mut()
        .insert("x-forwarded-for", "1.2.3.4".parse().unwrap());
    check(&send(&app, forged).await, 429, "rate_limited");
    assert_eq!(
        send(&app, from("10.0.0.2", get_request("/ok")))
            .await
            .status,
        200
    );
}

#[tokio::test(start_paused = true)]
#[expect(
    clippy::disallowed_methods,
    reason = "the paused clock is what is measured"
)]
async fn a_trusted_callers_budget_is_kept_and_a_strangers_is_not_read() {
    let inside = ClientIp::behind(["10.0.0.0/8"], ForwardedHeader::XForwardedFor).unwrap();
    let app = builder().budgets_from(inside).build().unwrap();
    let app = app.protect(routes());
    for (peer, waited) in [("10.0.0.1", 1), ("203.0.113.9", 5)] {
        let mut request = from(peer, get_request("/hang"));
        let budget = "1000".parse().unwrap();
        request.headers_mut().insert("x-request-timeout-ms", budget);
        let start = tokio::time::Instant::now();
        let answer = send(&app, request).await;
        check(&answer, 504, "deadline_exceeded");
        assert_eq!(start.elapsed().as_secs(), waited, "{peer}");
    }
}

async fn authenticate(mut request: axum::extract::Request, next: Next) -> Response {
    let token = request
        .headers()
        .get("authorization")
        .and_then(|value| value.to_str().ok());
    match token.and_then(|token| token.strip_prefix("Bearer ")) {
        Some(user) => {
            let principal = Principal::new(user);
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        None => seawall_axum::Error::from(ApiError::new(codes::UNAUTHORIZED)).into_response(),
    }
}

fn with_token(user: &str, mut request: Request<Body>) -> Request<Body> {
    request
        .headers_mut()
        .insert("authorization", format!("Bearer {user}").parse().unwrap());
    request
}

#[tokio::test]
async fn limits_by_principal_come_after_authentication() {
    let policy = Policy::new("user", quota!("1/hour")).unwrap();
    let app = builder()
        .authenticate(from_fn(authenticate))
        .limit_after_authentication(policy, KeyBy::principal().or_missing(Missing::Refuse))
        .build()
        .unwrap()
        .protect(routes());
    check(&send(&app, get_request("/ok")).await, 401, "unauthorized");
    assert_eq!(
        send(&app, with_token("alice", get_request("/ok")))
            .await
            .status,
        200
    );
    check(
        &send(&app, with_token("alice", get_request("/ok"))).await,
        429,
        "rate_limited",
    );
    assert_eq!(
        send(&app, with_token("bob", get_request("/ok")))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_route_has_its_own_guard_by_path_parameter() {
    let policy = Policy::new("project", quota!("1/hour")).unwrap();
    let limits = RateLimits::builder(MemoryStore::new(64))
        .limit(policy, KeyBy::path_param("id"))
        .build()
        .unwrap();
    let builds = post(|| async { "built" }).layer(RateLimitLayer::new(limits));
    let app = builder()
        .build()
        .unwrap()
        .protect(Router::new().route("/projects/{id}/builds", builds));
    let build = |id: &str| {
        Request::post(format!("/projects/{id}/builds"))
            .body(Body::empty())
            .unwrap()
    };
    assert_eq!(send(&app, build("A")).await.status, 200);
    check(&send(&app, build("%41")).await, 429, "rate_limited");
    assert_eq!(send(&app, build("B")).await.status, 200);
}

#[tokio::test]
async fn probes_have_ids_and_no_limits() {
    let policy = Policy::new("address", quota!("0/hour")).unwrap();
    let seawall = builder().limit(policy, KeyBy::everyone()).build().unwrap();
    let app = seawall
        .protect(routes())
        .merge(seawall.observe(Router::new().route("/livez", get(|| async { "ok" }))));
    let read = send(&app, get_request("/livez")).await;
    assert_eq!(read.status, 200);
    assert!(read.header("x-request-id").starts_with("req_"));
    assert_eq!(send(&app, get_request("/ok")).await.status, 429);
}

#[tokio::test]
async fn a_body_may_be_as_long_as_the_builder_says_and_no_longer() {
    let routes = Router::new().route(
        "/length",
        post(|body: Bytes| async move { body.len().to_string() }),
    );
    // More than the 2 MB that axum's own extractors would allow.
    let app = builder().body_limit(3_000_000).build().unwrap();
    let app = app.protect(routes);
    let sent = |length: usize| post_request("/length", "text/plain", vec![b'x'; length]);
    assert_eq!(send(&app, sent(3_000_000)).await.body, "3000000");
    let chunked = Body::from_stream(stream::iter(
        (0..4).map(|_| Ok::<_, Infallible>(vec![b'x'; 1_000_000])),
    ));
    let refused = send(&app, post_request("/length", "text/plain", chunked)).await;
    check(&refused, 413, "payload_too_large");
    assert_eq!(send(&app, sent(0)).await.body, "0");
}

#[tokio::test]
async fn a_route_that_is_nested_twice_is_known_by_where_it_was_found() {
    let told = |head: axum::extract::Request| async move {
        let known = head.extensions().get::<Known>().unwrap();
        let param = |name| known.params()?.find(name).map(str::to_owned);
        format!("{} {:?}", known.route().unwrap().as_str(), param("id"))
    };
    let routes = builder().build().unwrap();
    // With its state, so that both places share one service.
    let routes: Router = routes
        .protect(Router::new().route("/{id}", get(told)))
        .with_state(());
    let app = Router::new().nest("/a", routes.clone()).nest("/b", routes);
    for _ in 0..2 {
        for at in ["a", "b"] {
            let read = send(&app, get_request(&format!("/{at}/7"))).await;
            assert_eq!(read.body, format!("/{at}/{{id}} Some(\"7\")"));
        }
    }
}

#[tokio::test]
async fn the_context_leaves_alone_what_layers_outside_have_left() {
    let policy = |name| Policy::new(name, quota!("9/hour")).unwrap();
    let limits = |name| {
        RateLimits::builder(MemoryStore::new(8))
            .limit(policy(name), KeyBy::everyone())
            .build()
            .unwrap()
    };
    // Were the mark of the outer limit lost, the inner one would write the headers too.
    let app = Router::new().route("/ok", get(|| async { "ok" })).layer((
        RateLimitLayer::new(limits("outer")),
        ContextLayer::new(),
        RateLimitLayer::new(limits("inner")),
    ));
    let read = send(&app, get_request("/ok")).await;
    let policies = read.header("ratelimit-policy");
    assert_eq!(policies, r#""outer";q=9;w=3600, "inner";q=9;w=3600"#);
}

#[test]
fn one_name_twice_is_refused() {
    let policy = || Policy::new("address", quota!("1/hour")).unwrap();
    let built = builder()
        .limit(policy(), KeyBy::everyone())
        .limit(policy(), KeyBy::everyone())
        .build();
    assert!(built.unwrap_err().to_string().contains("address"));
}
