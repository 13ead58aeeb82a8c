//! From an answer to what is kept of it, and back.

use bytes::Bytes;
use http::response::Parts;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body::Body;
use seawall_errors::ApiError;
use seawall_idempotency::Outcome;
use seawall_web::answer::idempotency::{self as web, REPLAYED, REPLAYED_BODY};

use super::body::AnswerBody;
use super::capture::Captured;
use crate::ReplyBody;
use crate::errors::adopt::strip_entity_headers;
use crate::reply::{Attached, Rendering, status};

/// What is to be kept of an answer. Its error is, where one of ours is attached: the bytes have the
/// id of this one request in them.
pub(super) fn outcome<B: Body>(parts: &Parts, body: &Captured<B>) -> Outcome {
    if let Some(error) = attached(parts) {
        let mut headers = parts.headers.clone();
        strip_entity_headers(&mut headers);
        let mut outcome = web::keep_error(error);
        for (name, value) in web::headers(error) {
            if !headers.contains_key(&*String::from_utf8_lossy(&name)) {
                outcome = outcome.header(name, value);
            }
        }
        return with_headers(outcome, &headers);
    }
    let outcome = match body {
        Captured::Whole(bytes, _) => Outcome::new(bytes.clone()),
        Captured::Part(..) | Captured::Broken(..) => Outcome::new(Bytes::new()).omitted(),
    };
    with_headers(outcome.status(parts.status.as_u16()), &parts.headers)
}

/// The error behind an answer, if it still is the answer's.
pub(super) fn attached(parts: &Parts) -> Option<&ApiError> {
    let attached = parts.extensions.get::<Attached>().map(Attached::error);
    attached.filter(|error| error.status() == parts.status.as_u16())
}

fn with_headers(outcome: Outcome, headers: &http::HeaderMap) -> Outcome {
    headers.iter().fold(outcome, |outcome, (name, value)| {
        let name = Bytes::copy_from_slice(name.as_str().as_bytes());
        outcome.header(name, Bytes::copy_from_slice(value.as_bytes()))
    })
}

/// Answers again, and says so.
pub(super) fn replay<B: Body>(outcome: &Outcome, rendering: Rendering) -> Response<AnswerBody<B>> {
    let mut response = answer(outcome, rendering);
    if outcome.is_omitted() {
        mark(&mut response, REPLAYED_BODY, "omitted");
    }
    mark(&mut response, REPLAYED, "true");
    response
}

/// Answers with what is kept.
pub(super) fn answer<B: Body>(outcome: &Outcome, rendering: Rendering) -> Response<AnswerBody<B>> {
    let mut response = Response::new(ReplyBody::own(Bytes::new()));
    *response.status_mut() =
        StatusCode::from_u16(outcome.status_code()).unwrap_or_else(|_| status(500));
    for (name, value) in outcome.headers() {
        let name = HeaderName::from_bytes(name);
        // Both were headers of a response before.
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
            response.headers_mut().append(name, value);
        }
    }
    if web::is_kept_error(outcome) {
        match web::kept_error(outcome) {
            Ok(error) => rendering.reply_kept(error, &mut response),
            Err(error) => return rendering.reply(error).map(AnswerBody::passed),
        }
    } else if outcome.is_omitted() {
        strip_entity_headers(response.headers_mut());
    } else {
        *response.body_mut() = ReplyBody::own(Bytes::copy_from_slice(outcome.bytes()));
    }
    response.map(AnswerBody::passed)
}

fn mark<B>(response: &mut Response<B>, name: &'static str, value: &'static str) {
    let (name, value) = (
        HeaderName::from_static(name),
        HeaderValue::from_static(value),
    );
    response.headers_mut().insert(name, value);
}

/// Takes marks away that are not ours.
pub(super) fn unmark(parts: &mut Parts) {
    parts.headers.remove(REPLAYED);
    parts.headers.remove(REPLAYED_BODY);
}
