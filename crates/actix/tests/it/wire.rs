//! What a hardened service answers over a socket, to the letter: what the one on axum answers, too.

use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::BodyStream;
use actix_web::dev::ServiceRequest;
use actix_web::{App, HttpResponse, web};
use bytes::Bytes;
use seawall_actix::{BodyLimitLayer, Error, Result, Seawall};
use seawall_errors::{ApiError, codes};
use seawall_ratelimit::{MemoryStore, Policy, quota};
use seawall_web::request::{ClientIp, KeyBy};

use crate::served::{Served, status};

async fn known(request: ServiceRequest) -> Result<ServiceRequest> {
    if request.headers().contains_key("x-nobody") {
        let unknown = ApiError::new(codes::UNAUTHORIZED).header("www-authenticate", "Bearer");
        return Err(unknown.into());
    }
    Ok(request)
}

async fn fails() -> Result<&'static str> {
    Err(Error::from(ApiError::new(codes::CONFLICT)))
}

async fn broken() -> HttpResponse {
    HttpResponse::InternalServerError()
        .insert_header(("x-debug", "10.0.0.7"))
        .insert_header(("retry-after", "7"))
        .body("SELECT secret")
}

async fn gone() -> HttpResponse {
    HttpResponse::NotFound()
        .insert_header(("set-cookie", "a=b"))
        .insert_header(("etag", "\"1\""))
        .body("no such secret")
}

/// Half an answer, and then the end of it.
async fn halves() -> HttpResponse {
    let mut polls = 0;
    let stream = futures::stream::poll_fn(move |cx: &mut Context<'_>| {
        polls += 1;
        match polls {
            1 => Poll::Ready(Some(Ok::<_, std::io::Error>(Bytes::from_static(b"half")))),
            2 => {
                // What was sent goes out meanwhile.
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            _ => panic!("no second half"),
        }
    });
    HttpResponse::Ok().body(BodyStream::new(stream))
}

async fn panics() -> &'static str {
    panic!("at the disco")
}

