//! The text fields of a form in parts.

use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request};
use seawall_errors::{ApiError, Detail, PublicText, codes};
use seawall_validate::{Limits, Validate, from_pairs};
use seawall_web::answer::validate as answer;

use super::refusal::expect;
use crate::Error;

/// The most bytes of one text field; a field's own maximum is checked after that.
const TEXT: usize = 64 * 1024;

/// The most parts: as many as [`Limits::API`] takes of pairs.
const PARTS: usize = 64;

/// The text fields of a `multipart/form-data` body, which keep their rules.
///
/// For forms that browsers send in parts though they hold no file. At most 64 parts of at most 64 KiB
/// each, in a body of at most what axum's `DefaultBodyLimit` and the body limit outside allow.
///
/// Refuses with 415 `unsupported_media_type`, 400 `malformed_request` where the parts cannot be told
/// from each other, are cut short, have no name or are no UTF-8, 413 `payload_too_large`, or 422
/// `validation_error` with a detail for each mistake. A file is one: `unexpected_file`.
///
/// # Examples
///
/// ```
/// use seawall_axum::ValidMultipart;
/// use seawall_validate::Validate;
///
/// #[derive(Validate)]
/// struct Contact {
///     #[validate(normalize(trim, lower), chars(..=254), email)]
///     email: String,
///     #[validate(chars(1..=2000))]
///     message: String,
/// }
///
/// async fn contact(ValidMultipart(contact): ValidMultipart<Contact>) -> String {
///     format!("{}: {}", contact.email, contact.message)
/// }
/// # let _: axum::routing::MethodRouter = axum::routing::post(contact);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "a wrapper to be taken apart in patterns"
)]
pub struct ValidMultipart<T>(pub T);

impl<T, S> FromRequest<S> for ValidMultipart<T>
where
    T: for<'de> Validate<'de>,
    S: Send + Sync,
{
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        expect(&request, |essence| essence == "multipart/form-data")?;
        let mut parts = Multipart::from_request(request, state)
            .await
            .map_err(|rejection| malformed(rejection.body_text()))?;
        let mut pairs = Vec::new();
        while let Some(part) = parts.next_field().await.map_err(unreadable)? {
            if pairs.len() == PARTS {
                return Err(too_large("there are too many parts").into());
            }
            pairs.push(read(part).await?);
        }
        let pairs = pairs
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()));
        from_pairs(pairs, &Limits::API)
            .map(Self)
            .map_err(|violations| answer::text(&violations).into())
    }
}

/// One part, as long as it is a text with a name.
async fn read(mut part: Field<'_>) -> Result<(String, String), ApiError> {
    let Some(name) = part.name().map(str::to_owned) else {
        return Err(malformed("a part has no name"));
    };
    if part.file_name().is_some() {
        let detail = Detail::new("unexpected_file", "This field does not take a file");
        return Err(ApiError::new(codes::VALIDATION_ERROR)
            .detail(detail.field(PublicText::vetted(name).as_str()))
            .not_executed());
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = part.chunk().await.map_err(unreadable)? {
        if chunk.len() > TEXT - bytes.len() {
            return Err(too_large("a part is too large"));
        }
        bytes.extend_from_slice(&chunk);
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok((name, text)),
        Err(_) => Err(malformed("a part is no UTF-8")),
    }
}

fn unreadable(error: MultipartError) -> ApiError {
    let code = match error.status().as_u16() {
        413 => codes::PAYLOAD_TOO_LARGE,
        _ => codes::MALFORMED_REQUEST,
    };
    ApiError::new(code).source(error).not_executed()
}

fn malformed(note: impl Into<String>) -> ApiError {
    ApiError::new(codes::MALFORMED_REQUEST)
        .note(note)
        .not_executed()
}

fn too_large(note: &'static str) -> ApiError {
    ApiError::new(codes::PAYLOAD_TOO_LARGE)
        .note(note)
        .not_executed()
}
