//! Rate limits: exact under concurrency, told on every answer, nested.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Error, HttpResponse, web};
use seawall_actix::{ErrorsLayer, RateLimitLayer, RequestIdLayer};
use seawall_errors::{ApiError, codes};
use seawall_ratelimit::{
    Charge, CountRule, Decision, MemoryStore, Mode, Now, Op, Policy, Quota, Store, Verdict, quota,
};
use seawall_web::limits::RateLimits;
use seawall_web::request::{ClientIp, KeyBy, Missing};

use crate::served::{Served, status};
use crate::support::{Log, Read, get, send};

fn policy(name: &str, quota: Quota) -> Policy {
    Policy::new(name, quota).unwrap()
}

fn limits(policy: Policy, key: KeyBy) -> RateLimitLayer<MemoryStore> {
    over(MemoryStore::new(1024), policy, key)
}

fn over<S: Store>(store: S, policy: Policy, key: KeyBy) -> RateLimitLayer<S> {
    let limits = RateLimits::builder(store).limit(policy, key);
    RateLimitLayer::new(limits.build().unwrap())
}

fn by_peer() -> KeyBy {
    KeyBy::address(ClientIp::peer())
}

fn from(peer: &str) -> TestRequest {
    get("/").peer_addr(format!("{peer}:4000").parse().unwrap())
}

async fn ok() -> &'static str {
    "ok"
}

/// Says a request's status in its path.
async fn say(status: web::Path<u16>) -> HttpResponse {
    let status = actix_web::http::StatusCode::from_u16(*status).unwrap();
    HttpResponse::new(status)
}

fn stands(read: &Read) -> (&str, &str) {
    (
        read.header("x-ratelimit-limit"),
        read.header("x-ratelimit-remaining"),
    )
}

#[actix_web::test]
async fn every_answer_says_where_the_caller_stands() {
    let app = App::new()
        .route("/", web::get().to(ok))
        .wrap(limits(policy("address", quota!("2/hour")), by_peer()))
        .wrap(ErrorsLayer::new())
        .wrap(RequestIdLayer::new());
    let app = init_service(app).await;
    let first = send(&app, from("10.0.0.1")).await;
    assert_eq!(stands(&first), ("2", "1"));
    assert_eq!(first.header("retry-after"), "");
    assert!(first.header("ratelimit-policy").contains("\"address\""));
    send(&app, from("10.0.0.1")).await;
    let denied = send(&app, from("10.0.0.1")).await;
    assert_eq!(
        (denied.status.as_u16(), denied.code().as_str()),
        (429, "rate_limited")
    );
    assert_eq!(denied.json()["request_id"], denied.header("x-request-id"));
    assert_eq!(stands(&denied), ("2", "0"));
    let wait: u64 = denied.header("retry-after").parse().unwrap();
    assert!((1..=1800).contains(&wait), "{wait}");
    assert_eq!(denied.headers.get_all("retry-after").count(), 1);
    assert_eq!(
        send(&app, from("10.0.0.2")).await.status,
        200,
        "another client loses nothing"
    );
}

#[actix_web::test]
async fn what_no_route_answers_is_told_and_counted_too() {
    let layer = limits(policy("address", quota!("5/hour")), by_peer());
    let app = init_service(App::new().route("/", web::get().to(ok)).wrap(layer)).await;
    let missing = send(&app, get("/nothing")).await;
    assert_eq!(
        (missing.status.as_u16(), stands(&missing)),
        (404, ("5", "4"))
    );
}

/// Two workers, many connections: what passes is the capacity and not a multiple of it.
#[actix_web::test]
async fn exactly_the_capacity_passes_however_many_workers_there_are() {
    let layer = limits(policy("all", quota!("20/day")), KeyBy::everyone());
    let served = Served::start(4, move || {
        App::new().route("/", web::get().to(ok)).wrap(layer.clone())
    });
    let mut wires = Vec::new();
    for _ in 0..16 {
        let mut wire = served.connect().await;
        wire.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n".repeat(4))
            .await;
        wires.push(wire);
    }
    let mut passed = 0;
    for wire in &mut wires {
        for _ in 0..4 {
            passed += usize::from(status(&wire.answer().await.unwrap()) == 200);
        }
    }
    assert_eq!(passed, 20);
    served.stop().await;
}

