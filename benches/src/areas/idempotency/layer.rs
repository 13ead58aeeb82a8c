//! What a request with a key costs through the layer, and what one without costs.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::RequestExt as _;
use axum::body::Body;
use axum_idempotent::{IdempotentLayer, IdempotentOptions};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use ruts::store::Ttl;
use ruts::store::moka::MokaStore;
use ruts::{CookieOptions, Session, SessionLayer};
use seawall_idempotency::{Idempotency, MemoryStore, Policy};
use seawall_tower::IdempotencyLayer;
use seawall_web::request::Scope;
use tokio::runtime::{Builder, Runtime};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_cookies::CookieManagerLayer;

use super::BODY;
use crate::{
    area::Case,
    work::{Work, allocations, constant, repeat},
};

/// New keys: the work is done and remembered.
pub(super) fn first() -> Case {
    Case::new("layer-first-1kib", || ours(Keys::New))
        .peer("axum-idempotent", || theirs(Keys::New))
        .over("sessions", || neither(Keys::New))
}

/// A key that is known.
pub(super) fn replay() -> Case {
    Case::new("layer-replay-1kib", || ours(Keys::Known))
        .peer("axum-idempotent", || theirs(Keys::Known))
        .over("sessions", || neither(Keys::Known))
}

/// No key where none is required.
pub(super) fn keyless() -> Case {
    Case::new("layer-keyless", || {
        bare(once(LONG).layer(service_fn(answer)))
    })
    .peer("bound", || constant(60.0))
    .over("no-op", || bare(service_fn(answer::<Body>)))
}

/// And what it allocates.
pub(super) fn keyless_allocations() -> Case {
    Case::heap("layer-keyless-allocations", || {
        let mut service = once(LONG).layer(service_fn(answer));
        allocations(move || pass(&mut service))
    })
    // Fewer than one, that is none: nought cannot be divided by.
    .peer("bound", || constant(1.0))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    New,
    Known,
}

const LONG: Duration = Duration::from_secs(60 * 60);

/// The shortest that a policy takes, so that what one turn has left is gone soon.
const SHORT: Duration = Duration::from_millis(25);

fn once(retention: Duration) -> IdempotencyLayer<MemoryStore> {
    let lease = Duration::from_millis(10);
    let policy = Policy::at_most_once()
        .lease(lease)
        .longest(lease)
        .retention(retention);
    let front = Idempotency::new(MemoryStore::new(), policy).expect("the policy works");
    IdempotencyLayer::new(front, Scope::single_tenant())
}

fn ours(keys: Keys) -> Work {
    let retention = match keys {
        Keys::New => SHORT,
        Keys::Known => LONG,
    };
    let layer = once(retention).layer(service_fn(made));
    keyed(keys, layer, Some("idempotent-replayed"))
}

fn theirs(keys: Keys) -> Work {
    // As it is by default: like ours, it looks at the body, and takes another one for another request.
    let options = IdempotentOptions::default().expire_after(60);
    let layer = IdempotentLayer::<MokaStore>::new(options).layer(service_fn(made));
    keyed(keys, layer, Some("idempotency-replayed"))
}

/// What both stand in.
fn neither(keys: Keys) -> Work {
    keyed(keys, service_fn(made), None)
}

async fn made<B>(request: Request<B>) -> Result<Response<Body>, Infallible> {
    black_box(request);
    Ok(Response::new(Body::from(&BODY[..])))
}

/// Each has few keys, since what theirs keeps is a field of a session.
const SESSIONS: usize = 4096;

/// Through the same layers for sessions, which the peer cannot do without. Requests have 1 KiB, and
/// so have answers. Of two equal requests the second has to have the mark, else something other than
/// a layer that remembers would be measured.
fn keyed<S, B>(keys: Keys, inner: S, mark: Option<&str>) -> Work
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    let runtime = Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let store = Arc::new(MokaStore::builder().build());
    let sessions = SessionLayer::new(store).with_cookie_options(
        CookieOptions::build()
            .name("session")
            .max_age(3600)
            .path("/"),
    );
    let cookies = cookies(&runtime, &sessions);
    let inner = inner.map_response(|response: Response<B>| response.map(Body::new));
    let mut service = CookieManagerLayer::new().layer(sessions.layer(inner));
    let mut send = move |session: usize, key: usize| {
        let request = Request::post("/payments")
            .header("idempotency-key", format!("order-{key:012}"))
            .header(header::COOKIE, &cookies[session])
            .body(Body::from(&BODY[..]))
            .expect("a request");
        runtime.block_on(async {
            let ready = service.ready().await;
            match ready {
                Ok(service) => service.call(request).await.ok(),
                Err(_) => None,
            }
        })
    };
    let known = usize::MAX;
    let marked = |response: Option<Response<_>>| {
        let response = response.expect("nothing here fails");
        mark.is_none_or(|mark| response.headers().contains_key(mark))
    };
    let (first, second) = (marked(send(0, known)), marked(send(0, known)));
    assert_eq!((first, second), (mark.is_none(), true), "{mark:?}");
    let mut step = 0;
    repeat(move || {
        step += 1;
        match keys {
            Keys::New => send(step % SESSIONS, step),
            Keys::Known => send(0, known),
        }
    })
}

/// Begins the sessions.
fn cookies(runtime: &Runtime, sessions: &SessionLayer<MokaStore>) -> Vec<HeaderValue> {
    let begin = service_fn(|mut request: Request<Body>| async move {
        let session = request.extract_parts::<Session<MokaStore>>().await;
        let session = session.expect("the layer of sessions is there");
        let ttl = Ttl::new(3600).expect("an hour");
        let begun = session.set("user", &1_u64, ttl, None).await;
        begun.expect("memory takes it");
        Ok::<_, Infallible>(Response::new(Body::empty()))
    });
    let service = CookieManagerLayer::new().layer(sessions.layer(begin));
    (0..SESSIONS)
        .map(|_| {
            let answered = service.clone().oneshot(Request::new(Body::empty()));
            let Ok(answer) = runtime.block_on(answered);
            let cookie = answer.headers()[header::SET_COOKIE].as_bytes();
            let end = cookie.iter().position(|b| *b == b';');
            HeaderValue::from_bytes(&cookie[..end.unwrap_or(cookie.len())]).expect("a cookie")
        })
        .collect()
}

fn bare<S: Service<Request<Body>> + 'static>(mut service: S) -> Work {
    repeat(move || pass(&mut service))
}

fn pass<S: Service<Request<Body>>>(service: &mut S) -> Option<S::Response> {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = http::Method::POST;
    let mut cx = Context::from_waker(Waker::noop());
    if service.poll_ready(&mut cx).is_pending() {
        return None;
    }
    match pin!(service.call(request)).poll(&mut cx) {
        Poll::Ready(answered) => answered.ok(),
        Poll::Pending => None,
    }
}

fn answer<B>(request: Request<B>) -> Ready<Result<Response<Body>, Infallible>> {
    black_box(request);
    ready(Ok(Response::new(Body::empty())))
}
