//! Input that was read, limited, normalised and checked in one pass.
//!
//! Each takes any type that derives `seawall_validate::Validate`, reads it under
//! [`Limits::API`], and refuses with every mistake at once.

use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use bytes::Bytes;
use http::request::Parts;
use seawall_errors::{ApiError, codes};
use seawall_validate::{
    Limits, Validate, from_form, from_headers, from_json, from_pairs, from_query,
};
use seawall_web::answer::validate as answer;

use super::form::is_form;
use super::json::is_json;
use super::refusal::{expect, unreadable};
use crate::Error;

macro_rules! extractor {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[allow(clippy::exhaustive_structs, reason = "a wrapper to be taken apart in patterns")]
        pub struct $name<T>(pub T);
    };
}

extractor! {
    /// A JSON body that keeps its rules.
    ///
    /// Refuses with 415 `unsupported_media_type`, 400 `malformed_json`, 413 `payload_too_large`, or
    /// 422 `validation_error` with a detail for each mistake.
    ///
    /// # Examples
    ///
    /// ```
    /// use seawall_axum::ValidJson;
    /// use seawall_validate::Validate;
    ///
    /// #[derive(Validate)]
    /// struct CreateUser {
    ///     #[validate(normalize(trim, lower), chars(..=254), email)]
    ///     email: String,
    ///     #[validate(normalize(single_line), chars(1..=100))]
    ///     name: String,
    /// }
    ///
    /// async fn create_user(ValidJson(user): ValidJson<CreateUser>) -> String {
    ///     format!("{} <{}>", user.name, user.email)
    /// }
    /// # let _: axum::routing::MethodRouter = axum::routing::post(create_user);
    /// ```
    ValidJson
}

extractor! {
    /// An `application/x-www-form-urlencoded` body that keeps its rules.
    ///
    /// Refuses with 415 `unsupported_media_type`, 400 `malformed_request`, 413
    /// `payload_too_large`, or 422 `validation_error` with a detail for each mistake.
    ValidForm
}

extractor! {
    /// A query that keeps its rules.
    ///
    /// Refuses with 400 `malformed_request`, 414 `uri_too_long`, or 422 `validation_error` with a
    /// detail for each mistake.
    ValidQuery
}

extractor! {
    /// Parameters of the path that keep their rules, by the names of the route's template.
    ///
    /// Refuses with 400 `malformed_request` what is no UTF-8 once decoded, or 422 `validation_error`
    /// with a detail for each mistake.
    ValidPath
}

extractor! {
    /// Headers that keep their rules, by their names in lower case; headers that the type does not
    /// name are passed over.
    ///
    /// Refuses with 431 `headers_too_large` what is over the limits on headers, declared or not, with
    /// 400 `malformed_request` where a header is no UTF-8, or with 422 `validation_error` with a detail
    /// for each mistake: also for a header that is given twice, unless its field is a list.
    ///
    /// # Examples
    ///
    /// ```
    /// use seawall_axum::ValidHeaders;
    /// use seawall_validate::Validate;
    ///
    /// #[derive(Validate)]
    /// struct Tenant {
    ///     #[validate(chars(1..=64), slug)]
    ///     #[serde(rename = "x-tenant")]
    ///     tenant: String,
    /// }
    ///
    /// async fn things(ValidHeaders(headers): ValidHeaders<Tenant>) -> String {
    ///     headers.tenant
    /// }
    /// # let _: axum::routing::MethodRouter = axum::routing::get(things);
    /// ```
    ValidHeaders
}

impl<T, S> FromRequest<S> for ValidJson<T>
where
    T: for<'de> Validate<'de>,
    S: Send + Sync,
{
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let bytes = body(request, state, is_json).await?;
        from_json(&bytes, &Limits::API)
            .map(Self)
            .map_err(|violations| answer::json(&violations).into())
    }
}

impl<T, S> FromRequest<S> for ValidForm<T>
where
    T: for<'de> Validate<'de>,
    S: Send + Sync,
{
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let bytes = body(request, state, is_form).await?;
        from_form(&bytes, &Limits::API)
            .map(Self)
            .map_err(|violations| answer::text(&violations).into())
    }
}

impl<T, S> FromRequestParts<S> for ValidQuery<T>
where
    T: for<'de> Validate<'de>,
    S: Send + Sync,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        from_query(parts.uri.query().unwrap_or_default(), &Limits::API)
            .map(Self)
            .map_err(|violations| answer::text(&violations).into())
    }
}

impl<T, S> FromRequestParts<S> for ValidPath<T>
where
    T: for<'de> Validate<'de>,
    S: Send + Sync,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|rejection| {
                // As for a query: what is no UTF-8 once decoded cannot be held against a rule.
                ApiError::new(codes::MALFORMED_REQUEST)
                    .note(rejection.body_text())
                    .not_executed()
            })?;
        from_pairs(params.iter(), &Limits::API)
            .map(Self)
            .map_err(|violations| answer::text(&violations).into())
    }
}

impl<T, S> FromRequestParts<S> for ValidHeaders<T>
where
    T: for<'de> Validate<'de>,
    S: Send + Sync,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let lines = parts.headers.iter();
        let lines = lines.map(|(name, value)| (name.as_str(), value.as_bytes()));
        from_headers(lines, &Limits::API)
            .map(Self)
            .map_err(|violations| answer::text(&violations).into())
    }
}

async fn body<S: Send + Sync>(
    request: Request,
    state: &S,
    media_type: impl Fn(&str) -> bool,
) -> Result<Bytes, Error> {
    expect(&request, media_type)?;
    Ok(Bytes::from_request(request, state)
        .await
        .map_err(unreadable)?)
}