#[actix_web::test]
async fn nested_limits_give_one_block_of_headers_from_the_one_that_binds() {
    let outer = limits(policy("address", quota!("1000/minute")), KeyBy::everyone());
    let scope = limits(policy("scope", quota!("10/hour")), KeyBy::everyone());
    let route = limits(policy("route", quota!("1/hour")), KeyBy::everyone());
    let scope = web::scope("/scope")
        .route("/route", web::get().to(ok).wrap(route))
        .route("/wide", web::get().to(ok))
        .wrap(scope);
    let app = init_service(App::new().service(scope).wrap(outer)).await;
    let passed = send(&app, get("/scope/route")).await;
    assert_eq!(passed.headers.get_all("x-ratelimit-limit").count(), 1);
    assert_eq!(stands(&passed), ("1", "0"));
    let denied = send(&app, get("/scope/route")).await;
    assert_eq!((denied.status.as_u16(), stands(&denied)), (429, ("1", "0")));
    for name in ["address", "scope", "route"] {
        let policies = denied.header("ratelimit-policy");
        assert!(policies.contains(name), "all are told: {denied:?}");
    }
    // What outer limits charged stays charged: two before, and this one.
    let wide = send(&app, get("/scope/wide")).await;
    assert_eq!((wide.status.as_u16(), stands(&wide)), (200, ("10", "7")));
    assert_eq!(stands(&send(&app, get("/nothing")).await).0, "1000");
}

/// A middleware that fails has no response; actix makes one of its error, outside of everything.
#[actix_web::test]
async fn a_failure_on_the_way_is_told_and_settled_like_an_answer() {
    async fn failing<B>(_: ServiceRequest, _: Next<B>) -> Result<ServiceResponse<B>, Error> {
        let error = ApiError::new(codes::FORBIDDEN);
        Err(seawall_actix::Error::from(error).into())
    }
    let outer = limits(policy("outer", quota!("9/hour")), KeyBy::everyone());
    let inner = policy("inner", quota!("3/hour")).count(CountRule::Successes);
    let app = App::new()
        .route("/", web::get().to(ok))
        .wrap(from_fn(failing))
        .wrap(limits(inner, KeyBy::everyone()))
        .wrap(outer)
        .wrap(ErrorsLayer::new());
    let app = init_service(app).await;
    for _ in 0..2 {
        let read = send(&app, get("/")).await;
        assert_eq!(
            (read.status.as_u16(), read.code().as_str()),
            (403, "forbidden")
        );
        // The refund shows on the next answer.
        assert_eq!(stands(&read), ("3", "2"), "{read:?}");
        let policies = read.header("ratelimit-policy");
        assert!(policies.contains("outer") && policies.contains("inner"));
    }
}

/// Asks for statuses in turn, over memory and over memory that answers later: what is answered, and how
/// much is left.
async fn check(policy: fn() -> Policy, asked: &[(u16, u16, &str)]) {
    async fn over_store<S: Store>(store: S, policy: Policy, asked: &[(u16, u16, &str)]) {
        let layer = over(store, policy, KeyBy::everyone());
        let app = App::new()
            .route("/say/{status}", web::get().to(say))
            .wrap(layer);
        let app = init_service(app).await;
        for (nth, (status, expected, left)) in asked.iter().enumerate() {
            let read = send(&app, get(&format!("/say/{status}"))).await;
            let found = (read.status.as_u16(), read.header("x-ratelimit-remaining"));
            assert_eq!(found, (*expected, *left), "{nth}");
            assert_eq!(read.status == 429, read.body.contains("rate_limited"));
        }
    }
    over_store(MemoryStore::new(16), policy(), asked).await;
    over_store(Later(MemoryStore::new(16)), policy(), asked).await;
}

#[actix_web::test]
async fn what_a_policy_does_not_count_is_given_back() {
    let counted = || policy("made", quota!("2/hour")).count(CountRule::Successes);
    // The headers tell what was decided; what is given back shows on the next answer.
    let asked = [
        (404, 404, "1"),
        (500, 500, "1"),
        (200, 200, "1"),
        (404, 404, "0"),
        (201, 201, "0"),
        (404, 429, "0"),
    ];
    check(counted, &asked).await;
}

#[actix_web::test]
async fn a_store_that_has_to_be_waited_for_decides_alike() {
    let once = || policy("all", quota!("1/hour"));
    check(once, &[(200, 200, "0"), (200, 429, "0")]).await;
}

#[actix_web::test]
async fn shadow_limits_let_pass_and_are_not_told() {
    let watching = || policy("all", quota!("1/hour")).mode(Mode::Shadow);
    check(watching, &[(200, 200, ""), (200, 200, "")]).await;
}

/// A store that has to be waited for.
struct Later(MemoryStore);

impl Store for Later {
    type Error = <MemoryStore as Store>::Error;

