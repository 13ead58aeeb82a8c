//! Handlers of signed requests.

use axum::extract::FromRequest;
use axum::routing::post;
use axum::{Extension, Router};
use bytes::Bytes;
use http::Request;
use seawall_axum::{Json, Seawall, Verified};
use seawall_ratelimit::MemoryStore;
use seawall_signing::{OwnedHead, Secret, Signer, Verifier, scheme};
use seawall_tower::VerifyLayer;

use crate::support::{post as unsigned, send};

fn secret() -> Secret {
    Secret::new("between the two services").unwrap()
}

fn app(route: axum::routing::MethodRouter) -> Router {
    let seawall = Seawall::builder(MemoryStore::new(16)).build().unwrap();
    let routes = Router::new().route("/hooks", route);
    seawall.protect(routes.layer(Extension("kept")))
}

fn layer() -> VerifyLayer {
    VerifyLayer::new(Verifier::new(scheme::plain("x-signature"), secret()).unwrap())
}

fn signed(body: &'static str) -> Request<axum::body::Body> {
    let signer = Signer::new(scheme::plain("x-signature"), secret());
    let head = OwnedHead::request("POST", "/hooks");
    let headers = signer.sign(&head, body.as_bytes()).unwrap();
    let mut request = unsigned("/hooks", "application/json", body);
    let value = headers.value("x-signature").unwrap().parse().unwrap();
    request.headers_mut().insert("x-signature", value);
    request
}

/// Panics when it is reached: what it stands behind should refuse first.
struct Unreachable;

impl<S: Send + Sync> FromRequest<S> for Unreachable {
    type Rejection = seawall_axum::Error;

    async fn from_request(_: axum::extract::Request, _: &S) -> Result<Self, Self::Rejection> {
        panic!("the inner extractor ran")
    }
}

#[tokio::test]
async fn the_inner_extractor_reads_verified_bytes_and_extensions_are_kept() {
    let handler = |Extension(kept): Extension<&'static str>, body: Verified<Json<Vec<u8>>>| async move {
        format!("{kept} {:?} by {}", body.0, body.verification().scheme())
    };
    let read = send(&app(post(handler).layer(layer())), signed("[1,2]")).await;
    assert_eq!(
        (read.status.as_u16(), read.body.as_str()),
        (200, "kept [1, 2] by plain")
    );
}

#[tokio::test]
async fn bytes_are_the_default() {
    let handler = |body: Verified| async move { Bytes::clone(&body) };
    let read = send(&app(post(handler).layer(layer())), signed("{}")).await;
    assert_eq!((read.status.as_u16(), read.body.as_str()), (200, "{}"));
}

#[tokio::test]
async fn nothing_is_extracted_before_the_signature_fits() {
    let handler = |_: Verified<Unreachable>| async {};
    let app = app(post(handler).layer(layer()));
    let mut forged = signed("{}");
    let value = forged.headers_mut().get_mut("x-signature").unwrap();
    *value = "0".repeat(64).parse().unwrap();
    let forged = send(&app, forged).await;
    let none = send(&app, unsigned("/hooks", "application/json", "{}")).await;
    for read in [forged, none] {
        assert_eq!(
            (read.status.as_u16(), read.code().as_str()),
            (401, "invalid_signature")
        );
        assert_eq!(read.header("www-authenticate"), "Signature");
    }
}

#[tokio::test]
async fn a_missing_verifier_is_a_500_and_never_a_pass() {
    let handler = |_: Verified<Unreachable>| async {};
    let read = send(&app(post(handler)), signed("{}")).await;
    assert_eq!(
        (read.status.as_u16(), read.code().as_str()),
        (500, "internal_error")
    );
    assert!(!read.body.contains("VerifyLayer"));
}

#[tokio::test]
async fn a_refusal_of_the_inner_extractor_is_its_own() {
    let handler = |_: Verified<Json<Vec<u8>>>| async {};
    let read = send(&app(post(handler).layer(layer())), signed("[1")).await;
    assert_eq!(
        (read.status.as_u16(), read.code().as_str()),
        (400, "malformed_json")
    );
}
