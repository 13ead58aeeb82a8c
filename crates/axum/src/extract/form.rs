//! Form bodies.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::header;
use seawall_errors::{ApiError, codes};
use serde::de::DeserializeOwned;

use super::refusal::{media_type_is, pairs, unreadable};
use crate::Error;

/// An `application/x-www-form-urlencoded` body as a `T`.
///
/// Refuses with 415 what is declared as anything else, and with 422 `validation_error`, naming
/// the field, what is no `T`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "a wrapper to be taken apart in patterns"
)]
pub struct Form<T>(pub T);

impl<T, S> FromRequest<S> for Form<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let content_type = request.headers().get(header::CONTENT_TYPE);
        let is_form = |essence: &str| essence == "application/x-www-form-urlencoded";
        if !content_type.is_some_and(|value| media_type_is(value.as_bytes(), is_form)) {
            return Err(ApiError::new(codes::UNSUPPORTED_MEDIA_TYPE)
                .not_executed()
                .into());
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(unreadable)?;
        pairs(&bytes).map(Self).map_err(Error::from)
    }
}
