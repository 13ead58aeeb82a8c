//! Requests with keys: carried out once, answered as often as they are sent.

mod answers;
mod bodies;
mod in_flight;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::test::TestRequest;
use actix_web::{App, Error, HttpMessage as _, HttpResponse, web};
use seawall_actix::{ErrorsLayer, IdempotencyLayer, RequestIdLayer, TraceLayer};
use seawall_errors::{ApiError, codes};
use seawall_idempotency::{Idempotency, InFlight, MemoryStore, Policy};
use seawall_web::request::{Principal, Scope};
use tokio::sync::Notify;

use crate::support::{Read, post};

type Once = IdempotencyLayer<MemoryStore>;

fn front(policy: Policy) -> Idempotency<MemoryStore> {
    Idempotency::new(MemoryStore::new(), policy).unwrap()
}

fn once(policy: Policy) -> Once {
    IdempotencyLayer::new(front(policy), Scope::single_tenant())
}

/// Counts how often the work is done; a gate can hold it back.
#[derive(Clone)]
struct Works {
    done: Arc<AtomicUsize>,
    gate: Option<Arc<Notify>>,
}

impl Works {
    fn new() -> Self {
        Self {
            done: Arc::default(),
            gate: None,
        }
    }

    fn held_back() -> (Self, Arc<Notify>) {
        let (mut works, gate) = (Self::new(), Arc::new(Notify::new()));
        works.gate = Some(Arc::clone(&gate));
        (works, gate)
    }

    fn done(&self) -> usize {
        self.done.load(SeqCst)
    }

    /// The nth time it is done: 201 with the count and what was sent, or what it is told.
    async fn work(&self, sent: &str) -> Result<HttpResponse, seawall_actix::Error> {
        if let Some(gate) = &self.gate {
            gate.notified().await;
        }
        let nth = self.done.fetch_add(1, SeqCst) + 1;
        match sent {
            "conflict" => {
                let error = ApiError::new(codes::CONFLICT).message("Nothing to pay");
                Err(error.header("x-cart", "7").into())
            }
            "panic" => panic!("at the {nth}th time"),
            _ => Ok(HttpResponse::Created()
                .append_header(("location", format!("/payments/{nth}")))
                .append_header(("x-tag", "b"))
                .append_header(("x-tag", "a, b"))
                .append_header(("set-cookie", "session=1"))
                .append_header(("idempotent-replayed", "true"))
                .body(format!("{nth}: {sent}"))),
        }
    }
}

/// The layer in its place, around the work.
fn app(
    once: &Once,
    works: &Works,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    let works = works.clone();
    let pay = move |sent: String| {
        let works = works.clone();
        async move { works.work(&sent).await }
    };
    App::new()
        .service(
            web::resource("/payments")
                .route(web::get().to(pay.clone()))
                .route(web::put().to(pay.clone()))
                .route(web::post().to(pay.clone())),
        )
        .route("/users/{id}/payments", web::post().to(pay))
        .wrap(once.clone())
        .wrap(from_fn(identify))
        .wrap(ErrorsLayer::new())
        .wrap(TraceLayer::new())
        .wrap(RequestIdLayer::new())
}

/// Believes what a caller says of itself.
async fn identify<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let user = request.headers().get("x-user").cloned();
    if let Some(user) = user {
        let principal = Principal::new(user.to_str().unwrap());
        request.extensions_mut().insert(principal);
    }
    next.call(request).await
}

fn keyed(key: &str, body: &'static str) -> TestRequest {
    post("/payments", "text/plain", body).insert_header(("idempotency-key", key))
}

fn is_replay(read: &Read) -> bool {
    match read.header("idempotent-replayed") {
        "true" => true,
        "" => false,
        other => panic!("{other}"),
    }
}

fn wait() -> Policy {
    Policy::at_most_once().in_flight(InFlight::Wait {
        most: Duration::from_secs(20),
    })
}
