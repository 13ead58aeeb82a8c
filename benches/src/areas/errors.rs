//! What a request pays for its id and for errors that do not happen, and what one costs that does.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::body::Body;
use http::{Request, Response};
use seawall_errors::{ApiError, Detail, RenderContext, Renderer, RequestId, codes};
use seawall_tower::{ErrorsLayer, RequestIdLayer};
use serde::Serialize;
use tower::{Layer, Service, service_fn};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};

use crate::{
    area::{Area, Case},
    work::{Work, repeat},
};

/// The cases.
#[must_use]
pub fn area() -> Area {
    Area::new("errors")
        .case(
            Case::new("request-id-layer", || {
                fresh(RequestIdLayer::new().layer(service_fn(answer)))
            })
            .peer("tower-http", || {
                let propagate = PropagateRequestIdLayer::x_request_id();
                let set = SetRequestIdLayer::x_request_id(MakeRequestUuid);
                fresh(set.layer(propagate.layer(service_fn(answer))))
            })
            .over("no-op", || fresh(service_fn(answer))),
        )
        .case(
            Case::new("success", || {
                identified(ErrorsLayer::new().layer(service_fn(answer)))
            })
            .peer("extension", || identified(Extend(service_fn(answer))))
            .over("no-op", || identified(service_fn(answer))),
        )
        .case(
            Case::new("render-422", || {
                let error = error();
                let renderer = Renderer::new();
                repeat(move || {
                    renderer.render(
                        black_box(&error),
                        &RenderContext::new().request_id("req_abc123"),
                    )
                })
            })
            .peer("serde_json", || {
                let body = Body422::new();
                repeat(move || serde_json::to_vec(black_box(&body)))
            }),
        )
}

/// A request as it comes from the server, through the layers.
fn fresh<S: Service<Request<()>> + 'static>(mut service: S) -> Work {
    repeat(move || call(&mut service, Request::new(())))
}

/// A request that has its id, which lies outside of what handles errors.
fn identified<S: Service<Request<()>> + 'static>(mut service: S) -> Work {
    let id = RequestId::generate();
    repeat(move || {
        let mut request = Request::new(());
        request.extensions_mut().insert(id.clone());
        call(&mut service, request)
    })
}

fn call<S: Service<Request<()>>>(service: &mut S, request: Request<()>) -> Option<S::Response> {
    let mut cx = Context::from_waker(Waker::noop());
    if service.poll_ready(&mut cx).is_pending() {
        return None;
    }
    match pin!(service.call(request)).poll(&mut cx) {
        Poll::Ready(answered) => answered.ok(),
        Poll::Pending => None,
    }
}

fn answer(request: Request<()>) -> Ready<Result<Response<Body>, Infallible>> {
    black_box(request);
    ready(Ok(Response::new(Body::empty())))
}

/// The least that a layer does which leaves something for those below.
struct Extend<S>(S);

#[derive(Clone)]
struct Field(#[expect(dead_code, reason = "it is only carried")] u64);

impl<S: Service<Request<()>>> Service<Request<()>> for Extend<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<()>) -> S::Future {
        request.extensions_mut().insert(Field(black_box(1)));
        self.0.call(request)
    }
}

const DETAILS: [(&str, &str, &str); 3] = [
    ("invalid_email", "Email format is invalid", "email"),
    ("required", "This field is required", "name"),
    ("too_large", "Must be at most 150", "age"),
];

fn error() -> ApiError {
    let details = DETAILS.map(|(code, message, field)| Detail::new(code, message).field(field));
    ApiError::new(codes::VALIDATION_ERROR).details(details)
}

/// The same as plain data.
#[derive(Serialize)]
struct Body422 {
    error: &'static str,
    message: &'static str,
    details: Vec<DetailOf422>,
    request_id: &'static str,
}

#[derive(Serialize)]
struct DetailOf422 {
    code: &'static str,
    message: &'static str,
    field: &'static str,
}

impl Body422 {
    fn new() -> Self {
        Self {
            error: "validation_error",
            message: "Invalid request parameters",
            details: DETAILS
                .map(|(code, message, field)| DetailOf422 {
                    code,
                    message,
                    field,
                })
                .into(),
            request_id: "req_abc123",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_write_the_same_body() {
        let context = RenderContext::new().request_id("req_abc123");
        let ours = Renderer::new().render(&error(), &context);
        assert_eq!(ours.body, serde_json::to_vec(&Body422::new()).unwrap());
    }

    #[test]
    fn both_sides_send_an_id() {
        let sent = |answer: Option<Response<Body>>| answer.unwrap().headers()["x-request-id"].len();
        let mut ours = RequestIdLayer::new().layer(service_fn(answer));
        assert_eq!(sent(call(&mut ours, Request::new(()))), 36);
        let propagate = PropagateRequestIdLayer::x_request_id();
        let set = SetRequestIdLayer::x_request_id(MakeRequestUuid);
        let mut theirs = set.layer(propagate.layer(service_fn(answer)));
        assert_eq!(sent(call(&mut theirs, Request::new(()))), 36);
    }
}
