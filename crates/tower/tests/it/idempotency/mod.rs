//! Requests with keys: carried out once, answered as often as they are sent.

mod body;
mod duplicate;
mod failure;
mod leave;
mod scope;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use seawall_idempotency::{Idempotency, MemoryStore, Policy};
use seawall_tower::idempotency::BufferedBody;
use seawall_tower::{ErrorsLayer, IdempotencyLayer, RequestIdLayer};
use seawall_web::request::Scope;
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{Plain, Read, send};

type Asked = Request<BufferedBody<Plain>>;
type Guarded = BoxCloneSyncService<Request<Plain>, Read, Infallible>;

fn front(policy: Policy) -> Idempotency<MemoryStore> {
    Idempotency::new(MemoryStore::new(), policy).unwrap()
}

fn layer(policy: Policy) -> IdempotencyLayer<MemoryStore> {
    IdempotencyLayer::new(front(policy), Scope::principal_or_anonymous())
}

/// The layer with ids and errors around it, as it stands in a service; what comes out is read.
fn guarded<S, W>(layer: IdempotencyLayer<S>, work: W) -> Guarded
where
    S: seawall_idempotency::Store,
    W: Service<Asked, Response = Response<Plain>, Error = Infallible>,
    W: Clone + Send + Sync + 'static,
    W::Future: Send + 'static,
{
    let service = (RequestIdLayer::new(), ErrorsLayer::new(), layer).layer(work);
    BoxCloneSyncService::new(service_fn(move |request| {
        let service = service.clone();
        async move { Ok(send(service, request).await) }
    }))
}

/// Counts how often the work is done, and answers 201 with the count and what it was sent.
fn counting(
    count: &Arc<AtomicUsize>,
) -> impl Service<
    Asked,
    Response = Response<Plain>,
    Error = Infallible,
    Future: Future<Output = Result<Response<Plain>, Infallible>> + Send + 'static,
> + Clone
+ Send
+ Sync
+ 'static {
    let count = Arc::clone(count);
    service_fn(move |request: Asked| {
        let nth = count.fetch_add(1, SeqCst) + 1;
        async move {
            let sent = request.into_body().collect().await.unwrap().to_bytes();
            let body = format!("{nth}: {}", String::from_utf8_lossy(&sent));
            let answer = Response::builder()
                .status(201)
                .header("location", format!("/payments/{nth}"));
            Ok(answer.body(Plain::from(body)).unwrap())
        }
    })
}

fn counter() -> Arc<AtomicUsize> {
    Arc::default()
}

fn post(key: &str, body: &'static str) -> Request<Plain> {
    at("POST", "/payments", key, body)
}

fn at(method: &str, uri: &str, key: &str, body: &'static str) -> Request<Plain> {
    let request = Request::builder().method(method).uri(uri);
    let request = match key {
        "" => request,
        key => request.header("idempotency-key", key),
    };
    request
        .body(Plain::from(Bytes::from_static(body.as_bytes())))
        .unwrap()
}

async fn ask(service: &Guarded, request: Request<Plain>) -> Read {
    let Ok(read) = service.clone().oneshot(request).await;
    read
}

fn is_replay(read: &Read) -> bool {
    match read.header("idempotent-replayed") {
        "true" => true,
        "" => false,
        other => panic!("{other}"),
    }
}
