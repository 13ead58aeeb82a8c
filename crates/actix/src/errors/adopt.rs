//! Error answers that nobody attached an error to: what is kept of them, and what is not.

use std::fmt::Write as _;
use std::pin::pin;
use std::task::{Context, Poll};

use actix_web::body::MessageBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use seawall_errors::{ApiError, PublicText, codes};
use seawall_web::answer::foreign;

use super::Manner;

/// What becomes of the text of a foreign 4xx.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ForeignText {
    /// The title of the code takes its place.
    #[default]
    Dropped,
    /// Plain text becomes the message.
    Kept,
}

pub(super) fn strip_entity_headers(headers: &mut HeaderMap) {
    for name in foreign::ENTITY_HEADERS {
        headers.remove(name);
    }
}

/// gRPC says how a call failed in trailers, with a status of 200 or not: none of our business.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// The error that stands for a foreign answer of this status.
///
/// What a foreign 5xx said is for the operator: as much of its body as is there already goes into
/// the private half, and so does every header that callers have no use for. Nothing waits for the
/// rest.
pub(super) fn adopt<B: MessageBody>(
    status: StatusCode,
    headers: &mut HeaderMap,
    body: B,
    manner: &Manner,
    cx: &mut Context<'_>,
) -> ApiError {
    let error = ApiError::new(codes::for_status(status.as_u16()));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        write_allowed_alike(headers);
    }
    if status.is_server_error() {
        let mut said = String::from_utf8_lossy(&read_ready(body, cx)).into_owned();
        take_private_headers(headers, &manner.kept_headers, &mut said);
        return if said.is_empty() {
            error
        } else {
            error.note(format!(
                "the inner service answered {}: {said}",
                status.as_u16()
            ))
        };
    }
    if manner.foreign_text == ForeignText::Kept && is_plain_text(headers) {
        let said = read_ready(body, cx);
        if let Ok(said) = String::from_utf8(said)
            && !said.trim().is_empty()
        {
            return error.message(PublicText::vetted(said.trim()));
        }
    }
    error
}

/// Actix puts a space between the methods of `Allow` and axum none; callers are told alike by both.
fn write_allowed_alike(headers: &mut HeaderMap) {
    let allowed = headers
        .get(header::ALLOW)
        .and_then(|value| value.to_str().ok());
    let alike = allowed.map(|methods| HeaderValue::from_str(&methods.replace(' ', "")));
    if let Some(Ok(alike)) = alike {
        headers.insert(header::ALLOW, alike);
    }
}

/// Moves the headers that are not for callers into the note.
fn take_private_headers(headers: &mut HeaderMap, kept: &[HeaderName], said: &mut String) {
    let names: Vec<_> = headers
        .keys()
        .filter(|name| !kept.contains(name))
        .filter(|name| !foreign::is_for_callers(name.as_str()))
        .filter(|name| !foreign::describes_body(name.as_str()))
        .cloned()
        .collect();
    for name in names {
        for value in headers.get_all(&name) {
            // Writing to a string cannot fail.
            let _ = write!(said, " [{name}: {}]", first_bytes(value));
        }
        headers.remove(&name);
    }
}

fn first_bytes(value: &HeaderValue) -> String {
    const AT_MOST: usize = 256;
    let bytes = value.as_bytes();
    String::from_utf8_lossy(&bytes[..bytes.len().min(AT_MOST)]).into_owned()
}

fn is_plain_text(headers: &HeaderMap) -> bool {
    !headers.contains_key(header::CONTENT_ENCODING)
        && headers.get(header::CONTENT_TYPE).is_some_and(|value| {
            let essence = value.as_bytes().split(|&b| b == b';').next();
            essence.is_some_and(|essence| essence.trim_ascii().eq_ignore_ascii_case(b"text/plain"))
        })
}

fn read_ready<B: MessageBody>(body: B, cx: &mut Context<'_>) -> Vec<u8> {
    const AT_MOST: usize = 1024;
    let mut body = pin!(body);
    let mut read = Vec::new();
    while read.len() < AT_MOST {
        let Poll::Ready(Some(Ok(data))) = body.as_mut().poll_next(cx) else {
            break;
        };
        let room = AT_MOST - read.len();
        read.extend_from_slice(&data[..data.len().min(room)]);
    }
    read
}
