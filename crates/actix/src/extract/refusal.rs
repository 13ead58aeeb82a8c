//! Turns what serde says about bad input into public details.

use std::fmt::Display;

use actix_web::HttpRequest;
use seawall_errors::ApiError;
use seawall_web::answer;
use serde::de::DeserializeOwned;
use serde_path_to_error::Path;

use crate::HttpHead;

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

/// 415 for a body that is not declared as what is expected, or that is packed.
pub(super) fn expect(
    request: &HttpRequest,
    media_type: impl Fn(&str) -> bool,
) -> Result<(), ApiError> {
    answer::input::expect(&HttpHead::of_request(request), media_type)
}
