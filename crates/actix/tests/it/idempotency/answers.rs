//! What the first is told, and what its copies are told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::test::init_service;
use actix_web::{App, Error, web};
use seawall_actix::{Claimed, ErrorsLayer, IdempotencyLayer, Json, RequestIdLayer, TraceLayer};
use seawall_errors::{ApiError, codes};
use seawall_idempotency::{Policy, Presence};
use seawall_web::Origin;
use seawall_web::request::Scope;

use super::{Works, app, front, is_replay, keyed, once};
use crate::support::{post, send, send_chunks};

#[actix_web::test]
async fn a_duplicate_has_the_same_bytes_and_a_mark() {
    let works = Works::new();
    let app = init_service(app(&once(Policy::at_most_once()), &works)).await;
    let first = send(&app, keyed("k", "17")).await;
    let again = send(&app, keyed("\"k\"", "17")).await;
    assert_eq!((first.status.as_u16(), first.body.as_str()), (201, "1: 17"));
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert!(!is_replay(&first), "the mark is ours to make");
    assert!(is_replay(&again));
    assert_eq!(again.header("location"), "/payments/1");
    let tags: Vec<_> = again.headers.get_all("x-tag").collect();
    assert_eq!(tags, ["b", "a, b"]);
    assert!(first.headers.contains_key("set-cookie") && !again.headers.contains_key("set-cookie"));
    assert_ne!(first.header("x-request-id"), again.header("x-request-id"));
    assert_eq!(works.done(), 1);
    assert_eq!(send(&app, keyed("another", "17")).await.body, "2: 17");
}

#[actix_web::test]
async fn an_error_is_kept_unrendered() {
    let works = Works::new();
    let app = init_service(app(&once(Policy::at_most_once()), &works)).await;
    let first = send(&app, keyed("k", "conflict")).await;
    let accept = ("accept", "application/problem+json");
    let again = send(&app, keyed("k", "conflict")).await;
    let problem = send(&app, keyed("k", "conflict").insert_header(accept)).await;
    assert_eq!(
        (first.status.as_u16(), first.code().as_str()),
        (409, "conflict")
    );
    assert_eq!(again.json()["message"], "Nothing to pay");
    assert!(!is_replay(&first) && is_replay(&again));
    assert_eq!(again.json()["request_id"], again.header("x-request-id"));
    assert_ne!(first.json()["request_id"], again.json()["request_id"]);
    assert_eq!(again.header("x-cart"), "7");
    assert_eq!(problem.header("content-type"), accept.1);
    assert_eq!(problem.json()["detail"], "Nothing to pay");
    assert_eq!(works.done(), 1);
}

#[actix_web::test]
async fn what_was_not_executed_is_not_kept() {
    let works = Works::new();
    let counted = works.clone();
    let pay = move |Json(amount): Json<u64>| {
        counted.done.fetch_add(1, SeqCst);
        async move { amount.to_string() }
    };
    let app = App::new()
        .route("/payments", web::post().to(pay))
        .wrap(once(Policy::at_most_once()))
        .wrap(ErrorsLayer::new());
    let app = init_service(app).await;
    let json = |body| keyed("k", body).insert_header(("content-type", "application/json"));
    let malformed = send(&app, json("17 x")).await;
    assert_eq!(malformed.code(), "malformed_json");
    let mended = send(&app, json("17")).await;
    assert_eq!((mended.status.as_u16(), mended.body.as_str()), (200, "17"));
}

#[actix_web::test]
async fn another_payload_is_refused_and_the_first_still_replays() {
    let works = Works::new();
    let app = init_service(app(&once(Policy::at_most_once()), &works)).await;
    let first = send(&app, keyed("k", "17")).await;
    for other in [
        keyed("k", "18"),
        keyed("k", ""),
        keyed("k", "17").uri("/payments?dry"),
        keyed("k", "17").insert_header(("content-type", "text/csv")),
    ] {
        let refused = send(&app, other).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code().as_str()),
            (422, "idempotency_key_reused")
        );
    }
    assert_eq!(send(&app, keyed("k", "17")).await.body, first.body);
    let other = |uri| send(&app, keyed("r", "17").uri(uri));
    assert_eq!(other("/users/1/payments").await.status, 201);
    assert_eq!(other("/users/2/payments").await.status, 422, "one route");
    let put = send(&app, keyed("k", "17").method(actix_web::http::Method::PUT)).await;
    assert_eq!(put.body, "3: 17", "another method is another operation");
}

