//! Turns what serde says about bad input into public details.

use std::fmt::Display;

use axum::extract::rejection::BytesRejection;
use axum::response::IntoResponse;
use http::Request;
use seawall_errors::{ApiError, codes};
use seawall_tower::HttpHead;
use seawall_web::answer;
use serde::de::DeserializeOwned;
use serde_path_to_error::Path;

/// 422 `validation_error` with one detail, from serde's message and the path at which it arose.
pub(super) fn invalid(message: &impl Display, path: Option<&Path>) -> ApiError {
    let path = path.map(|path| path as &dyn Display);
    answer::input::misread(message, path)
}

/// Reads `name=value&name=value`, as in queries and forms.
pub(super) fn pairs<T: DeserializeOwned>(text: &[u8]) -> Result<T, ApiError> {
    let reader = serde_urlencoded::Deserializer::new(form_urlencoded::parse(text));
    serde_path_to_error::deserialize(reader)
        .map_err(|error| invalid(error.inner(), Some(error.path())))
}

/// 413 for a body over axum's own limit, else 400. Where a body limit layer stands outside and
/// ended the body, that layer answers.
pub(super) fn unreadable(rejection: BytesRejection) -> ApiError {
    let reason = rejection.body_text();
    let code = match rejection.into_response().status().as_u16() {
        413 => codes::PAYLOAD_TOO_LARGE,
        _ => codes::MALFORMED_REQUEST,
    };
    ApiError::new(code).note(reason).not_executed()
}

/// 415 for a body that is not declared as what is expected, or that is packed.
pub(super) fn expect<B>(
    request: &Request<B>,
    media_type: impl Fn(&str) -> bool,
) -> Result<(), ApiError> {
    answer::input::expect(&HttpHead::of(request), media_type)
}
