//! Rate limits: exact under concurrency, told on every answer, nested.

use std::convert::Infallible;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use http::{Request, Response};
use seawall_ratelimit::{MemoryStore, Policy, Quota, quota};
use seawall_tower::{ErrorsLayer, RateLimitLayer, RequestIdLayer};
use seawall_web::limits::RateLimits;
use seawall_web::request::{ClientIp, ForwardedHeader, KeyBy, Missing, PeerAddr};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{Log, Plain, answer, get, send};

fn limits(name: &str, quota: Quota, key: KeyBy) -> RateLimitLayer<MemoryStore> {
    let policy = Policy::new(name, quota).unwrap();
    RateLimitLayer::new(
        RateLimits::builder(MemoryStore::new(1024))
            .limit(policy, key)
            .build()
            .unwrap(),
    )
}

fn from(peer: &str) -> Request<Plain> {
    let mut request = get("/");
    request
        .extensions_mut()
        .insert(PeerAddr::new(peer.parse().unwrap()));
    request
}

fn ok()
-> impl Clone + Service<Request<Plain>, Response = Response<Plain>, Error = Infallible, Future: Send>
{
    service_fn(|_: Request<Plain>| async { Ok(answer(200, "ok")) })
}

#[tokio::test]
async fn every_answer_says_where_the_caller_stands() {
    let service = (
        RequestIdLayer::new(),
        ErrorsLayer::new(),
        limits(
            "address",
            quota!("2/hour"),
            KeyBy::address(ClientIp::peer()),
        ),
    )
        .layer(ok());
    let first = send(service.clone(), from("10.0.0.1")).await;
    assert_eq!(
        (
            first.header("x-ratelimit-limit"),
            first.header("x-ratelimit-remaining")
        ),
        ("2", "1")
    );
    assert_eq!(first.header("retry-after"), "");
    assert!(first.header("ratelimit-policy").contains("\"address\""));
    send(service.clone(), from("10.0.0.1")).await;
    let denied = send(service.clone(), from("10.0.0.1")).await;
    assert_eq!(
        (denied.status.as_u16(), denied.code().as_str()),
        (429, "rate_limited")
    );
    assert_eq!(
        (
            denied.header("x-ratelimit-limit"),
            denied.header("x-ratelimit-remaining")
        ),
        ("2", "0")
    );
    let wait: u64 = denied.header("retry-after").parse().unwrap();
    assert!((1..=1800).contains(&wait), "{wait}");
    assert_eq!(denied.headers.get_all("retry-after").iter().count(), 1);
    assert_eq!(
        send(service, from("10.0.0.2")).await.status,
        200,
        "another client loses nothing"
    );
}