#[actix_web::test]
async fn keys_that_are_none_are_refused_before_anything_is_done() {
    let works = Works::new();
    let app = init_service(app(&once(Policy::at_most_once()), &works)).await;
    let long = "k".repeat(256);
    for key in ["\"open", "a,b", "\"\"", "sp ace", "", &long] {
        let refused = send(&app, keyed(key, "")).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code().as_str()),
            (400, "idempotency_key_invalid")
        );
    }
    let twice = keyed("k", "").append_header(("idempotency-key", "k"));
    assert_eq!(send(&app, twice).await.code(), "idempotency_key_invalid");
    assert_eq!(works.done(), 0);
    for _ in 0..2 {
        let get = keyed("\"open", "").method(actix_web::http::Method::GET);
        assert_eq!(send(&app, get).await.status, 201, "safe methods pass");
    }
    assert_eq!(works.done(), 2);
}

#[actix_web::test]
async fn a_key_is_needed_where_the_rule_says_so_and_holds_for_who_sent_it() {
    let works = Works::new();
    let strict = front(Policy::at_most_once().presence(Presence::Required));
    let layer = IdempotencyLayer::new(front(Policy::at_most_once()), Scope::principal());
    let layer = layer.route("POST", "/users/{id}/payments", strict);
    let app = init_service(app(&layer, &works)).await;
    let refused = send(&app, post("/users/1/payments", "text/plain", "")).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (400, "idempotency_key_missing")
    );
    assert_eq!(
        send(&app, post("/payments", "text/plain", "")).await.status,
        201
    );
    let by = |user: &'static str| keyed("k", "17").insert_header(("x-user", user));
    assert_eq!(send(&app, by("alice")).await.body, "2: 17");
    assert_eq!(send(&app, by("bob")).await.body, "3: 17");
    assert!(is_replay(&send(&app, by("alice")).await));
    assert_eq!(send(&app, keyed("k", "17")).await.code(), "unauthorized");
}

#[actix_web::test]
async fn a_body_that_is_too_long_is_refused_and_reserves_nothing() {
    let works = Works::new();
    let app = init_service(app(&once(Policy::at_most_once()).max_body(8), &works)).await;
    let announced = keyed("k", "1").insert_header(("content-length", "9"));
    let announced = send(&app, announced).await;
    let arrives = send_chunks(&app, keyed("k", "123456789")).await;
    for refused in [announced, arrives] {
        assert_eq!(
            (refused.status.as_u16(), refused.code().as_str()),
            (413, "payload_too_large")
        );
    }
    let whole = send(&app, keyed("k", "12345678")).await;
    assert_eq!(
        (whole.body.as_str(), is_replay(&whole)),
        ("1: 12345678", false)
    );
}

#[actix_web::test]
async fn a_panic_is_settled_and_goes_on_to_the_caller() {
    for (policy, again) in [
        (Policy::at_most_once(), (409, "outcome_unknown", 1)),
        (Policy::at_least_once(), (500, "internal_error", 2)),
    ] {
        let works = Works::new();
        let app = init_service(app(&once(policy), &works)).await;
        let first = send(&app, keyed("k", "panic")).await;
        assert_eq!(
            (first.status.as_u16(), first.code().as_str()),
            (500, "internal_error")
        );
        let second = send(&app, keyed("k", "panic")).await;
        let found = (second.status.as_u16(), second.code());
        assert_eq!((found.0, found.1.as_str(), works.done()), again);
    }
}

/// A middleware that fails gives no response; what actix makes of it is kept, and masked again.

