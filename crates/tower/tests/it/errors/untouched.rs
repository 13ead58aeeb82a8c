//! What the layer leaves as it is.

use std::convert::Infallible;
use std::future::ready;

use http::{Request, Response};
use seawall_errors::{ApiError, codes};
use seawall_tower::{Passthrough, respond};
use tower::{Service, ServiceExt, service_fn};

use super::{check_shape, layered, through};
use crate::support::{Plain, answer, get, send};

#[tokio::test]
async fn a_changed_status_drops_the_attached_error() {
    let inner = service_fn(|_: Request<Plain>| {
        let mut response = respond::<Plain>(ApiError::new(codes::CONFLICT));
        *response.status_mut() = http::StatusCode::GONE;
        ready(Ok::<_, Infallible>(response))
    });
    check_shape(&send(layered(inner), get("/")).await, 410, "gone");
}

#[tokio::test]
async fn answers_that_are_no_errors_pass_untouched() {
    let mut response = answer(200, "fine");
    response
        .headers_mut()
        .insert("etag", "\"x\"".parse().unwrap());
    let read = through(get("/"), response).await;
    assert_eq!((read.body.as_str(), read.header("etag")), ("fine", "\"x\""));
    assert_eq!(through(get("/"), answer(304, "")).await.status, 304);
}

#[tokio::test]
async fn grpc_and_what_is_marked_pass_untouched() {
    let mut response = answer(400, "grpc");
    response
        .headers_mut()
        .insert("content-type", "application/grpc+proto".parse().unwrap());
    assert_eq!(through(get("/"), response).await.body, "grpc");
    let mut response = answer(409, "mine");
    response.extensions_mut().insert(Passthrough::new());
    assert_eq!(through(get("/"), response).await.body, "mine");
}

/// The service is left as it was: errors of its own type pass.
#[tokio::test]
async fn the_services_own_error_type_stays() {
    let inner = service_fn(|_: Request<Plain>| ready(Err::<Response<Plain>, &'static str>("mine")));
    let mut service = layered(inner);
    let error = service
        .ready()
        .await
        .unwrap()
        .call(get("/"))
        .await
        .map(|_| ())
        .unwrap_err();
    assert_eq!(error, "mine");
}
