//! Refusals below every layer, as hyper sends them.

use axum::body::Body;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode};
use seawall_web::server;

/// The answer to a head that could be read and is larger than it may be.
pub(super) fn head_too_large(method: &Method, headers: &HeaderMap) -> Response<Body> {
    let accept = headers.get(header::ACCEPT).map(HeaderValue::as_bytes);
    let rendered = server::head_too_large(method == Method::HEAD, accept);
    let mut response = Response::new(Body::from(rendered.body));
    *response.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    for (name, value) in rendered.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response
                .headers_mut()
                .append(HeaderName::from_static(name), value);
        }
    }
    response
}
