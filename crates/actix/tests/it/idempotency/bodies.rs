//! Answers that come in pieces, too long, without an end, or not whole.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{Service, ServiceResponse};
use actix_web::test::init_service;
use actix_web::web::Bytes;
use actix_web::{App, Error, HttpResponse, web};
use seawall_idempotency::Policy;

use super::{Once, is_replay, keyed, once};
use crate::support::send;

/// Gives these chunks, then ends, fails or waits for ever.
struct Script(Vec<&'static str>, End);

#[derive(Clone, Copy, PartialEq)]
enum End {
    Regular,
    Failure,
    Never,
}

impl MessageBody for Script {
    type Error = std::io::Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if !self.0.is_empty() {
            return Poll::Ready(Some(Ok(Bytes::from(self.0.remove(0)))));
        }
        match self.1 {
            End::Regular => Poll::Ready(None),
            End::Failure => {
                self.1 = End::Regular;
                Poll::Ready(Some(Err(std::io::Error::other("reset"))))
            }
            End::Never => Poll::Pending,
        }
    }
}

async fn answering(
    layer: Once,
    content_type: &'static str,
    chunks: &'static [&'static str],
    end: End,
) -> (
    Arc<AtomicUsize>,
    impl Service<actix_http::Request, Response = ServiceResponse<impl MessageBody>, Error = Error>,
) {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let work = move || {
        count.fetch_add(1, SeqCst);
        let mut answer = HttpResponse::Created();
        answer
            .content_type(content_type)
            .append_header(("x-report", "7"));
        async move { Ok::<_, Infallible>(answer.body(Script(chunks.to_vec(), end))) }
    };
    let app = App::new()
        .route("/payments", web::post().to(work))
        .wrap(layer);
    (calls, init_service(app).await)
}

async fn first_chunks<B: MessageBody>(body: B, count: usize) -> String {
    let mut body = std::pin::pin!(body);
    let mut read = String::new();
    for _ in 0..count {
        let chunk = std::future::poll_fn(|cx| body.as_mut().poll_next(cx)).await;
        let chunk = chunk.unwrap().map_err(Into::into).unwrap();
        read.push_str(str::from_utf8(&chunk).unwrap());
    }
    read
}

#[actix_web::test]
async fn chunks_are_kept_as_a_whole() {
    let layer = once(Policy::at_most_once());
    let (calls, app) = answering(layer, "text/plain", &["a", "", "bc"], End::Regular).await;
    for replayed in [false, true] {
        let read = send(&app, keyed("k", "")).await;
        assert_eq!((read.status.as_u16(), read.body.as_str()), (201, "abc"));
        assert_eq!(is_replay(&read), replayed);
    }
    assert_eq!(calls.load(SeqCst), 1);
}

#[actix_web::test]
async fn what_is_too_long_to_keep_is_passed_on_and_not_done_again() {
    const PART: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    let layer = once(Policy::at_most_once().largest(256));
    let (calls, app) = answering(layer, "text/plain", &[PART; 5], End::Regular).await;
    assert_eq!(send(&app, keyed("k", "")).await.body.len(), 500);
    let again = send(&app, keyed("k", "")).await;
    assert_eq!((again.status.as_u16(), again.body.as_str()), (201, ""));
    assert_eq!(again.header("x-report"), "7");
    assert_eq!(again.header("idempotent-replayed-body"), "omitted");
    assert!(
        !again.headers.contains_key("content-type"),
        "there is no content"
    );
    assert_eq!(calls.load(SeqCst), 1);
}

#[actix_web::test]
async fn what_does_not_end_is_passed_on_as_it_comes() {
    for (content_type, within) in [
        (
            "text/event-stream; charset=utf-8",
            Duration::from_secs(3600),
        ),
        ("text/plain", Duration::ZERO),
    ] {
        let layer = once(Policy::at_most_once()).capture_within(within);
        let (calls, app) = answering(layer, content_type, &["first"], End::Never).await;
        let first = app.call(keyed("k", "").to_request()).await.unwrap();
        assert_eq!(first_chunks(first.into_body(), 1).await, "first");
        let again = send(&app, keyed("k", "")).await;
        assert_eq!(again.header("idempotent-replayed-body"), "omitted");
        assert_eq!(calls.load(SeqCst), 1);
    }
}

#[actix_web::test]
async fn an_answer_that_breaks_off_has_an_unknown_outcome() {
    let layer = once(Policy::at_most_once());
    let (calls, app) = answering(layer, "text/plain", &["half"], End::Failure).await;
    let first = app.call(keyed("k", "").to_request()).await.unwrap();
    let mut body = std::pin::pin!(first.into_body());
    let chunk = std::future::poll_fn(|cx| body.as_mut().poll_next(cx)).await;
    assert_eq!(chunk.unwrap().map_err(Into::into).unwrap(), "half");
    let failure = std::future::poll_fn(|cx| body.as_mut().poll_next(cx)).await;
    let failure = failure.unwrap().map_err(Into::into).unwrap_err();
    assert!(failure.to_string().contains("reset") || failure.source().is_some());
    let again = send(&app, keyed("k", "")).await;
    assert_eq!(again.code(), "outcome_unknown");
    assert_eq!(calls.load(SeqCst), 1);
}
