//! What tower expects of every service, as functions over any layer.
//!
//! Two services stand below: a mock that says when it is ready, and a [`ConcurrencyLimit`] of one,
//! whose only permit a layer can keep for too long or lose. Both panic when a clone that was never
//! ready is called in the place of the one that was.

use std::fmt::Debug;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use futures::FutureExt;
use futures::future::join;
use http::{Request, Response};
use tower::buffer::Buffer;
use tower::limit::ConcurrencyLimit;
use tower::{BoxError, Layer, Service, ServiceExt};
use tower_test::mock::{self, Mock};

use super::probe::{self, Answer, FAILS, HANGS, OK, Probe};
use crate::support::{Plain, Script, answer};

/// A service as servers and clients use it: cloned, sent to another thread, shared.
pub(super) trait Served:
    Service<Request<Script>, Response: Answer + Send, Error: Debug + Send, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> Served for S where
    S: Service<Request<Script>, Response: Answer + Send, Error: Debug + Send, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// A layer that makes one of an inner service.
pub(super) trait Over<I>: Layer<I, Service: Served> + Clone + Send + Sync + 'static {}

impl<I, L> Over<I> for L where L: Layer<I, Service: Served> + Clone + Send + Sync + 'static {}

type Mocked<B> = Mock<Request<B>, Response<Plain>>;
type Single = ConcurrencyLimit<Probe>;
type Calling = tower::limit::concurrency::future::ResponseFuture<probe::Answering>;

/// No clock runs in these tests, so whoever waits for this long waits for nothing that will come.
async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    let Ok(output) = tokio::time::timeout(Duration::from_secs(1), future).await else {
        panic!("{what}: waits for ever")
    };
    output
}

async fn readiness<S: Served>(service: &mut S) -> Poll<Result<(), S::Error>> {
    poll_fn(|cx| Poll::Ready(service.poll_ready(cx))).await
}

/// The inner service decides when the whole is ready, and says why it will never be.
pub(super) async fn readiness_is_passed_on<B, L: Over<Mocked<B>>>(layer: L) {
    let (inner, mut handle) = mock::pair();
    let mut service = layer.layer(inner);
    handle.allow(0);
    assert!(readiness(&mut service).await.is_pending());
    handle.allow(1);
    assert!(matches!(readiness(&mut service).await, Poll::Ready(Ok(()))));

    let mut broken = service.clone();
    handle.send_error("it is broken");
    match readiness(&mut broken).await {
        Poll::Ready(Err(error)) => assert!(format!("{error:?}").contains("it is broken")),
        other => panic!("{:?}", other.is_ready()),
    }
}

/// The service that said it was ready gets the request, and what stays behind has to become ready
/// anew.
pub(super) async fn the_ready_service_is_called<B, L: Over<Mocked<B>>>(
    layer: L,
    request: fn(&str) -> Request<Script>,
) {
    let (inner, mut handle) = mock::pair();
    let mut service = layer.layer(inner);
    for _ in 0..3 {
        handle.allow(1);
        soon("ready", service.ready()).await.unwrap();
        let answered = service.call(request(OK));
        let reply = async {
            let (_, reply) = handle.next_request().await.unwrap();
            reply.send_response(answer(200, ""));
        };
        let (answered, ()) = soon("call", join(answered, reply)).await;
        assert_eq!(answered.unwrap().code(), 200);
        assert!(readiness(&mut service).await.is_pending());
    }
}

/// An error of the inner service comes out as an error.
pub(super) async fn errors_are_passed_on<B, L: Over<Mocked<B>>>(
    layer: L,
    request: fn(&str) -> Request<Script>,
) {
    let (inner, mut handle) = mock::pair();
    let mut service = layer.layer(inner);
    let answered = service.ready().await.unwrap().call(request(FAILS));
    let reply = async {
        let (_, reply) = handle.next_request().await.unwrap();
        reply.send_error("it failed");
    };
    let (answered, ()) = soon("call", join(answered, reply)).await;
    let error = answered.err().expect("an error");
    assert!(format!("{error:?}").contains("it failed"), "{error:?}");
}

/// Over the single permit: a service to use, and a clone of it that was made before any request.
fn single<L: Over<Single>>(layer: &L) -> (L::Service, L::Service, Probe) {
    let probe = Probe::default();
    let service = layer.layer(ConcurrencyLimit::new(probe.clone(), 1));
    (service.clone(), service, probe)
}

async fn call<S: Served>(service: &mut S, request: Request<Script>) -> S::Future {
    soon("ready", service.ready()).await.unwrap().call(request)
}

async fn serves<S: Served>(service: &mut S, request: Request<Script>, whose: &str) {
    let answered = call(service, request).await;
    let answered = soon(whose, answered).await.unwrap();
    assert_eq!(answered.code(), 200, "{whose}");
}

