//! Deadlines: kept on a paused clock, passed on, and final.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::Request;
use seawall_timeout::{Deadline, scope};
use seawall_tower::{DeadlineLayer, ErrorsLayer, RequestIdLayer};
use tokio::time::Instant;
use tower::{Layer, service_fn};

use crate::support::{Plain, answer, get, send};

const LIMIT: Duration = Duration::from_secs(5);

#[tokio::test(start_paused = true)]
async fn a_handler_that_hangs_is_answered_on_time() {
    let hang =
        service_fn(|_: Request<Plain>| pending::<Result<http::Response<Plain>, Infallible>>());
    let start = Instant::now();
    let read = send(
        (
            RequestIdLayer::new(),
            ErrorsLayer::new(),
            DeadlineLayer::new(LIMIT),
        )
            .layer(hang),
        get("/"),
    )
    .await;
    assert_eq!(start.elapsed(), LIMIT);
    assert_eq!(read.status, 504);
    assert_eq!(read.code(), "deadline_exceeded");
    assert_eq!(read.json()["message"], "Request timed out after 5.0s");
}

#[tokio::test(start_paused = true)]
async fn without_the_errors_layer_the_answer_is_whole_too() {
    let hang =
        service_fn(|_: Request<Plain>| pending::<Result<http::Response<Plain>, Infallible>>());
    let read = send(DeadlineLayer::new(LIMIT).layer(hang), get("/")).await;
    assert_eq!(
        (read.status.as_u16(), read.code().as_str()),
        (504, "deadline_exceeded")
    );
    assert_eq!(read.header("content-type"), "application/json");
}

#[tokio::test(start_paused = true)]
async fn the_handler_sees_what_remains() {
    let look = service_fn(|_: Request<Plain>| async {
        tokio::time::advance(Duration::from_secs(2)).await;
        let left = seawall_timeout::current().unwrap().remaining();
        assert_eq!(left, Some(Duration::from_secs(3)));
        Ok::<_, Infallible>(answer(200, "seen"))
    });
    assert_eq!(
        send(DeadlineLayer::new(LIMIT).layer(look), get("/"))
            .await
            .body,
        "seen"
    );
}

#[tokio::test(start_paused = true)]
async fn an_outer_deadline_that_ends_sooner_stays_in_force() {
    let hang =
        service_fn(|_: Request<Plain>| pending::<Result<http::Response<Plain>, Infallible>>());
    let start = Instant::now();
    let outer = Deadline::after(Duration::from_secs(1));
    let service = DeadlineLayer::new(LIMIT).layer(hang);
    let read = scope(outer, async { send(service, get("/")).await }).await;
    assert_eq!(start.elapsed(), Duration::from_secs(1));
    assert_eq!(read.status, 504);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_has_passed_never_polls_the_handler() {
    let polled = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&polled);
    let count = service_fn(move |_: Request<Plain>| {
        let counter = Arc::clone(&counter);
        async move {
            counter.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Infallible>(answer(200, ""))
        }
    });
    let past = Deadline::after(Duration::ZERO);
    let service = DeadlineLayer::new(LIMIT).layer(count);
    let read = scope(past, async { send(service, get("/")).await }).await;
    assert_eq!(read.status, 504);
    assert_eq!(polled.load(Ordering::Relaxed), 0);
}
