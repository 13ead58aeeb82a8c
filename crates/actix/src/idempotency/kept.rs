//! From an answer to what is kept of it, and back.

use std::fmt;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use bytes::Bytes;
use seawall_idempotency::Outcome;
use seawall_web::answer::foreign::ENTITY_HEADERS;
use seawall_web::answer::idempotency::{self as web, REPLAYED, REPLAYED_BODY};

use super::capture::Extent;
use crate::reply::{Attached, Rendering, status};

/// What is to be kept of an answer. Its error is, where one of ours is attached: the bytes have the
/// id of this one request in them.
pub(super) fn outcome<B>(head: &HttpResponse<()>, body: &Extent<B>) -> Outcome {
    if let Some(attached) = attached(head) {
        let error = attached.error();
        let mut headers = head.headers().clone();
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
        Extent::Whole(bytes) => Outcome::new(bytes.clone()),
        Extent::Part(..) | Extent::Broken(..) => Outcome::new(Bytes::new()).omitted(),
    };
    with_headers(outcome.status(head.status().as_u16()), head.headers())
}

/// The error behind an answer, if it still is the answer's.
fn attached(head: &HttpResponse<()>) -> Option<Attached> {
    let attached = head.extensions().get::<Attached>().cloned();
    attached.filter(|attached| attached.error().status() == head.status().as_u16())
}

/// Whether an answer says that nothing was done.
pub(super) fn had_no_effect(head: &HttpResponse<()>) -> bool {
    attached(head).is_some_and(|attached| !attached.error().was_executed())
}

fn with_headers(outcome: Outcome, headers: &HeaderMap) -> Outcome {
    headers.iter().fold(outcome, |outcome, (name, value)| {
        let name = Bytes::copy_from_slice(name.as_str().as_bytes());
        outcome.header(name, Bytes::copy_from_slice(value.as_bytes()))
    })
}

fn strip_entity_headers(headers: &mut HeaderMap) {
    for name in ENTITY_HEADERS {
        headers.remove(name);
    }
}

/// An answer that is kept, to be given for the first time or again.
#[derive(Clone)]
pub(super) struct Kept {
    outcome: Outcome,
    telling: Telling,
    rendering: Rendering,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Telling {
    First,
    Again,
}

impl Kept {
    pub(super) fn new(outcome: Outcome, telling: Telling, rendering: Rendering) -> Self {
        Self {
            outcome,
            telling,
            rendering,
        }
    }

    pub(super) fn response(&self) -> HttpResponse {
        let mut response = self.answer();
        if self.telling == Telling::Again {
            if self.outcome.is_omitted() {
                mark(&mut response, REPLAYED_BODY, "omitted");
            }
            mark(&mut response, REPLAYED, "true");
        }
        response
    }

    fn answer(&self) -> HttpResponse {
        let Self {
            outcome, rendering, ..
        } = self;
        let mut response = HttpResponse::new(self.status_code());
        for (name, value) in outcome.headers() {
            let name = HeaderName::from_bytes(name);
            // Both were headers of a response before.
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
                response.headers_mut().append(name, value);
            }
        }
        if web::is_kept_error(outcome) {
            match web::kept_error(outcome) {
                Ok(error) => rendering.reply_kept(error, response),
                Err(error) => rendering.reply(error),
            }
        } else if outcome.is_omitted() {
            strip_entity_headers(response.headers_mut());
            response
        } else {
            response.set_body(BoxBody::new(Bytes::copy_from_slice(outcome.bytes())))
        }
    }
}

/// For a request that has gone: actix makes the response of the error.
impl ResponseError for Kept {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.outcome.status_code()).unwrap_or_else(|_| status(500))
    }

    fn error_response(&self) -> HttpResponse {
        self.response()
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept")
            .field("status", &self.outcome.status_code())
            .field("telling", &self.telling)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.outcome.status_code();
        write!(f, "an answer that is kept, of status {status}")
    }
}

fn mark(response: &mut HttpResponse, name: &'static str, value: &'static str) {
    let name = HeaderName::from_static(name);
    let value = HeaderValue::from_static(value);
    response.headers_mut().insert(name, value);
}

/// Takes marks away that are not ours.
pub(super) fn unmark(headers: &mut HeaderMap) {
    headers.remove(REPLAYED);
    headers.remove(REPLAYED_BODY);
}
