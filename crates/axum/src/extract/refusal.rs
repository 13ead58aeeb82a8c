//! Turns what serde says about bad input into public details.
//!
//! serde's own messages name Rust types and echo input, so only their kind is used: which field,
//! and whether it is missing, unknown, given twice, or of the wrong type.

use std::fmt::Display;

use axum::extract::rejection::BytesRejection;
use axum::response::IntoResponse;
use http::{HeaderMap, Request, header};
use seawall_errors::{ApiError, Detail, PublicText, codes};
use seawall_tower::HttpHead;
use seawall_web::answer;
use seawall_web::request::Coding;
use serde::de::DeserializeOwned;
use serde_path_to_error::Path;

/// 422 `validation_error` with one detail, from serde's message and the path at which it arose.
pub(super) fn invalid(message: &impl Display, path: Option<&Path>) -> ApiError {
    let message = message.to_string();
    let path = path.map(ToString::to_string).filter(|path| path != ".");
    let named = |prefix: &str| {
        let rest = message.strip_prefix(prefix)?;
        rest.strip_prefix('`')?.split('`').next()
    };
    let detail = if let Some(name) = named("missing field ") {
        let field = path.map_or_else(|| name.to_owned(), |path| format!("{path}.{name}"));
        return one(Detail::new("required", "This field is required").field(field));
    } else if message.starts_with("unknown field ") {
        Detail::new("unknown_field", "This field is not known")
    } else if let Some(name) = named("duplicate field ") {
        return one(
            Detail::new("duplicate_field", "This field is given more than once").field(name),
        );
    } else if message.starts_with("invalid type") {
        Detail::new("invalid_type", "This value has the wrong type")
    } else {
        Detail::new("invalid", "This value is not acceptable")
    };
    one(match path {
        // A path is made of the field names of the service and of map keys, which are the
        // caller's: it is cut and cleaned like any run-time text.
        Some(path) => detail.field(PublicText::vetted(path).as_str()),
        None => detail,
    })
}

/// Reads `name=value&name=value`, as in queries and forms.
pub(super) fn pairs<T: DeserializeOwned>(text: &[u8]) -> Result<T, ApiError> {
    let reader = serde_urlencoded::Deserializer::new(form_urlencoded::parse(text));
    serde_path_to_error::deserialize(reader)
        .map_err(|error| invalid(error.inner(), Some(error.path())))
}

fn one(detail: Detail) -> ApiError {
    ApiError::new(codes::VALIDATION_ERROR)
        .detail(detail)
        .not_executed()
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

/// 415 for a body that is not declared as what is expected, or that is packed: what nobody unpacks
/// within limits is not read.
pub(super) fn expect<B>(
    request: &Request<B>,
    media_type: impl Fn(&str) -> bool,
) -> Result<(), ApiError> {
    if !declares(request.headers(), media_type) {
        return Err(ApiError::new(codes::UNSUPPORTED_MEDIA_TYPE).not_executed());
    }
    match Coding::of(&HttpHead::of(request)) {
        Coding::Identity => Ok(()),
        _ => Err(answer::coding::unsupported("identity")),
    }
}

fn declares(headers: &HeaderMap, media_type: impl Fn(&str) -> bool) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE);
    content_type.is_some_and(|value| media_type_is(value.as_bytes(), media_type))
}

/// Whether a content type is this one, parameters aside.
fn media_type_is(value: &[u8], matches: impl Fn(&str) -> bool) -> bool {
    let Ok(value) = std::str::from_utf8(value) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim();
    matches(&essence.to_ascii_lowercase())
}
