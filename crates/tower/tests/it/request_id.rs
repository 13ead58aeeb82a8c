//! Ids: on every request and answer, and not of the client's choosing.

use std::convert::Infallible;

use http::Request;
use seawall_errors::RequestId;
use seawall_tower::RequestIdLayer;
use seawall_tower::request_id::ClientRequestId;
use seawall_web::request::PeerAddr;
use tower::{Layer, service_fn};

use crate::support::{Plain, answer, get, send};

fn peer(request: &mut Request<Plain>, address: &str) {
    request
        .extensions_mut()
        .insert(PeerAddr::new(address.parse().unwrap()));
}

fn echo()
-> impl Clone + tower::Service<Request<Plain>, Response = http::Response<Plain>, Error = Infallible>
{
    service_fn(|request: Request<Plain>| async move {
        let seen = request.extensions().get::<RequestId>().unwrap().to_string();
        let claimed = request
            .extensions()
            .get::<ClientRequestId>()
            .map(|id| id.as_str().to_owned());
        let mut response = answer(200, "");
        response.headers_mut().insert("seen", seen.parse().unwrap());
        response
            .headers_mut()
            .insert("claimed", claimed.unwrap_or_default().parse().unwrap());
        Ok(response)
    })
}

#[tokio::test]
async fn the_handler_and_the_caller_see_the_same_id() {
    let read = send(RequestIdLayer::new().layer(echo()), get("/")).await;
    let id = read.header("x-request-id");
    assert!(id.starts_with("req_") && id.len() == 36, "{id}");
    assert_eq!(id, read.header("seen"));
}

#[tokio::test]
async fn an_id_sent_by_a_client_is_kept_apart() {
    let mut request = get("/");
    request
        .headers_mut()
        .insert("x-request-id", "mine".parse().unwrap());
    peer(&mut request, "203.0.113.9");
    let read = send(
        RequestIdLayer::trusting(["10.0.0.0/8"])
            .unwrap()
            .layer(echo()),
        request,
    )
    .await;
    assert!(read.header("x-request-id").starts_with("req_"));
    assert_eq!(read.header("claimed"), "mine");
}

#[tokio::test]
async fn an_id_sent_by_a_trusted_peer_is_the_id() {
    let mut request = get("/");
    request
        .headers_mut()
        .insert("x-request-id", "gw-7.a_b".parse().unwrap());
    peer(&mut request, "10.0.0.1");
    let read = send(
        RequestIdLayer::trusting(["10.0.0.0/8"])
            .unwrap()
            .layer(echo()),
        request,
    )
    .await;
    assert_eq!(read.header("x-request-id"), "gw-7.a_b");
    assert_eq!(read.header("claimed"), "");
}

#[tokio::test]
async fn odd_ids_are_nobodys() {
    let long = "x".repeat(65);
    for odd in ["", "a b", "a\tb", "é", "a;b", long.as_str()] {
        let mut request = get("/");
        request.headers_mut().insert(
            "x-request-id",
            http::HeaderValue::from_bytes(odd.as_bytes()).unwrap(),
        );
        peer(&mut request, "10.0.0.1");
        let read = send(
            RequestIdLayer::trusting(["10.0.0.0/8"])
                .unwrap()
                .layer(echo()),
            request,
        )
        .await;
        assert!(read.header("x-request-id").starts_with("req_"), "{odd:?}");
        assert_eq!(read.header("claimed"), "", "{odd:?}");
    }
}
