//! What a request pays for all of it together, on a framework, and what a refused one costs.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::routing::get;
use http::{Request, StatusCode};
use seawall_axum::{Seawall, SeawallBuilder};
use seawall_ratelimit::headers::Dialect;
use seawall_ratelimit::{MemoryStore, Policy, Quota};
use seawall_web::request::{ClientIp, KeyBy};
use tokio::runtime::{Builder, Runtime};
use tower::{Service, ServiceBuilder};
use tower_governor::GovernorLayer;
use tower_governor::governor::GovernorConfigBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::timeout::TimeoutLayer;

use super::{actix, shop};
use crate::{
    area::{Area, Case},
    work::{Work, repeat},
};

/// The cases.
#[must_use]
pub fn area() -> Area {
    Area::new("framework")
        .case(
            Case::new("axum-allow", || {
                serve(ours(untraced(), &open()), StatusCode::OK)
            })
            .peer("tower-http+tower_governor", || {
                serve(theirs(), StatusCode::OK)
            })
            .over("bare", || serve(bare(), StatusCode::OK)),
        )
        .case(
            Case::new("axum-allow-traced", || {
                serve(ours(builder(), &open()), StatusCode::OK)
            })
            .peer("tower-http+tower_governor", || {
                serve(theirs(), StatusCode::OK)
            })
            .over("bare", || serve(bare(), StatusCode::OK)),
        )
        .case(
            Case::new("axum-deny", || {
                serve(ours(untraced(), &shut()), StatusCode::TOO_MANY_REQUESTS)
            })
            .peer("bare, answered", || serve(bare(), StatusCode::OK)),
        )
        .case(actix::allow())
        .case(shop::throughput())
}

fn bare() -> Router {
    Router::new().route("/things", get(|| async { "things" }))
}

fn builder() -> SeawallBuilder<MemoryStore> {
    Seawall::builder(MemoryStore::default())
}

/// What the peers have no layer for in this case is left out.
fn untraced() -> SeawallBuilder<MemoryStore> {
    builder().without_traces()
}

/// Ids, errors, panics, deadline, body limit, and a limit by address with its fields.
fn ours(builder: SeawallBuilder<MemoryStore>, quota: &Quota) -> Router {
    let policy = Policy::new("address", *quota).expect("the name is valid");
    builder
        .dialects(Dialect::XRateLimit.into())
        .deadline(LIMIT)
        .body_limit(BODY)
        .limit(policy, KeyBy::address(ClientIp::peer()))
        .build()
        .expect("one policy is a policy")
        .protect(bare())
}

/// The usual stack, as one layer: what is cheapest for it.
fn theirs() -> Router {
    let config = GovernorConfigBuilder::default()
        .period(Duration::from_micros(1))
        .burst_size(CAPACITY)
        .use_headers()
        .finish()
        .expect("neither is zero");
    bare().layer(
        ServiceBuilder::new()
            .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
            .layer(PropagateRequestIdLayer::x_request_id())
            .layer(CatchPanicLayer::new())
            .layer(RequestBodyLimitLayer::new(
                usize::try_from(BODY).expect("a mebibyte"),
            ))
            .layer(TimeoutLayer::with_status_code(
                StatusCode::GATEWAY_TIMEOUT,
                LIMIT,
            ))
            .layer(GovernorLayer::new(config)),
    )
}

/// A quota that has all of its capacity back a turn later: the limit of a service in good order.
fn open() -> Quota {
    Quota::new(1, Duration::from_micros(1))
        .expect("one a microsecond is the most that a quota may say")
        .with_burst(CAPACITY)
}

/// A quota that one request exhausts for a day.
fn shut() -> Quota {
    Quota::per_day(1)
}

const LIMIT: Duration = Duration::from_secs(30);
const BODY: u64 = 1024 * 1024;
const CAPACITY: u32 = 100;
/// Callers who come by turns.
const CALLERS: u32 = 1_000;

fn peer(turn: u32) -> SocketAddr {
    let base = Ipv4Addr::new(198, 18, 0, 0).to_bits();
    let address = Ipv4Addr::from_bits(base + turn % CALLERS);
    SocketAddr::new(IpAddr::V4(address), 4711)
}

/// The whole way of a request, as the server takes it: made, called, its future to the end.
fn serve(service: Router, expected: StatusCode) -> Work {
    let runtime = runtime();
    // As a server has it: services are made once, and not anew for each request.
    let mut service: Router = service.with_state(());
    let mut turn = 0_u32;
    let mut call = move || {
        // Peers arm a timer for each request.
        let _inside = runtime.enter();
        turn = turn.wrapping_add(1);
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = http::Uri::from_static("/things");
        request.extensions_mut().insert(ConnectInfo(peer(turn)));
        let mut cx = Context::from_waker(Waker::noop());
        match pin!(service.call(request)).poll(&mut cx) {
            Poll::Ready(Ok(response)) => response.status() == expected,
            _ => false,
        }
    };
    // The first ones only spend what the limits let pass.
    for _ in 0..CALLERS {
        call();
    }
    assert!(call(), "answered with {expected}");
    repeat(call)
}

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime can be built")
}