    async fn decide(
        &self,
        op: Op,
        charges: &[Charge<'_>],
        out: &mut [Verdict],
    ) -> Result<Now, Self::Error> {
        tokio::task::yield_now().await;
        self.0.decide(op, charges, out).await
    }
}

#[actix_web::test]
async fn handlers_see_what_all_limits_decided_where_they_are_shown_it() {
    async fn look(decision: Option<web::ReqData<Decision>>) -> String {
        match decision {
            Some(decision) => decision.reports().len().to_string(),
            None => "none".to_owned(),
        }
    }
    let layer = |name| limits(policy(name, quota!("9/hour")), KeyBy::everyone());
    let app = App::new()
        .route("/", web::get().to(look))
        .route(
            "/both",
            web::get().to(look).wrap(layer("inner").show_decision()),
        )
        .wrap(layer("outer").show_decision());
    let app = init_service(app).await;
    assert_eq!(send(&app, get("/")).await.body, "1");
    assert_eq!(send(&app, get("/both")).await.body, "2");
    let app = App::new().route("/", web::get().to(look)).wrap(layer("a"));
    assert_eq!(send(&init_service(app).await, get("/")).await.body, "none");
}

#[actix_web::test]
async fn a_request_without_the_key_is_refused_where_the_policy_says_so() {
    let key = KeyBy::principal().or_missing(Missing::Refuse);
    let layer = limits(policy("user", quota!("5/hour")), key);
    let app = init_service(App::new().route("/", web::get().to(ok)).wrap(layer)).await;
    let read = send(&app, get("/")).await;
    assert_eq!(
        (read.status.as_u16(), read.code().as_str()),
        (401, "unauthorized")
    );
    assert_eq!(read.header("www-authenticate"), "Bearer");
}

#[actix_web::test]
async fn a_parameter_of_the_path_is_a_key_inside_and_outside_of_routing() {
    let key = || KeyBy::path_param("project");
    let inner = limits(policy("inner", quota!("1/hour")), key());
    let outer = limits(policy("outer", quota!("1/hour")), key());
    let app = App::new()
        .route("/in/{project}", web::get().to(ok).wrap(inner))
        .service(
            web::scope("/out")
                .wrap(outer)
                .route("/{project}", web::get().to(ok)),
        );
    let app = init_service(app).await;
    for place in ["in", "out"] {
        for (project, expected) in [("a", 200), ("b", 200), ("a", 429)] {
            let read = send(&app, get(&format!("/{place}/{project}"))).await;
            assert_eq!(read.status, expected, "{place} {project}");
        }
    }
}

#[actix_web::test]
async fn what_looks_like_a_mistake_is_logged_once() {
    let log = Log::default();
    let logging = log.start();
    let layer = limits(policy("address", quota!("9/hour")), by_peer());
    let app = init_service(App::new().route("/", web::get().to(ok)).wrap(layer)).await;
    for _ in 0..3 {
        let request = from("10.0.0.1").insert_header(("x-forwarded-for", "203.0.113.7"));
        send(&app, request).await;
    }
    drop(logging);
    let log = log.text();
    assert_eq!(log.matches("ClientIp::behind").count(), 1, "{log}");
    assert!(log.contains("WARN"), "{log}");
}

#[actix_web::test]
async fn a_cost_is_charged_as_a_whole() {
    let cost = NonZeroU32::new(3).unwrap();
    let layer = limits(
        policy("all", quota!("7/hour")).cost(cost),
        KeyBy::everyone(),
    );
    let app = init_service(App::new().route("/", web::get().to(ok)).wrap(layer)).await;
    assert_eq!(stands(&send(&app, get("/")).await), ("7", "4"));
}

/// Actix has not read the body when the answer goes out: what follows on the connection is either
/// the rest of the body or nothing, and never a request.
#[actix_web::test]
async fn the_unread_body_of_a_refused_request_is_no_request() {
    let handled = Arc::new(AtomicUsize::new(0));
    let layer = limits(policy("all", quota!("1/day")), KeyBy::everyone());
    let count = Arc::clone(&handled);
    let served = Served::start(1, move || {
        let count = Arc::clone(&count);
        let handler = move |_: web::Bytes| {
            count.fetch_add(1, SeqCst);
            async { "ok" }
        };
        App::new()
            .route("/", web::post().to(handler.clone()).wrap(layer.clone()))
            .route("/secret", web::post().to(handler))
    });
    let smuggled = "POST /secret HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n";
    let head =
        |length: usize| format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n");
    let mut first = served.connect().await;
    first
        .send(format!("{}{smuggled}", head(smuggled.len())))
        .await;
    assert_eq!(status(&first.answer().await.unwrap()), 200);
    for connection in 0..2 {
        let mut wire = served.connect().await;
        wire.send(head(smuggled.len())).await;
        if connection == 0 {
            wire.send(smuggled).await;
        }
        assert_eq!(status(&wire.answer().await.unwrap()), 429);
        if connection == 1 {
            wire.try_send(smuggled).await;
        }
        // A request of the client's own, on the same connection if that is still there.
        wire.try_send("GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n")
            .await;
        let next = wire.answer().await.map(|answer| status(&answer));
        assert!(matches!(next, None | Some(404)), "{next:?}");
    }
    assert_eq!(handled.load(SeqCst), 1);
    served.stop().await;
}
