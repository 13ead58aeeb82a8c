//! Limits: who is denied, what is given back, and stores that fail.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use seawall_ratelimit::{ManualClock, MemoryStore, Policy, StoreFailure, quota};
use seawall_tower::{
    BodyLimitLayer, DeadlineLayer, ErrorsLayer, FusedLayer, RateLimitLayer, RequestIdLayer,
};
use seawall_web::limits::RateLimits;
use seawall_web::request::KeyBy;
use tower::{Layer, service_fn};

use super::handler::handle;
use super::store::Mood;
use super::{Limits, PROMPT, Setup, agree, boxed, from, get, post, see, statuses, with};
use crate::support::Step;

#[tokio::test(start_paused = true)]
async fn whoever_is_over_the_limit() {
    for mood in [Mood::Prompt, Mood::Late] {
        let limits = Limits::Address;
        let requests = || {
            let mut head = get("/fine");
            *head.method_mut() = Method::HEAD;
            let mut requests: Vec<_> = (0..3).map(|_| get("/fine")).collect();
            requests.extend([head, get("/panic"), from("203.0.113.10", "/fine")]);
            requests
        };
        let seen = agree(Setup { mood, limits }, requests).await;
        assert_eq!(statuses(&seen), [200, 200, 429, 429, 429, 200]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_count_is_given_back() {
    for mood in [Mood::Prompt, Mood::Late] {
        let limits = Limits::Several;
        let requests = || {
            let large = || post("/read", vec![Step::Data(b"more than eight")]);
            let announced = || with(get("/fine"), &[("content-length", "9")]);
            let mut requests: Vec<_> = (0..4).map(|_| get("/fine")).collect();
            requests.extend([large(), announced(), get("/fine")]);
            requests
        };
        let seen = agree(Setup { mood, limits }, requests).await;
        assert_eq!(statuses(&seen), [200, 200, 200, 200, 413, 413, 429]);
    }
}

#[tokio::test(start_paused = true)]
async fn requests_that_lack_their_key() {
    let limits = Limits::Principal;
    let mood = Mood::Prompt;
    let seen = agree(Setup { mood, limits }, || vec![get("/fine")]).await;
    assert_eq!(statuses(&seen), [401]);
}

#[tokio::test(start_paused = true)]
async fn stores_that_fail() {
    let unavailable = StoreFailure::Unavailable;
    let refused = StoreFailure::Refused;
    let cases = [
        (Mood::Fails(unavailable), Limits::Address, 200),
        (Mood::FailsLate(unavailable), Limits::Address, 200),
        (Mood::Fails(unavailable), Limits::Closed, 503),
        (Mood::FailsLate(unavailable), Limits::Closed, 503),
        (Mood::Fails(refused), Limits::Address, 429),
        (Mood::FailsLate(refused), Limits::Address, 429),
        (Mood::TooLate, Limits::Address, 504),
        (Mood::Panics, Limits::Address, 500),
    ];
    for (mood, limits, status) in cases {
        let seen = agree(Setup { mood, limits }, || vec![get("/fine")]).await;
        assert_eq!(statuses(&seen), [status], "{mood:?}");
    }
}

/// What stands inside writes no headers of its own, and what stands outside is handed the decision.
#[tokio::test]
async fn limits_inside_and_outside_speak_with_one_voice() {
    let limits = |name, quota| {
        let clock = Arc::new(ManualClock::new());
        let store = MemoryStore::builder().clock(clock).build();
        RateLimits::builder(store)
            .limit(Policy::new(name, quota).unwrap(), KeyBy::everyone())
            .build()
            .unwrap()
    };
    let outer = || RateLimitLayer::new(limits("outer", quota!("9/hour")));
    let middle = || limits("middle", quota!("8/hour"));
    let inner = || RateLimitLayer::new(limits("inner", quota!("1/hour")));
    let deadline = DeadlineLayer::new(Duration::from_secs(5));
    let body_limit = BodyLimitLayer::new(8);
    let fused = FusedLayer::new(deadline.clone(), body_limit).rate_limits(middle());
    let single = (
        (RequestIdLayer::new(), ErrorsLayer::new(), deadline),
        RateLimitLayer::new(middle()),
        body_limit,
    );
    let stack = boxed((outer(), single, inner()).layer(service_fn(handle)));
    let fused = boxed((outer(), fused, inner()).layer(service_fn(handle)));
    for status in [200, 429] {
        let expected = see(&stack, get("/fine")).await;
        assert_eq!(expected.status, status);
        assert_eq!(see(&fused, get("/fine")).await, expected);
        let policies = expected
            .headers
            .iter()
            .find(|line| line.starts_with("ratelimit-policy"));
        for name in ["outer", "middle", "inner"] {
            assert!(policies.unwrap().contains(name), "{expected:?}");
        }
    }
}

#[tokio::test]
async fn a_layer_without_limits_leaves_the_headers_to_those_inside() {
    let limits = PROMPT.limits().unwrap();
    let layer = FusedLayer::new(
        DeadlineLayer::new(Duration::from_secs(5)),
        BodyLimitLayer::new(8),
    );
    let service = boxed((layer, RateLimitLayer::new(limits)).layer(service_fn(handle)));
    let seen = see(&service, get("/fine")).await;
    let told = seen
        .headers
        .iter()
        .any(|line| line == "x-ratelimit-limit: 2");
    assert!(told, "{seen:?}");
}
