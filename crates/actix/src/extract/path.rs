//! Path parameters.

use std::future::{Ready, ready};

use actix_router::PathDeserializer;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use percent_encoding::percent_decode_str;
use seawall_errors::{ApiError, Detail, PublicText, codes};
use serde::de::DeserializeOwned;

use crate::Error;

/// The route's parameters as a `T`, refused with 422 `validation_error` naming the parameter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "a wrapper to be taken apart in patterns"
)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Path<T> {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request).map(Self).map_err(Error::from))
    }
}

fn read<T: DeserializeOwned>(request: &HttpRequest) -> Result<T, ApiError> {
    let params = request.match_info();
    if let Some(name) = no_utf8(request) {
        return Err(invalid(Some(name)));
    }
    serde_path_to_error::deserialize(PathDeserializer::new(params)).map_err(|error| {
        let said = error.inner().to_string();
        if NOT_THERE.iter().any(|start| said.starts_with(start)) {
            // The handler asks for parameters that its route does not have.
            return ApiError::new(codes::INTERNAL_ERROR)
                .note(said)
                .not_executed();
        }
        // Only in a type with names is the place a name.
        let place = error.path().to_string();
        let mut names = params.iter().map(|(name, _)| name);
        match params.segment_count() {
            1 => invalid(names.next()),
            _ => invalid(names.find(|name| *name == place)),
        }
    })
}

/// How actix begins to say that the handler is at fault.
const NOT_THERE: [&str; 2] = ["wrong number of parameters", "unsupported type"];

/// The first parameter that is no UTF-8 once decoded. Actix replaces what is none, and to its callers
/// that looks like a text.
pub(super) fn no_utf8(request: &HttpRequest) -> Option<&str> {
    let mut params = request.match_info().iter();
    let (name, _) = params.find(|(_, value)| value.contains(char::REPLACEMENT_CHARACTER))?;
    let sent = percent_decode_str(request.uri().path());
    sent.decode_utf8().is_err().then_some(name)
}

fn invalid(field: Option<&str>) -> ApiError {
    let detail = Detail::new("invalid", "This value is not acceptable");
    let detail = match field {
        Some(field) => detail.field(PublicText::vetted(field.to_owned()).as_str()),
        None => detail,
    };
    ApiError::new(codes::VALIDATION_ERROR)
        .detail(detail)
        .not_executed()
}
