//! The contract of tower: readiness, cloning, threads.

use std::convert::Infallible;
use std::time::Duration;

use http::Request;
use seawall_ratelimit::{MemoryStore, Policy, quota};
use seawall_tower::{
    BodyLimitLayer, DeadlineLayer, ErrorsLayer, Origin, OutboundLayer, RateLimitLayer, ReplyBody,
    RequestIdLayer, TraceLayer,
};
use seawall_web::limits::RateLimits;
use seawall_web::request::KeyBy;
use static_assertions::assert_impl_all;
use tower::limit::ConcurrencyLimitLayer;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::support::{Plain, answer, get};

assert_impl_all!(RequestIdLayer: Clone, Send, Sync);
assert_impl_all!(TraceLayer: Clone, Send, Sync);
assert_impl_all!(OutboundLayer: Clone, Send, Sync);
assert_impl_all!(Origin: Clone, Send, Sync);
assert_impl_all!(ErrorsLayer: Clone, Send, Sync);
assert_impl_all!(DeadlineLayer: Clone, Send, Sync);
assert_impl_all!(BodyLimitLayer: Clone, Send, Sync);
assert_impl_all!(RateLimitLayer<MemoryStore>: Clone, Send, Sync);
assert_impl_all!(ReplyBody<Plain>: Send, Sync);

fn limits() -> RateLimits<MemoryStore> {
    let policy = Policy::new("all", quota!("1000/minute")).unwrap();
    RateLimits::builder(MemoryStore::new(64))
        .limit(policy, KeyBy::everyone())
        .build()
        .unwrap()
}

/// A service that is only ready once, like a `ConcurrencyLimit` of one, panics when a clone that
/// was never ready is called in its place.
#[tokio::test]
async fn the_service_that_was_ready_is_the_one_called() {
    let inner = service_fn(|_: Request<_>| async { Ok::<_, Infallible>(answer(200, "")) });
    let mut service = ServiceBuilder::new()
        .layer(OutboundLayer::new())
        .layer(RequestIdLayer::new())
        .layer(TraceLayer::new())
        .layer(ErrorsLayer::new())
        .layer(DeadlineLayer::new(Duration::from_secs(5)))
        .layer(RateLimitLayer::new(limits()))
        .layer(BodyLimitLayer::new(10))
        .layer(ConcurrencyLimitLayer::new(1))
        .service(inner);
    for _ in 0..3 {
        let response = service.ready().await.unwrap().call(get("/")).await.unwrap();
        assert_eq!(response.status(), 200);
    }
}

#[tokio::test]
async fn works_behind_a_buffer() {
    let inner = service_fn(|_: Request<_>| async { Ok::<_, Infallible>(answer(200, "")) });
    let limited = RateLimitLayer::new(limits()).layer(inner);
    let buffered = tower::buffer::Buffer::new(limited, 4);
    for _ in 0..8 {
        assert_eq!(
            buffered.clone().oneshot(get("/")).await.unwrap().status(),
            200
        );
    }
}
