//! A wrong order of layers is told of, once a process: so this is one test, in a process of its own.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, Error, HttpMessage as _, HttpResponse, web};
use seawall_actix::{
    AuthenticateLayer, BodyLimitLayer, DeadlineLayer, ErrorsLayer, IdempotencyLayer,
    RateLimitLayer, RequestIdLayer, Result, Seawall, Stage, TraceLayer, VerifyLayer,
};
use seawall_idempotency::{Idempotency, MemoryStore as Records, Policy as Once};
use seawall_ratelimit::{MemoryStore, Policy, quota};
use seawall_signing::{Secret, Verifier, scheme};
use seawall_web::limits::RateLimits;
use seawall_web::request::{KeyBy, Principal, Scope};

#[path = "../../../web/tests/cases/order.rs"]
mod cases;
#[allow(dead_code, reason = "not all of it is needed here")]
#[path = "../it/support.rs"]
mod support;

use cases::{RIGHT, WRONG, lines};
use support::Log;

const BOUND: Duration = Duration::from_secs(10);

type Answer = std::result::Result<ServiceResponse<BoxBody>, Error>;
type Answering = Pin<Box<dyn Future<Output = Answer>>>;

/// A service of any kind.
struct Boxed(Box<dyn Fn(ServiceRequest) -> Answering>);

impl Service<ServiceRequest> for Boxed {
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Future = Answering;

    fn poll_ready(&self, _: &mut Context<'_>) -> Poll<std::result::Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        self.0(request)
    }
}

fn wrap(layer: &impl Stage, inner: Boxed) -> Boxed {
    fn boxed<B: MessageBody + 'static>(
        service: impl Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    ) -> Boxed {
        let service = Rc::new(service);
        Boxed(Box::new(move |request| {
            let answer = service.call(request);
            Box::pin(async { Ok(answer.await?.map_into_boxed_body()) })
        }))
    }
    boxed(layer.around(inner))
}

async fn alice(request: ServiceRequest) -> Result<ServiceRequest> {
    request.extensions_mut().insert(Principal::new("alice"));
    Ok(request)
}

fn once() -> IdempotencyLayer<Records> {
    let front = Idempotency::new(Records::new(), Once::at_most_once()).unwrap();
    IdempotencyLayer::new(front, Scope::single_tenant())
}

fn limits() -> RateLimitLayer<MemoryStore> {
    let policy = Policy::new("all", quota!("1000/minute")).unwrap();
    let limits = RateLimits::builder(MemoryStore::new(16)).limit(policy, KeyBy::everyone());
    RateLimitLayer::new(limits.build().unwrap())
}

fn verified() -> VerifyLayer {
    let secret = Secret::new("It's a Secret to Everybody").unwrap();
    VerifyLayer::new(Verifier::new(scheme::github(), secret).unwrap())
}

/// `None` for what there is no layer for here.
fn around(layer: &str, inner: Boxed) -> Option<Boxed> {
    Some(match layer {
        "request id" => wrap(&RequestIdLayer::new(), inner),
        "trace" => wrap(&TraceLayer::new(), inner),
        "errors" => wrap(&ErrorsLayer::new(), inner),
        "deadline" => wrap(&DeadlineLayer::new(BOUND), inner),
        "rate limit" => wrap(&limits(), inner),
        "body limit" => wrap(&BodyLimitLayer::new(1024), inner),
        "signature" => wrap(&verified(), inner),
        "authentication" => wrap(&AuthenticateLayer::new(alice), inner),
        "idempotency" => wrap(&once(), inner),
        "context" | "decompression" => return None,
        other => panic!("no layer is called {other}"),
    })
}

fn stack(layers: &[&str]) -> Option<Boxed> {
    let ok = |request: ServiceRequest| -> Answering {
        Box::pin(async { Ok(request.into_response(HttpResponse::Ok().finish())) })
    };
    let inner = Boxed(Box::new(ok));
    layers
        .iter()
        .rev()
        .try_fold(inner, |inner, layer| around(layer, inner))
}

fn request() -> TestRequest {
    let signed = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    TestRequest::post()
        .insert_header(("x-hub-signature-256", signed))
        .set_payload("Hello, World!")
}

/// What is told while two requests come.
async fn told(ask: impl AsyncFn(TestRequest)) -> BTreeSet<String> {
    let log = Log::default();
    let guard = log.start();
    for _ in 0..2 {
        ask(request()).await;
    }
    drop(guard);
    let text = log.text();
    let told: Vec<_> = (text.lines())
        .filter_map(|line| line.split_once("seawall::order: "))
        .map(|(before, told)| {
            assert!(before.contains("WARN"), "{before}");
            told.to_owned()
        })
        .collect();
    let unique: BTreeSet<_> = told.iter().cloned().collect();
    assert_eq!(told.len(), unique.len(), "twice: {told:?}");
    unique
}

async fn told_by(service: &Boxed) -> BTreeSet<String> {
    told(async |request| {
        let _ = service.call(request.to_srv_request()).await;
    })
    .await
}

#[actix_web::test]
async fn each_wrong_order_is_told_of_once_and_the_right_one_never() {
    let silent = BTreeSet::new();
    let missing = ["context", "decompression"];
    let right: Vec<_> = (RIGHT.iter().copied())
        .filter(|layer| !missing.contains(layer))
        .collect();
    assert_eq!(told_by(&stack(&right).unwrap()).await, silent);

    let seawall = Seawall::builder(MemoryStore::new(16))
        .limit(
            Policy::new("all", quota!("1000/minute")).unwrap(),
            KeyBy::everyone(),
        )
        .authenticate(alice)
        .limit_after_authentication(
            Policy::new("user", quota!("1000/minute")).unwrap(),
            KeyBy::principal(),
        )
        .idempotency(once())
        .build()
        .unwrap();
    let ok = || web::post().to(HttpResponse::Ok);
    let app = App::new()
        .service(seawall.observe(web::scope("/probes").route("/", ok())))
        .service(seawall.protect(web::scope("").route("/", ok())));
    let app = init_service(app).await;
    let ask = async |request: TestRequest| {
        call_service(&app, request.uri("/").to_request()).await;
    };
    assert_eq!(told(ask).await, silent);
    let ask = async |request: TestRequest| {
        call_service(&app, request.uri("/probes/").to_request()).await;
    };
    assert_eq!(told(ask).await, silent);

    let seawall = Seawall::builder(MemoryStore::new(16)).build().unwrap();
    let hook = web::resource("/")
        .route(ok())
        .wrap(verified())
        .wrap(limits());
    let app = App::new().service(seawall.protect(web::scope("").service(hook)));
    let app = init_service(app).await;
    let ask = async |request: TestRequest| {
        call_service(&app, request.uri("/").to_request()).await;
    };
    assert_eq!(told(ask).await, silent);

    for (layers, rules) in WRONG {
        if let Some(service) = stack(layers) {
            assert_eq!(told_by(&service).await, lines(rules), "{layers:?}");
        }
    }
}
