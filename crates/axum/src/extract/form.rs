//! Form bodies.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::refusal::{expect, pairs, unreadable};
use crate::Error;

/// An `application/x-www-form-urlencoded` body as a `T`.
///
/// Refuses with 415 what is declared as anything else or is packed by a content coding, and with 422 `validation_error`, naming
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
        expect(&request, is_form)?;
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(unreadable)?;
        pairs(&bytes).map(Self).map_err(Error::from)
    }
}

pub(super) fn is_form(essence: &str) -> bool {
    essence == "application/x-www-form-urlencoded"
}
