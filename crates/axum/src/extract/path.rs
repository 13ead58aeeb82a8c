//! Path parameters.

use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
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

impl<T, S> FromRequestParts<S> for Path<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(rejection) => {
                let names = RawPathParams::from_request_parts(parts, state).await;
                Err(refuse(rejection, names.ok().and_then(only_name)).into())
            }
        }
    }
}

/// The parameter's name, where the route has just one: axum does not name it then.
#[allow(
    clippy::needless_pass_by_value,
    reason = "a step in a chain of options"
)]
fn only_name(params: RawPathParams) -> Option<String> {
    let mut names = params.iter().map(|(name, _)| name.to_owned());
    let first = names.next()?;
    names.next().is_none().then_some(first)
}

fn refuse(rejection: PathRejection, only: Option<String>) -> ApiError {
    let PathRejection::FailedToDeserializePathParams(failure) = rejection else {
        // The handler asks for parameters that its route does not have.
        return ApiError::new(codes::INTERNAL_ERROR)
            .note(rejection.body_text())
            .not_executed();
    };
    let reason = failure.body_text();
    let key = match failure.into_kind() {
        ErrorKind::ParseErrorAtKey { key, .. }
        | ErrorKind::InvalidUtf8InPathParam { key }
        | ErrorKind::DeserializeError { key, .. } => Some(key),
        ErrorKind::ParseErrorAtIndex { .. }
        | ErrorKind::ParseError { .. }
        | ErrorKind::Message(_) => only,
        _ => {
            return ApiError::new(codes::INTERNAL_ERROR)
                .note(reason)
                .not_executed();
        }
    };
    let detail = Detail::new("invalid", "This value is not acceptable");
    let detail = match key {
        Some(key) => detail.field(PublicText::vetted(key).as_str()),
        None => detail,
    };
    ApiError::new(codes::VALIDATION_ERROR)
        .detail(detail)
        .not_executed()
}