#[actix_web::test]
async fn a_failure_further_inside_is_kept_like_an_answer() {
    async fn failing<B>(request: ServiceRequest, _: Next<B>) -> Result<ServiceResponse<B>, Error> {
        let error = match request.path() {
            "/known" => seawall_actix::Error::from(ApiError::new(codes::CONFLICT)).into(),
            "/refused" => seawall_actix::Error::from(ApiError::new(codes::FORBIDDEN)).into(),
            _ => actix_web::error::ErrorGone("10.0.0.7 says so"),
        };
        Err(error)
    }
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let app = App::new()
        .wrap(from_fn(failing))
        .wrap(from_fn(move |request: ServiceRequest, next: Next<_>| {
            counted.fetch_add(1, SeqCst);
            next.call(request)
        }))
        .wrap(once(Policy::at_most_once()))
        .wrap(ErrorsLayer::new())
        .wrap(RequestIdLayer::new());
    let app = init_service(app).await;
    for (uri, status, code, is_kept) in [
        ("/known", 409, "conflict", true),
        ("/refused", 403, "forbidden", false),
        ("/foreign", 410, "gone", true),
    ] {
        calls.store(0, SeqCst);
        for nth in 0..2 {
            let read = send(&app, keyed(uri, "").uri(uri)).await;
            assert_eq!(
                (read.status.as_u16(), read.code().as_str()),
                (status, code),
                "{uri}"
            );
            assert_eq!(read.json()["request_id"], read.header("x-request-id"));
            assert_eq!(is_replay(&read), is_kept && nth == 1, "{uri}");
            assert!(!read.body.contains("10.0.0.7"), "{read:?}");
        }
        assert_eq!(calls.load(SeqCst), if is_kept { 1 } else { 2 }, "{uri}");
    }
}

#[actix_web::test]
async fn handlers_find_their_claim_and_on_whose_behalf_they_work() {
    let strict = || web::post().to(|claim: Claimed| async move { claim.downstream_key("charge") });
    let optional =
        || web::post().to(|claim: Option<Claimed>| async move { claim.is_some().to_string() });
    let origin = || {
        web::post().to(|| async {
            let origin = Origin::current().unwrap();
            origin.request_id().unwrap().as_str().to_owned()
        })
    };
    let app = App::new()
        .route("/bare", strict())
        .service(
            web::scope("/once")
                .wrap(once(Policy::at_most_once()))
                .route("/strict", strict())
                .route("/optional", optional())
                .route("/origin", origin()),
        )
        .wrap(ErrorsLayer::new())
        .wrap(TraceLayer::new())
        .wrap(RequestIdLayer::new());
    let app = init_service(app).await;
    let at = |uri, key| send(&app, keyed(key, "").uri(uri));
    let first = at("/once/strict", "k").await;
    assert_eq!((first.status.as_u16(), first.body.len()), (200, 36));
    assert_eq!(at("/once/strict", "k").await.body, first.body);
    assert_ne!(at("/once/strict", "k2").await.body, first.body);
    assert_eq!(at("/bare", "k").await.code(), "internal_error");
    assert_eq!(at("/once/optional", "k").await.body, "true");
    let unkeyed = post("/once/optional", "text/plain", "");
    assert_eq!(send(&app, unkeyed).await.body, "false");
    let read = at("/once/origin", "k").await;
    assert_eq!(read.body, read.header("x-request-id"));
}

#[actix_web::test]
async fn two_layers_around_one_route_are_one() {
    let works = Works::new();
    let count = works.clone();
    let pay = move |sent: String| {
        let works = count.clone();
        async move { works.work(&sent).await }
    };
    // The inner one would refuse whatever it is asked.
    let inner = once(Policy::at_least_once()).max_in_flight(0);
    let both = web::resource("/payments").wrap(inner);
    let app = App::new()
        .service(both.route(web::post().to(pay)))
        .wrap(once(Policy::at_most_once()));
    let app = init_service(app).await;
    for _ in 0..2 {
        assert_eq!(send(&app, keyed("k", "17")).await.body, "1: 17");
    }
}