/// The permit is there for the next request, of the same service and of another. The service that
/// was ready may keep it until its own next request or its end, as tower has it.
async fn goes_on<S: Served>(mut service: S, mut other: S, request: fn(&str) -> Request<Script>) {
    serves(&mut service, request(OK), "the next request").await;
    drop(service);
    serves(&mut other, request(OK), "the next request of a clone").await;
}

pub(super) async fn an_answer_gives_the_permit_back<L: Over<Single>>(
    layer: L,
    request: fn(&str) -> Request<Script>,
) {
    let (mut service, other, _) = single(&layer);
    for _ in 0..3 {
        serves(&mut service, request(OK), "one after the other").await;
    }
    goes_on(service, other, request).await;
}

pub(super) async fn an_error_gives_the_permit_back<L: Over<Single>>(
    layer: L,
    request: fn(&str) -> Request<Script>,
) {
    let (mut service, other, _) = single(&layer);
    let failed = call(&mut service, request(FAILS)).await;
    let error = soon("call", failed).await.err().expect("an error");
    assert!(format!("{error:?}").contains("Boom"), "{error:?}");
    goes_on(service, other, request).await;
}

pub(super) async fn a_refusal_gives_the_permit_back<L: Over<Single>>(
    layer: L,
    request: fn(&str) -> Request<Script>,
    refused: impl Fn() -> Request<Script>,
    status: u16,
) {
    let (mut service, other, _) = single(&layer);
    for _ in 0..2 {
        let answered = call(&mut service, refused()).await;
        assert_eq!(soon("call", answered).await.unwrap().code(), status);
    }
    goes_on(service, other, request).await;
}

pub(super) async fn a_future_that_is_never_polled_gives_the_permit_back<L: Over<Single>>(
    layer: L,
    request: fn(&str) -> Request<Script>,
) {
    let (mut service, other, _) = single(&layer);
    for path in [OK, FAILS, HANGS] {
        drop(call(&mut service, request(path)).await);
    }
    goes_on(service, other, request).await;
}

/// Whether the work ends with the future that waits for it.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Work {
    EndsWithItsCaller,
    GoesOn,
}

pub(super) async fn a_future_dropped_half_way_gives_the_permit_back<L: Over<Single>>(
    layer: L,
    request: fn(&str) -> Request<Script>,
    work: Work,
) {
    let (mut service, other, probe) = single(&layer);
    let mut hangs = Box::pin(call(&mut service, request(HANGS)).await);
    soon("the work begins", async {
        while probe.hanging() == 0 {
            assert!(futures::poll!(&mut hangs).is_pending());
            tokio::task::yield_now().await;
        }
    })
    .await;
    drop(hangs);
    if work == Work::GoesOn {
        tokio::task::yield_now().await;
        let mut other = other.clone();
        assert!(
            other.ready().now_or_never().is_none(),
            "the work is under way"
        );
        probe.release();
    }
    goes_on(service, other, request).await;
}

/// Dropped before the inner service was called, while a store or the body was waited for.
pub(super) async fn a_future_dropped_while_it_waits_gives_the_permit_back<L: Over<Single>>(
    layer: L,
    request: fn(&str) -> Request<Script>,
    waits: impl Fn() -> Request<Script>,
) {
    let (mut service, other, _) = single(&layer);
    for _ in 0..2 {
        let mut waiting: Pin<Box<_>> = Box::pin(call(&mut service, waits()).await);
        assert!(futures::poll!(&mut waiting).is_pending());
    }
    goes_on(service, other, request).await;
}

/// A buffer hands one service to many callers.
pub(super) async fn works_inside_a_buffer<L>(layer: L, request: fn(&str) -> Request<Script>)
where
    L: Over<Single>,
    <L::Service as Service<Request<Script>>>::Error: Into<BoxError> + Sync,
{
    let (service, _, _) = single(&layer);
    many(Buffer::new(service, 4), request).await;
}

/// The clones of a buffer are what a service may stand on.
pub(super) async fn works_around_a_buffer<B, L>(layer: L, request: fn(&str) -> Request<Script>)
where
    B: Send + 'static,
    L: Over<Buffer<Request<B>, Calling>>,
{
    let inner = Buffer::new(ConcurrencyLimit::new(Probe::default(), 1), 4);
    many(layer.layer(inner), request).await;
}

/// Eight at once, of which each third fails.
async fn many<S>(service: S, request: fn(&str) -> Request<Script>)
where
    S: Service<Request<Script>, Response: Answer, Error: Debug> + Clone,
{
    let calls = (0..8).map(|n| {
        let path = if n % 3 == 0 { FAILS } else { OK };
        let answered = service.clone().oneshot(request(path));
        async move {
            match answered.await {
                Ok(answer) => assert_eq!((path, answer.code()), (OK, 200)),
                Err(error) => assert!(path == FAILS && format!("{error:?}").contains("Boom")),
            }
        }
    });
    let all = pin!(futures::future::join_all(calls));
    soon("eight calls", all).await;
}
