//! Errors: one shape, one id, nothing internal, one log event.

mod foreign;
mod observed;
mod panics;
mod rendered;
mod untouched;

use std::convert::Infallible;
use std::future::ready;

use http::{Request, Response};
use seawall_tower::{ErrorsLayer, RequestIdLayer};
use tower::{Layer, service_fn};

use crate::support::{Plain, Read, send};

const CANARY: &str = "SELECT pw FROM users_secret at postgres://u:pw@db";

fn layered<S>(inner: S) -> <(RequestIdLayer, ErrorsLayer) as Layer<S>>::Service {
    (RequestIdLayer::new(), ErrorsLayer::new()).layer(inner)
}

/// The answer to a request whose inner service gives this response.
async fn through(request: Request<Plain>, response: Response<Plain>) -> Read {
    let mut response = Some(response);
    let inner =
        service_fn(move |_: Request<Plain>| ready(Ok::<_, Infallible>(response.take().unwrap())));
    send(layered(inner), request).await
}

#[track_caller]
fn check_shape(read: &Read, status: u16, code: &str) {
    assert_eq!(
        (read.status.as_u16(), read.code().as_str()),
        (status, code),
        "{read:?}"
    );
    let body = read.json();
    assert_eq!(body["request_id"], read.header("x-request-id"));
    assert!(body["details"].is_array());
    assert_eq!(read.header("content-type"), "application/json");
    assert_eq!(read.header("cache-control"), "no-store");
    assert_eq!(read.header("x-content-type-options"), "nosniff");
    let all = format!("{:?}{}", read.headers, read.body);
    assert!(
        !all.contains("SELECT") && !all.contains("postgres"),
        "leaked: {all}"
    );
}
