//! Requests with keys, through the builder and on a route.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use axum::Router;
use axum::body::Body;
use axum::middleware::{Next, from_fn};
use axum::routing::post;
use http::Request;
use seawall_axum::{Claimed, Error, Json, Seawall};
use seawall_errors::{ApiError, codes};
use seawall_idempotency::{Idempotency, Policy, Presence};
use seawall_ratelimit::MemoryStore;
use seawall_tower::IdempotencyLayer;
use seawall_web::request::{Principal, Scope};

use crate::support::{Read, post as plain, send};

type Layer = IdempotencyLayer<seawall_idempotency::MemoryStore>;

fn layer(policy: Policy, scope: Scope) -> Layer {
    let store = seawall_idempotency::MemoryStore::new();
    IdempotencyLayer::new(Idempotency::new(store, policy).unwrap(), scope)
}

fn keyed(uri: &str, key: &str, body: &'static str) -> Request<Body> {
    let mut request = plain(uri, "application/json", body);
    let key = key.parse().unwrap();
    request.headers_mut().insert("idempotency-key", key);
    request
}

fn protect(builder_layer: Option<Layer>, routes: Router) -> Router {
    let builder = Seawall::builder(MemoryStore::new(16));
    let who = from_fn(async |mut request: axum::extract::Request, next: Next| {
        let user = request.headers().get("x-user").cloned();
        if let Some(user) = user {
            let principal = Principal::new(user.to_str().unwrap());
            request.extensions_mut().insert(principal);
        }
        next.run(request).await
    });
    let builder = builder.authenticate(who);
    let builder = match builder_layer {
        Some(layer) => builder.idempotency(layer),
        None => builder,
    };
    builder.build().unwrap().protect(routes)
}

fn counting(count: &Arc<AtomicUsize>) -> Router {
    let count = Arc::clone(count);
    let handler = async move |Json(amount): Json<u64>| {
        let nth = count.fetch_add(1, SeqCst) + 1;
        match amount {
            0 => Err(Error::from(
                ApiError::new(codes::CONFLICT).message("Nothing to pay"),
            )),
            _ => Ok(format!("{nth}: {amount}")),
        }
    };
    Router::new().route("/users/{id}/payments", post(handler))
}

fn is_replay(read: &Read) -> bool {
    read.header("idempotent-replayed") == "true"
}

#[tokio::test]
async fn the_builder_puts_it_inside_of_authentication() {
    let count = Arc::default();
    let scope = Scope::principal();
    let app = protect(Some(layer(Policy::at_most_once(), scope)), counting(&count));
    let by = |user: &str, uri: &str, body| {
        let mut request = keyed(uri, "k", body);
        request
            .headers_mut()
            .insert("x-user", user.parse().unwrap());
        request
    };
    let first = send(&app, by("alice", "/users/1/payments", "17")).await;
    let again = send(&app, by("alice", "/users/1/payments", "17")).await;
    assert_eq!(
        (first.body.as_str(), again.body.as_str()),
        ("1: 17", "1: 17")
    );
    assert!(!is_replay(&first) && is_replay(&again));
    assert_eq!(
        send(&app, by("bob", "/users/1/payments", "17")).await.body,
        "2: 17"
    );
    let other_path = send(&app, by("alice", "/users/2/payments", "17")).await;
    assert_eq!(
        other_path.code(),
        "idempotency_key_reused",
        "one route, one operation"
    );
    assert_eq!(
        send(&app, keyed("/users/1/payments", "k", "17"))
            .await
            .status,
        401
    );
    assert_eq!(
        send(&app, plain("/users/1/payments", "application/json", "1"))
            .await
            .body,
        "3: 1"
    );
}

#[tokio::test]
async fn errors_of_handlers_are_kept_and_those_of_extractors_are_not() {
    let count = Arc::default();
    let scope = Scope::single_tenant();
    let app = protect(Some(layer(Policy::at_most_once(), scope)), counting(&count));
    let first = send(&app, keyed("/users/1/payments", "k", "0")).await;
    let again = send(&app, keyed("/users/1/payments", "k", "0")).await;
    assert_eq!(
        (first.status.as_u16(), first.code().as_str()),
        (409, "conflict")
    );
    assert_eq!(again.json()["message"], "Nothing to pay");
    assert!(is_replay(&again) && again.json()["request_id"] != first.json()["request_id"]);
    let malformed = send(&app, keyed("/users/1/payments", "k2", "17 x")).await;
    assert_eq!(malformed.code(), "malformed_json");
    let mended = send(&app, keyed("/users/1/payments", "k2", "17")).await;
    assert_eq!(
        (mended.status.as_u16(), mended.body.as_str()),
        (200, "2: 17")
    );
}

#[tokio::test]
async fn handlers_find_their_claim() {
    let strict = Policy::at_least_once().presence(Presence::Required);
    let handler = async |claim: Claimed| claim.downstream_key("charge");
    let optional = async |claim: Option<Claimed>| claim.is_some().to_string();
    let routes = Router::new()
        .route(
            "/strict",
            post(handler).route_layer(layer(strict, Scope::single_tenant())),
        )
        .route("/bare", post(handler))
        .route(
            "/optional",
            post(optional).route_layer(layer(Policy::at_most_once(), Scope::single_tenant())),
        );
    let app = protect(None, routes);
    let first = send(&app, keyed("/strict", "k", "")).await;
    assert_eq!((first.status.as_u16(), first.body.len()), (200, 36));
    assert_eq!(send(&app, keyed("/strict", "k", "")).await.body, first.body);
    assert_ne!(
        send(&app, keyed("/strict", "k2", "")).await.body,
        first.body
    );
    let none = send(&app, plain("/strict", "application/json", "")).await;
    assert_eq!(none.code(), "idempotency_key_missing");
    assert_eq!(
        send(&app, keyed("/bare", "k", "")).await.code(),
        "internal_error"
    );
    assert_eq!(send(&app, keyed("/optional", "k", "")).await.body, "true");
    assert_eq!(
        send(&app, plain("/optional", "application/json", ""))
            .await
            .body,
        "false"
    );
}
