//! JSON bodies.

use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder};
use seawall_errors::{ApiError, Internal, codes};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;

use super::body::{BodyFuture, body};
use super::refusal::invalid;
use crate::Error;

/// A JSON body, and a JSON answer.
///
/// Refuses with 415 `unsupported_media_type` what is not declared as `application/json` or
/// `application/*+json`, or is packed by a content coding, with 400 `malformed_json` what is no JSON,
/// and with 422 `validation_error` JSON that is not a `T`, naming the field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "a wrapper to be taken apart in patterns"
)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = Error;
    type Future = BodyFuture<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        body(request, payload, is_json, |bytes| parse(bytes).map(Self))
    }
}

impl<T: Serialize> Responder for Json<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        match serde_json::to_vec(&self.0) {
            Ok(body) => {
                let mut response = HttpResponse::with_body(StatusCode::OK, BoxBody::new(body));
                let json = HeaderValue::from_static("application/json");
                response.headers_mut().insert(header::CONTENT_TYPE, json);
                response
            }
            // A value that cannot be written is a mistake in the service, not in the request.
            Err(error) => HttpResponse::from_error(Error::from(Internal(error))),
        }
    }
}

pub(super) fn is_json(essence: &str) -> bool {
    essence == "application/json"
        || essence
            .strip_prefix("application/")
            .is_some_and(|subtype| subtype.ends_with("+json"))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().clone();
        let error = error.into_inner();
        match error.classify() {
            // A type refuses as soon as it can, and what follows may be no JSON at all: `{} x`.
            Category::Data => match serde_json::from_slice::<IgnoredAny>(bytes) {
                Ok(_) => invalid(&error, Some(&path)),
                Err(syntax) => malformed(syntax),
            },
            Category::Io | Category::Syntax | Category::Eof => malformed(error),
        }
    })?;
    reader.end().map_err(malformed)?;
    Ok(value)
}

fn malformed(error: serde_json::Error) -> ApiError {
    ApiError::new(codes::MALFORMED_JSON)
        .source(error)
        .not_executed()
}
