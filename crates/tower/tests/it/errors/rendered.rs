//! Errors of our own: rendered with the id of the request, as the caller accepts.

use std::convert::Infallible;
use std::future::ready;

use http::{Method, Request};
use seawall_errors::{ApiError, Detail, codes};
use seawall_tower::{ErrorsLayer, respond};
use tower::{Layer, service_fn};

use super::{CANARY, check_shape, layered, through};
use crate::support::{Plain, answer, get, send};

#[tokio::test]
async fn an_attached_error_is_rendered_with_the_id_of_the_request() {
    let error = ApiError::new(codes::VALIDATION_ERROR)
        .detail(Detail::new("required", "This field is required").field("name"))
        .note(CANARY);
    let mut error = Some(error);
    let inner = service_fn(move |_: Request<Plain>| {
        ready(Ok::<_, Infallible>(respond::<Plain>(error.take().unwrap())))
    });
    let read = send(layered(inner), get("/")).await;
    check_shape(&read, 422, "validation_error");
    assert_eq!(read.json()["details"][0]["field"], "name");
}

#[tokio::test]
async fn problem_json_is_given_to_who_asks_over_several_lines_too() {
    let mut request = get("/");
    request
        .headers_mut()
        .append("accept", "text/html".parse().unwrap());
    request
        .headers_mut()
        .append("accept", "application/problem+json;q=0.9".parse().unwrap());
    let read = through(request, answer(404, "")).await;
    assert_eq!(read.header("content-type"), "application/problem+json");
    assert_eq!(read.json()["status"], 404);
    assert!(read.header("vary").eq_ignore_ascii_case("accept"));
}

#[tokio::test]
async fn head_has_the_headers_and_no_body() {
    let mut request = get("/");
    *request.method_mut() = Method::HEAD;
    let read = through(request, answer(404, "x")).await;
    assert_eq!((read.status.as_u16(), read.body.as_str()), (404, ""));
    assert_eq!(read.header("content-type"), "application/json");
}

#[tokio::test]
async fn without_the_id_layer_the_answer_has_an_id_of_its_own() {
    let inner = service_fn(|_: Request<Plain>| ready(Ok::<_, Infallible>(answer(404, ""))));
    check_shape(
        &send(ErrorsLayer::new().layer(inner), get("/")).await,
        404,
        "not_found",
    );
}