/// 64 tasks at once, each sending until it is denied: exactly the capacity passes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_the_capacity_passes_however_many_ask_at_once() {
    let service = limits("all", quota!("100/day"), KeyBy::everyone()).layer(ok());
    let passed = Arc::new(AtomicU32::new(0));
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let (service, passed) = (service.clone(), Arc::clone(&passed));
            tokio::spawn(async move {
                for _ in 0..5 {
                    let response = service.clone().oneshot(get("/")).await.unwrap();
                    if response.status() == 200 {
                        passed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(passed.load(Ordering::Relaxed), 100);
}

#[tokio::test]
async fn nested_limits_give_one_block_of_headers_from_the_one_that_binds() {
    let outer = limits("address", quota!("1000/minute"), KeyBy::everyone());
    let inner = limits("route", quota!("1/hour"), KeyBy::everyone());
    let service = (outer, inner).layer(ok());
    let passed = send(service.clone(), get("/")).await;
    assert_eq!(
        passed.headers.get_all("x-ratelimit-limit").iter().count(),
        1
    );
    assert_eq!(
        (
            passed.header("x-ratelimit-limit"),
            passed.header("x-ratelimit-remaining")
        ),
        ("1", "0")
    );
    let denied = send(service, get("/")).await;
    assert_eq!(denied.status, 429);
    assert_eq!(denied.header("x-ratelimit-limit"), "1");
    assert!(
        denied.header("ratelimit-policy").contains("address"),
        "both are told: {denied:?}"
    );
}

#[tokio::test]
async fn a_request_without_the_key_is_refused_where_the_policy_says_so() {
    let key = KeyBy::principal().or_missing(Missing::Refuse);
    let read = send(limits("user", quota!("5/hour"), key).layer(ok()), get("/")).await;
    assert_eq!(
        (read.status.as_u16(), read.code().as_str()),
        (401, "unauthorized")
    );
    assert_eq!(read.header("www-authenticate"), "Bearer");
}

#[tokio::test]
async fn a_missing_peer_is_a_stated_policy_and_not_a_500() {
    let service = limits(
        "address",
        quota!("2/hour"),
        KeyBy::address(ClientIp::peer()),
    )
    .layer(ok());
    assert_eq!(send(service.clone(), get("/")).await.status, 200);
    assert_eq!(send(service.clone(), get("/")).await.status, 200);
    assert_eq!(
        send(service, get("/")).await.status,
        429,
        "callers without an address share one count"
    );
}

/// Sends requests from addresses in turn, and gives what was logged, but for the errors layer that is
/// not there.
async fn logged(key: KeyBy, requests: u32, make: impl Fn(u32) -> Request<Plain>) -> String {
    let log = Log::default();
    let guard = log.start();
    let service = limits("address", quota!("100000/minute"), key).layer(ok());
    for number in 0..requests {
        send(service.clone(), make(number)).await;
    }
    drop(guard);
    let text = log.text();
    let about_limits = text.lines().filter(|line| !line.contains("seawall::order"));
    about_limits.collect()
}

fn forwarded(name: &'static str) -> Request<Plain> {
    let mut request = from("10.0.0.1");
    let value = "203.0.113.7".parse().unwrap();
    request.headers_mut().insert(name, value);
    request
}

#[tokio::test]
async fn a_forwarding_header_that_nobody_reads_is_told_of_once() {
    for name in ["x-forwarded-for", "forwarded"] {
        let by_peer = KeyBy::address(ClientIp::peer());
        let log = logged(by_peer, 3, |_| forwarded(name)).await;
        assert_eq!(log.matches("ClientIp::behind").count(), 1, "{log}");
    }
    let by_peer = KeyBy::address(ClientIp::peer());
    assert_eq!(logged(by_peer, 3, |_| from("10.0.0.1")).await, "");
    let trusting = ClientIp::behind(["10.0.0.0/8"], ForwardedHeader::XForwardedFor).unwrap();
    let log = logged(KeyBy::address(trusting), 3, |_| {
        forwarded("x-forwarded-for")
    })
    .await;
    assert_eq!(log, "");
}

#[tokio::test]
async fn a_key_that_never_differs_is_told_of_once() {
    let by_peer = || KeyBy::address(ClientIp::peer());
    let log = logged(by_peer(), 1100, |_| from("10.0.0.1")).await;
    assert_eq!(log.matches("the same key").count(), 1, "{log}");
    assert!(log.contains("for the policy address"), "{log}");

    let one_of_many = |number| {
        from(if number == 900 {
            "10.0.0.2"
        } else {
            "10.0.0.1"
        })
    };
    assert_eq!(logged(by_peer(), 1100, one_of_many).await, "");
    assert_eq!(logged(by_peer(), 900, |_| from("10.0.0.1")).await, "");
    let everyone = logged(KeyBy::everyone(), 1100, |_| from("10.0.0.1")).await;
    assert_eq!(everyone, "");
}

#[test]
fn a_cost_that_no_quota_holds_cannot_be_built() {
    let built = |cost: u32| {
        let policy = Policy::new("export", quota!("10/minute")).unwrap();
        let cost = NonZeroU32::new(cost).unwrap();
        RateLimits::builder(MemoryStore::new(8))
            .limit(policy.cost(cost), KeyBy::everyone())
            .build()
    };
    assert!(built(10).is_ok());
    let error = built(11).unwrap_err().to_string();
    assert!(
        error.contains("export") && error.contains("cost"),
        "{error}"
    );
}
