//! Packed bodies: unpacked within limits, or refused.

use std::convert::Infallible;
use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use seawall_tower::{BodyLimitLayer, DecompressionLayer};
use tower::{Layer, service_fn};

use crate::support::{Plain, Read, Script, Step, send};

/// Gives the body back, and tells whether the head still speaks of its packing.
async fn echo<B: Body<Data = Bytes>>(request: Request<B>) -> Result<Response<Plain>, Infallible> {
    let packed = request.headers().contains_key("content-encoding")
        || request.headers().contains_key("content-length");
    let Ok(body) = request.into_body().collect().await else {
        panic!("the body cannot be read");
    };
    let mut response = Response::new(Full::new(body.to_bytes()));
    response
        .headers_mut()
        .insert("x-packed", packed.to_string().parse().unwrap());
    Ok(response)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

async fn sent(layer: DecompressionLayer, coding: &str, body: Vec<u8>) -> Read {
    let request = Request::post("/")
        .header("content-encoding", coding)
        .header("content-length", body.len())
        .body(Plain::from(body))
        .unwrap();
    send(layer.layer(service_fn(echo)), request).await
}

#[track_caller]
fn check(read: &Read, status: u16, code: &str) {
    assert_eq!(
        (read.status.as_u16(), read.code().as_str()),
        (status, code),
        "{read:?}"
    );
}

#[tokio::test]
async fn what_is_packed_arrives_as_if_it_had_not_been() {
    for (coding, body) in [
        ("gzip", gzip(b"hello")),
        ("x-gzip", gzip(b"hello")),
        ("deflate", deflate(b"hello")),
    ] {
        let read = sent(DecompressionLayer::new(), coding, body).await;
        assert_eq!(
            (read.status.as_u16(), read.body.as_str()),
            (200, "hello"),
            "{coding}"
        );
        assert_eq!(read.header("x-packed"), "false");
    }
}

#[tokio::test]
async fn what_is_not_packed_passes_as_it_came() {
    let layer = DecompressionLayer::new().wire(1).unpacked(1);
    let read = sent(layer, "identity", b"hello".to_vec()).await;
    assert_eq!((read.status.as_u16(), read.body.as_str()), (200, "hello"));
}

#[tokio::test]
async fn other_codings_are_refused_and_the_client_is_told_which_are_not() {
    for coding in ["br", "zstd", "gzip, gzip", "rot13"] {
        let read = sent(DecompressionLayer::new(), coding, gzip(&gzip(b"hello"))).await;
        check(&read, 415, "unsupported_media_type");
        assert_eq!(read.header("accept-encoding"), "gzip, deflate");
    }
}

#[tokio::test]
async fn a_bomb_is_refused_by_whichever_limit_is_nearest() {
    let bomb = gzip(&vec![b'a'; 8 << 20]);
    let roomy = DecompressionLayer::new()
        .wire(16 << 20)
        .unpacked(16 << 20)
        .ratio(10_000);
    let check = async |layer: DecompressionLayer, status: u16| {
        let read = sent(layer, "gzip", bomb.clone()).await;
        assert_eq!(read.status, status, "{layer:?}");
    };
    check(roomy, 200).await;
    check(roomy.wire(bomb.len() - 1), 413).await;
    check(roomy.unpacked((8 << 20) - 1), 413).await;
    check(roomy.ratio(100), 413).await;
    check(DecompressionLayer::new(), 413).await;
}

/// A frame that is too much is not kept, and what follows it is not read.
#[tokio::test]
async fn the_wire_limit_holds_while_the_body_comes() {
    let body = Script(vec![
        Step::Data(b"abc"),
        Step::Data(b"def"),
        Step::Panic("read on".into()),
    ]);
    let request = Request::post("/")
        .header("content-encoding", "gzip")
        .body(body)
        .unwrap();
    let layer = DecompressionLayer::new().wire(5);
    let read = send(layer.layer(service_fn(echo)), request).await;
    check(&read, 413, "payload_too_large");
}

#[tokio::test]
async fn what_cannot_be_unpacked_is_malformed() {
    let whole = gzip(b"hello");
    let cut = whole[..whole.len() - 1].to_vec();
    for body in [cut, b"hello".to_vec(), Vec::new()] {
        let read = sent(DecompressionLayer::new(), "gzip", body).await;
        check(&read, 400, "malformed_request");
    }
}

/// The body limit outside counts what comes over the wire, and its verdict stands.
#[tokio::test]
async fn the_body_limit_outside_answers_for_itself() {
    let service = (BodyLimitLayer::new(8), DecompressionLayer::new()).layer(service_fn(echo));
    let body = Script(vec![Step::Data(b"12345"), Step::Data(b"67890")]);
    let request = Request::post("/")
        .header("content-encoding", "gzip")
        .body(body)
        .unwrap();
    check(&send(service, request).await, 413, "payload_too_large");
}
