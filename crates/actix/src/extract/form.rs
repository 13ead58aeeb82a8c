//! Form bodies.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;

use super::body::{BodyFuture, body};
use super::refusal::pairs;
use crate::Error;

/// An `application/x-www-form-urlencoded` body as a `T`.
///
/// Refuses with 415 what is declared as anything else or is packed by a content coding, and with 422
/// `validation_error`, naming the field, what is no `T`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "a wrapper to be taken apart in patterns"
)]
pub struct Form<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Form<T> {
    type Error = Error;
    type Future = BodyFuture<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        body(request, payload, is_form, |bytes| pairs(bytes).map(Self))
    }
}

pub(super) fn is_form(essence: &str) -> bool {
    essence == "application/x-www-form-urlencoded"
}
