//! A wrong order of layers is told of, once a process: so this is one test, in a process of its own.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::middleware::{Next, from_fn};
use axum::routing::post;
use http::Request;
use seawall_axum::{ContextLayer, Seawall};
use seawall_idempotency::{Idempotency, MemoryStore as Records, Policy as Once};
use seawall_ratelimit::{MemoryStore, Policy, quota};
use seawall_signing::{Secret, Verifier, scheme};
use seawall_tower::{
    BodyLimitLayer, DeadlineLayer, ErrorsLayer, IdempotencyLayer, RateLimitLayer, RequestIdLayer,
    TraceLayer, VerifyLayer,
};
use seawall_web::limits::RateLimits;
use seawall_web::request::{KeyBy, Principal, Scope};

#[path = "../../../web/tests/cases/order.rs"]
mod cases;
#[allow(dead_code, reason = "not all of it is needed here")]
#[path = "../it/support.rs"]
mod support;

use cases::{RIGHT, WRONG, lines};
use support::{Log, send};

const BOUND: Duration = Duration::from_secs(10);

fn once() -> IdempotencyLayer<Records> {
    let front = Idempotency::new(Records::new(), Once::at_most_once()).unwrap();
    IdempotencyLayer::new(front, Scope::single_tenant())
}

fn limits() -> RateLimitLayer<MemoryStore> {
    let policy = Policy::new("all", quota!("1000/minute")).unwrap();
    let limits = RateLimits::builder(MemoryStore::new(16)).limit(policy, KeyBy::everyone());
    RateLimitLayer::new(limits.build().unwrap())
}

/// `None` for what leaves no mark here.
fn around(layer: &str, routes: Router) -> Option<Router> {
    Some(match layer {
        "context" => routes.layer(ContextLayer::new()),
        "request id" => routes.layer(RequestIdLayer::new()),
        "trace" => routes.layer(TraceLayer::new()),
        "errors" => routes.layer(ErrorsLayer::new()),
        "deadline" => routes.layer(DeadlineLayer::new(BOUND)),
        "rate limit" => routes.layer(limits()),
        "body limit" => routes.layer(BodyLimitLayer::new(1024)),
        "signature" => {
            let secret = Secret::new("It's a Secret to Everybody").unwrap();
            routes.layer(VerifyLayer::new(
                Verifier::new(scheme::github(), secret).unwrap(),
            ))
        }
        "idempotency" => routes.layer(once()),
        "decompression" => routes.layer(seawall_tower::DecompressionLayer::new()),
        "authentication" => return None,
        other => panic!("no layer is called {other}"),
    })
}

fn stack(layers: &[&str]) -> Option<Router> {
    let routes = Router::new().route("/", post(|| async { "ok" }));
    layers
        .iter()
        .rev()
        .try_fold(routes, |routes, layer| around(layer, routes))
}

/// What is told while two requests come.
async fn told(app: &Router) -> BTreeSet<String> {
    let log = Log::default();
    let guard = log.start();
    for _ in 0..2 {
        let signed = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let request = Request::post("/")
            .header("x-hub-signature-256", signed)
            .extension(ConnectInfo(std::net::SocketAddr::from((
                [192, 0, 2, 1],
                4000,
            ))))
            .body("Hello, World!".into());
        send(app, request.unwrap()).await;
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

#[tokio::test]
async fn each_wrong_order_is_told_of_once_and_the_right_one_never() {
    let silent = BTreeSet::new();
    let right: Vec<_> = RIGHT
        .iter()
        .copied()
        .filter(|layer| *layer != "authentication")
        .collect();
    assert_eq!(told(&stack(&right).unwrap()).await, silent);

    let alice = from_fn(|mut request: Request<axum::body::Body>, next: Next| {
        request.extensions_mut().insert(Principal::new("alice"));
        next.run(request)
    });
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
    let routes = || Router::new().route("/", post(|| async { "ok" }));
    let hooks = around("signature", routes()).unwrap();
    assert_eq!(told(&seawall.protect(routes())).await, silent);
    assert_eq!(told(&seawall.observe(routes())).await, silent);
    let seawall = Seawall::builder(MemoryStore::new(16)).build().unwrap();
    assert_eq!(told(&seawall.protect(hooks.layer(limits()))).await, silent);

    for (layers, rules) in WRONG {
        if let Some(app) = stack(layers) {
            assert_eq!(told(&app).await, lines(rules), "{layers:?}");
        }
    }
}
