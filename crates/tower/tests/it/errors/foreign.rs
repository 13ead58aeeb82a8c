//! Error answers that are not ours: adopted, masked, and what of them stays.

use std::convert::Infallible;
use std::future::ready;

use http::{Request, Response};
use seawall_tower::ErrorsLayer;
use tower::{Layer, service_fn};

use super::{CANARY, check_shape, layered, through};
use crate::support::{Log, Plain, Read, Script, Step, answer, get, send};

#[tokio::test]
async fn a_foreign_5xx_is_masked_and_what_it_said_is_logged_once() {
    let log = Log::default();
    let guard = log.start();
    let read = through(get("/"), answer(500, CANARY)).await;
    drop(guard);
    check_shape(&read, 500, "internal_error");
    let text = log.text();
    assert_eq!(text.matches(CANARY).count(), 1, "{text}");
    assert!(
        text.contains("ERROR") && text.contains(read.header("x-request-id")),
        "{text}"
    );
}

#[tokio::test]
async fn foreign_errors_keep_their_status_and_the_headers_that_matter() {
    let mut response = answer(405, "nope");
    for (name, value) in [
        ("allow", "GET, HEAD"),
        ("etag", "\"x\""),
        ("content-encoding", "gzip"),
        ("content-digest", "sha-256=:x=:"),
    ] {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
        .headers_mut()
        .append("set-cookie", "a=1".parse().unwrap());
    response
        .headers_mut()
        .append("set-cookie", "b=2".parse().unwrap());
    let read = through(get("/"), response).await;
    check_shape(&read, 405, "method_not_allowed");
    assert_eq!(read.header("allow"), "GET, HEAD");
    assert_eq!(read.headers.get_all("set-cookie").iter().count(), 2);
    for gone in ["etag", "content-encoding", "content-digest"] {
        assert!(
            !read.headers.contains_key(gone),
            "{gone} describes a body that is gone"
        );
    }
}

#[tokio::test]
async fn a_lower_layers_retry_after_and_challenge_are_kept() {
    let mut response = answer(401, "who?");
    response
        .headers_mut()
        .insert("www-authenticate", "Bearer realm=\"x\"".parse().unwrap());
    check_shape(&through(get("/"), response).await, 401, "unauthorized");
    let mut response = answer(429, "slow down");
    response
        .headers_mut()
        .insert("retry-after", "17".parse().unwrap());
    let read = through(get("/"), response).await;
    check_shape(&read, 429, "rate_limited");
    assert_eq!(
        read.headers
            .get_all("retry-after")
            .iter()
            .collect::<Vec<_>>(),
        ["17"]
    );
}

#[tokio::test]
async fn every_error_status_is_adopted_as_it_is() {
    for status in 400..=599 {
        let read = through(get("/"), answer(status, CANARY)).await;
        assert_eq!(read.status.as_u16(), status);
        assert!(!read.body.contains("SELECT"), "{status}");
        assert!(!read.code().is_empty());
    }
}

#[tokio::test]
async fn a_forged_log_line_stays_one_line() {
    let log = Log::default();
    let guard = log.start();
    through(
        get("/"),
        answer(500, "oops\nERROR forged=\"line\"\u{1b}[31m"),
    )
    .await;
    drop(guard);
    let text = log.text();
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    assert!(!text.contains('\u{1b}'));
}

#[tokio::test]
async fn a_foreign_5xx_keeps_the_headers_that_are_for_callers_and_no_other() {
    let foreign = || {
        let mut response = answer(503, "");
        for (name, value) in [
            ("retry-after", "17"),
            ("access-control-allow-origin", "*"),
            ("x-ratelimit-remaining", "4"),
            ("set-cookie", "a=1"),
            ("x-debug", CANARY),
            ("x-maintenance", "until noon"),
        ] {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        response
    };
    let log = Log::default();
    let guard = log.start();
    let read = through(get("/"), foreign()).await;
    drop(guard);
    check_shape(&read, 503, "service_unavailable");
    assert_eq!(read.header("retry-after"), "17");
    assert_eq!(read.header("access-control-allow-origin"), "*");
    assert_eq!(read.header("x-ratelimit-remaining"), "4");
    assert_eq!(read.header("set-cookie"), "a=1");
    assert!(!read.headers.contains_key("x-debug") && !read.headers.contains_key("x-maintenance"));
    assert_eq!(log.text().matches(CANARY).count(), 1, "{}", log.text());

    let kept = ErrorsLayer::new().keep_headers([http::HeaderName::from_static("x-maintenance")]);
    let inner = service_fn(move |_: Request<Plain>| ready(Ok::<_, Infallible>(foreign())));
    let read = send(kept.layer(inner), get("/")).await;
    assert_eq!(read.header("x-maintenance"), "until noon");
    assert!(!read.headers.contains_key("x-debug"));
}

#[tokio::test]
async fn the_text_of_a_foreign_4xx_is_kept_only_where_told() {
    let say = |status, content_type: &'static str, body: &'static str| {
        service_fn(move |_: Request<Plain>| {
            let mut response = answer(status, body);
            let content_type = content_type.parse().unwrap();
            response.headers_mut().insert("content-type", content_type);
            ready(Ok::<_, Infallible>(response))
        })
    };
    let kept = ErrorsLayer::new().keep_client_error_text();
    let text = "text/plain; charset=utf-8";
    let message = |read: Read| read.json()["message"].as_str().unwrap().to_owned();

    let read = send(kept.layer(say(409, text, " Seat\u{7} taken\n")), get("/")).await;
    assert_eq!(message(read), "Seat taken");
    let read = send(
        ErrorsLayer::new().layer(say(409, text, "Seat taken")),
        get("/"),
    )
    .await;
    assert_eq!(message(read), "Conflict");
    for (content_type, body) in [("text/html", "<b>no</b>"), (text, "  ")] {
        let read = send(kept.layer(say(409, content_type, body)), get("/")).await;
        assert_eq!(message(read), "Conflict", "{content_type}");
    }
    let read = send(kept.layer(say(500, text, CANARY)), get("/")).await;
    check_masked(&read);
}

#[track_caller]
fn check_masked(read: &Read) {
    assert_eq!(read.code(), "internal_error");
    assert!(!read.body.contains("SELECT"), "{read:?}");
}

#[tokio::test]
async fn a_foreign_body_that_panics_when_it_is_read_is_adopted_all_the_same() {
    let inner = service_fn(|_: Request<Plain>| {
        let body = Script(vec![Step::Panic(CANARY.into())]);
        let response = Response::builder().status(502).body(body).unwrap();
        ready(Ok::<_, Infallible>(response))
    });
    let log = Log::default();
    let guard = log.start();
    let read = send(layered(inner), get("/")).await;
    drop(guard);
    check_shape(&read, 502, "bad_gateway");
    assert_eq!(log.text().matches(CANARY).count(), 1);
}