fn start() -> Served {
    let by_address = Policy::new("address", quota!("1000/minute")).unwrap();
    let seawall = Seawall::builder(MemoryStore::new(64))
        .deadline(Duration::from_millis(500))
        .body_limits(BodyLimitLayer::new(16).read_within(Duration::from_millis(200)))
        .limit(by_address, KeyBy::address(ClientIp::peer()))
        .authenticate(known)
        .build()
        .unwrap();
    Served::start(1, move || {
        let ok = || async { "ok" };
        let routes = web::scope("")
            .service(web::resource("/ok").get(ok).head(ok))
            .service(web::resource("/echo").post(|body: String| async move { body }))
            .service(web::resource("/ignores").post(|| async { "ignored" }))
            .service(web::resource("/slow").get(std::future::pending::<&'static str>))
            .service(web::resource("/panics").get(panics))
            .service(web::resource("/fails").get(fails))
            .service(web::resource("/broken").get(broken))
            .service(web::resource("/halves").get(halves))
            .service(web::resource("/gone").get(gone));
        App::new().service(seawall.protect(routes))
    })
}

/// Without what differs from run to run: the date, ids, and when a window ends.
fn normal(answer: &str) -> String {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<_> = head
        .to_ascii_lowercase()
        .lines()
        .filter(|line| !line.starts_with("date: "))
        .filter(|line| !line.starts_with("x-ratelimit-") && !line.starts_with("ratelimit: "))
        .map(|line| match line.split_once(": req_") {
            Some((name, _)) => format!("{name}: ID"),
            None => line.to_owned(),
        })
        .collect();
    lines[1..].sort();
    let body = match body.split_once("\"request_id\":\"req_") {
        Some((before, after)) => format!("{before}\"request_id\":\"ID{}", &after[32..]),
        None => body.to_owned(),
    };
    let body = match body.split_once("urn:uuid:") {
        Some((before, after)) => format!("{before}urn:uuid:ID{}", &after[36..]),
        None => body,
    };
    format!("{}\n\n{body}", lines.join("\n"))
}

/// What every error says besides its own.
fn error(line: &str, more: &[&str], code: &str, message: &str) -> String {
    let body =
        format!(r#"{{"error":"{code}","message":"{message}","details":[],"request_id":"ID"}}"#);
    // The id itself is two characters here, and 36 on the wire.
    let length = format!("content-length: {}", body.len() + 34);
    let mut lines = vec![
        "cache-control: no-store",
        "content-type: application/json",
        "vary: accept",
        "x-content-type-options: nosniff",
        "x-request-id: ID",
        &length,
    ];
    lines.extend(more);
    lines.sort_unstable();
    format!("http/1.1 {line}\n{}\n\n{body}", lines.join("\n"))
}

const POLICY: &str = "ratelimit-policy: \"address\";q=1000;w=60";

async fn check(served: &Served, request: &str, expected: &str) {
    let mut wire = served.connect().await;
    wire.send(request).await;
    let answer = if request.starts_with("HEAD") {
        wire.head().await
    } else {
        wire.answer().await
    };
    assert_eq!(normal(&answer.unwrap()), expected, "{request}");
}

#[actix_web::test]
async fn every_answer_is_what_axum_would_answer() {
    let served = start();
    let ask = |line: &str, more: &str| format!("{line} HTTP/1.1\r\nhost: a\r\n{more}\r\n");
    let ok = format!(
        "http/1.1 200 ok\ncontent-length: 2\ncontent-type: text/plain; charset=utf-8\n{POLICY}\n\
         x-request-id: ID\n\n"
    );
    check(&served, &ask("GET /ok", ""), &format!("{ok}ok")).await;
    check(&served, &ask("HEAD /ok", ""), &ok).await;

    let missing = error("404 not found", &[POLICY], "not_found", "Not found");
    check(&served, &ask("GET /missing", ""), &missing).await;
    let head = missing.split_once("\n\n").unwrap().0;
    check(&served, &ask("HEAD /missing", ""), &format!("{head}\n\n")).await;

    let allow = ["allow: get,head", POLICY];
    let refused = error(
        "405 method not allowed",
        &allow,
        "method_not_allowed",
        "Method not allowed",
    );
    check(&served, &ask("POST /ok", "content-length: 0\r\n"), &refused).await;
    check(&served, &ask("OPTIONS /ok", ""), &refused).await;

    let conflict = error("409 conflict", &[POLICY], "conflict", "Conflict");
    check(&served, &ask("GET /fails", ""), &conflict).await;
    let problem = r#"{"type":"about:blank","title":"Conflict","status":409,"instance":"urn:uuid:ID","code":"conflict","request_id":"ID"}"#;
    let problem = format!(
        "http/1.1 409 conflict\ncache-control: no-store\ncontent-length: 183\n\
         content-type: application/problem+json\n{POLICY}\nvary: accept\n\
         x-content-type-options: nosniff\nx-request-id: ID\n\n{problem}"
    );
    let accept = "accept: application/problem+json\r\n";
    check(&served, &ask("GET /fails", accept), &problem).await;

    let masked = error(
        "500 internal server error",
        &[POLICY, "retry-after: 7"],
        "internal_error",
        "Internal server error",
    );
    check(&served, &ask("GET /broken", ""), &masked).await;
    let adopted = error(
        "404 not found",
        &[POLICY, "set-cookie: a=b"],
        "not_found",
        "Not found",
    );
    check(&served, &ask("GET /gone", ""), &adopted).await;

    let panicked = error(
        "500 internal server error",
        &[],
        "internal_error",
        "Internal server error",
    );
    check(&served, &ask("GET /panics", ""), &panicked).await;
    let late = error(
        "504 gateway timeout",
        &[],
        "deadline_exceeded",
        "Request timed out after 0.5s",
    );
    check(&served, &ask("GET /slow", ""), &late).await;

    let unknown = error(
        "401 unauthorized",
        &[POLICY, "www-authenticate: bearer"],
        "unauthorized",
        "Authentication required",
    );
    check(&served, &ask("GET /ok", "x-nobody: 1\r\n"), &unknown).await;

    let close = ["connection: close", POLICY];
    let large = error(
        "413 payload too large",
        &close,
        "payload_too_large",
        "Payload too large",
    );
    check(
        &served,
        &ask("POST /echo", "content-length: 17\r\n"),
        &large,
    )
    .await;
    let chunked = ask("POST /echo", "transfer-encoding: chunked\r\n");
    let large = error(
        "413 payload too large",
        &[POLICY],
        "payload_too_large",
        "Payload too large",
    );
    let body = "11\r\n12345678901234567\r\n0\r\n\r\n";
    check(&served, &format!("{chunked}{body}"), &large).await;
    let slow = error(
        "408 request timeout",
        &close,
        "request_timeout",
        "The request arrived too slowly",
    );
    let half = ask(
        "POST /echo",
        "content-type: text/plain\r\ncontent-length: 5\r\n",
    );
    check(&served, &format!("{half}12"), &slow).await;
    served.stop().await;
}

/// Actix answers before it has read further: a refused body of known length closes the connection, and
/// the answer says so, while a chunked one is read to its end and thrown away.
#[actix_web::test]
async fn after_a_refusal_the_connection_is_closed_or_in_step() {
    let served = start();
    let get = "GET /ok HTTP/1.1\r\nhost: a\r\n\r\n";

    let mut wire = served.connect().await;
    wire.send(format!("GET /missing HTTP/1.1\r\nhost: a\r\n\r\n{get}"))
        .await;
    assert_eq!(status(&wire.answer().await.unwrap()), 404);
    assert!(wire.answer().await.unwrap().ends_with("\r\n\r\nok"));

    let refused = "POST /echo HTTP/1.1\r\nhost: a\r\nx-nobody: 1\r\n";
    let mut wire = served.connect().await;
    let body = "transfer-encoding: chunked\r\n\r\n5\r\nGET /\r\n0\r\n\r\n";
    wire.send(format!("{refused}{body}{get}")).await;
    assert_eq!(status(&wire.answer().await.unwrap()), 401);
    assert!(wire.answer().await.unwrap().ends_with("\r\n\r\nok"));
    wire.send(get).await;
    assert_eq!(status(&wire.answer().await.unwrap()), 200);

    // All of the body is there already: actix may go on, but never with what the body says.
    let mut wire = served.connect().await;
    let body = "GET /gone\r\n\r\n";
    let head = format!("{refused}content-length: {}\r\n\r\n", body.len());
    wire.send(format!("{head}{body}{get}")).await;
    let answer = wire.answer().await.unwrap();
    assert_eq!(status(&answer), 401);
    assert!(answer.contains("connection: close"), "{answer}");
    if let Some(next) = wire.answer().await {
        assert!(next.ends_with("\r\n\r\nok"), "{next}");
    }

    let mut wire = served.connect().await;
    wire.send(format!("{refused}content-length: 5\r\n\r\nGE"))
        .await;
    assert_eq!(status(&wire.answer().await.unwrap()), 401);
    wire.try_send(format!("T /{get}")).await;
    assert_eq!(wire.answer().await, None);
    served.stop().await;
}

#[actix_web::test]
async fn half_an_answer_is_never_taken_for_a_whole_one() {
    let served = start();
    let mut wire = served.connect().await;
    wire.send("GET /halves HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let all = wire.rest().await;
    assert!(
        all.contains("half\r\n") && !all.contains("\r\n0\r\n"),
        "{all}"
    );
    served.stop().await;
}
