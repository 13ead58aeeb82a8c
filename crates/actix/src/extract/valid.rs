//! Input that was read, limited, normalised and checked in one pass.
//!
//! Each takes any type that derives `seawall_validate::Validate`, reads it under
//! [`Limits::API`], and refuses with every mistake at once.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use percent_encoding::percent_decode_str;
use seawall_errors::{ApiError, codes};
use seawall_validate::{
    Limits, Validate, from_form, from_headers, from_json, from_pairs, from_query,
};
use seawall_web::answer::validate as answer;

use super::body::{BodyFuture, body};
use super::form::is_form;
use super::json::is_json;
use super::path::no_utf8;
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
    /// use actix_web::{App, web};
    /// use seawall_actix::ValidJson;
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
    /// # let _ = App::new().route("/users", web::post().to(create_user));
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
    /// Refuses with 422 `validation_error` with a detail for each mistake.
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
    /// use actix_web::{App, web};
    /// use seawall_actix::ValidHeaders;
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
    /// # let _ = App::new().route("/things", web::get().to(things));
    /// ```
    ValidHeaders
}

impl<T> FromRequest for ValidJson<T>
where
    T: for<'de> Validate<'de> + 'static,
{
    type Error = Error;
    type Future = BodyFuture<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        body(request, payload, is_json, |bytes| {
            from_json(bytes, &Limits::API)
                .map(Self)
                .map_err(|violations| answer::json(&violations))
        })
    }
}

impl<T> FromRequest for ValidForm<T>
where
    T: for<'de> Validate<'de> + 'static,
{
    type Error = Error;
    type Future = BodyFuture<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        body(request, payload, is_form, |bytes| {
            from_form(bytes, &Limits::API)
                .map(Self)
                .map_err(|violations| answer::text(&violations))
        })
    }
}

impl<T> FromRequest for ValidQuery<T>
where
    T: for<'de> Validate<'de>,
{
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let read = from_query(request.query_string(), &Limits::API);
        ready(
            read.map(Self)
                .map_err(|violations| answer::text(&violations).into()),
        )
    }
}

impl<T> FromRequest for ValidPath<T>
where
    T: for<'de> Validate<'de>,
{
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(path(request).map(Self).map_err(Error::from))
    }
}

fn path<T>(request: &HttpRequest) -> Result<T, ApiError>
where
    T: for<'de> Validate<'de>,
{
    if no_utf8(request).is_some() {
        // As for a query: what is no UTF-8 once decoded cannot be held against a rule.
        return Err(ApiError::new(codes::MALFORMED_REQUEST)
            .note("a parameter of the path is no UTF-8")
            .not_executed());
    }
    // Actix leaves three characters encoded. What is decoded is a text, and so is what that decodes to.
    let params = request.match_info().iter();
    let params: Vec<_> = params
        .map(|(name, value)| (name, percent_decode_str(value).decode_utf8_lossy()))
        .collect();
    let pairs = params.iter().map(|(name, value)| (*name, &**value));
    from_pairs(pairs, &Limits::API).map_err(|violations| answer::text(&violations))
}

impl<T> FromRequest for ValidHeaders<T>
where
    T: for<'de> Validate<'de>,
{
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let lines = request.headers().iter();
        let lines = lines.map(|(name, value)| (name.as_str(), value.as_bytes()));
        let read = from_headers(lines, &Limits::API);
        ready(
            read.map(Self)
                .map_err(|violations| answer::text(&violations).into()),
        )
    }
}
