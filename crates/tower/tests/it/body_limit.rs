//! Bodies: too long, too slow, and what the handler makes of it.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::BodyExt;
use seawall_tower::BodyLimitLayer;
use tokio::time::Instant;
use tower::{Layer, service_fn};

use crate::support::{Plain, Script, Step, answer, send};

/// Reads the body whole and fails with a 400 where it cannot, as extractors do.
async fn read_all<B: Body<Data = Bytes>>(
    request: Request<B>,
) -> Result<Response<Plain>, Infallible> {
    Ok(match request.into_body().collect().await {
        Ok(_) => answer(200, "read"),
        Err(_) => answer(400, "something about the body"),
    })
}

fn post(body: Script) -> Request<Script> {
    Request::post("/").body(body).unwrap()
}

#[tokio::test]
async fn a_body_at_the_limit_passes_and_one_byte_more_does_not() {
    let layer = BodyLimitLayer::new(6);
    let exact = post(Script(vec![Step::Data(b"abc"), Step::Data(b"def")]));
    assert_eq!(
        send(layer.layer(service_fn(read_all)), exact).await.status,
        200
    );
    let over = post(Script(vec![Step::Data(b"abc"), Step::Data(b"defg")]));
    let read = send(layer.layer(service_fn(read_all)), over).await;
    assert_eq!(
        (read.status.as_u16(), read.code().as_str()),
        (413, "payload_too_large")
    );
}

#[tokio::test]
async fn an_announced_length_is_refused_before_the_body_is_read() {
    let mut request = post(Script(vec![Step::Panic("the body was read".into())]));
    request
        .headers_mut()
        .insert("content-length", "7".parse().unwrap());
    let read = send(BodyLimitLayer::new(6).layer(service_fn(read_all)), request).await;
    assert_eq!(read.status, 413);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_is_a_408() {
    let start = Instant::now();
    let stalled = post(Script(vec![Step::Data(b"a"), Step::Hang]));
    let layer = BodyLimitLayer::new(6).read_within(Duration::from_secs(3));
    let read = send(layer.layer(service_fn(read_all)), stalled).await;
    assert_eq!(
        (read.status.as_u16(), read.code().as_str()),
        (408, "request_timeout")
    );
    assert_eq!(start.elapsed(), Duration::from_secs(3));
}

#[tokio::test]
async fn a_handler_that_does_without_the_rest_is_left_alone() {
    let peek = service_fn(|mut request: Request<_>| async move {
        let _ = BodyExt::frame(request.body_mut()).await;
        let _ = BodyExt::frame(request.body_mut()).await;
        Ok::<_, Infallible>(answer(202, "enough"))
    });
    let read = send(
        BodyLimitLayer::new(1).layer(peek),
        post(Script(vec![Step::Data(b"a"), Step::Data(b"b")])),
    )
    .await;
    assert_eq!((read.status.as_u16(), read.body.as_str()), (202, "enough"));
}
