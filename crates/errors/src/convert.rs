//! How other errors become an [`ApiError`](struct@crate::ApiError): always by a visible step.

use std::{error::Error, fmt};

use crate::{ApiError, ErrorCode, codes};

/// Turns a value into the error that callers receive.
///
/// Framework adapters accept every implementor behind `?`. There is no blanket implementation for
/// `std::error::Error`: that would turn each forgotten error into an answer without anybody having
/// said which.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how it looks to an API caller",
    label = "this is not an `ApiError`, and does not become one",
    note = "derive `ApiError` on your own error type, or implement `IntoApiError` for it",
    note = "for a foreign error, choose a code: `.or_code(codes::CONFLICT)?`, or hide it behind a 500: `.internal()?`"
)]
pub trait IntoApiError {
    /// Makes the error that callers receive.
    fn into_api_error(self) -> ApiError;
}

impl IntoApiError for ApiError {
    fn into_api_error(self) -> ApiError {
        self
    }
}

/// Marks an error as internal: callers read `internal_error`, operators read the cause.
///
/// # Examples
///
/// ```
/// use seawall_errors::{ApiError, Internal};
///
/// fn read() -> Result<String, ApiError> {
///     let text = std::fs::read_to_string("/does/not/exist").map_err(Internal)?;
///     Ok(text)
/// }
///
/// assert_eq!(read().unwrap_err().to_string(), "internal_error: Internal server error");
/// ```
#[derive(Clone, Copy)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a wrapper to be constructed by its users"
)]
pub struct Internal<E>(pub E);

impl<E> fmt::Debug for Internal<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Internal(..)")
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> IntoApiError for Internal<E> {
    fn into_api_error(self) -> ApiError {
        ApiError::new(codes::INTERNAL_ERROR).source(self.0)
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<Internal<E>> for ApiError {
    fn from(internal: Internal<E>) -> Self {
        internal.into_api_error()
    }
}

/// Chooses, at the place where an error or an absence happens, what callers see of it.
///
/// # Examples
///
/// ```
/// use seawall_errors::{ApiError, ResultExt, codes};
///
/// fn port(text: &str) -> Result<u16, ApiError> {
///     text.parse::<u16>().or_code(codes::MALFORMED_REQUEST)
/// }
/// fn name(id: usize) -> Result<&'static str, ApiError> {
///     ["ada", "bob"].get(id).copied().or_not_found()
/// }
///
/// let error = port("http").unwrap_err();
/// assert_eq!(error.public_message(), "Malformed request");
/// assert_eq!(error.private().report(), "invalid digit found in string");
/// assert_eq!(name(7).unwrap_err().status(), 404);
/// ```
pub trait ResultExt<T>: Sized {
    /// Answers with the code given, and keeps the error for the operators.
    ///
    /// # Errors
    ///
    /// An [`ApiError`](struct@crate::ApiError) of this code, where there was no value.
    fn or_code(self, code: ErrorCode) -> Result<T, ApiError>;

    /// Answers `internal_error`, and keeps the error for the operators.
    ///
    /// # Errors
    ///
    /// An [`ApiError`](struct@crate::ApiError) of [`codes::INTERNAL_ERROR`], where there was no value.
    fn internal(self) -> Result<T, ApiError> {
        self.or_code(codes::INTERNAL_ERROR)
    }

    /// Answers `not_found`, and keeps the error for the operators.
    ///
    /// # Errors
    ///
    /// An [`ApiError`](struct@crate::ApiError) of [`codes::NOT_FOUND`], where there was no value.
    fn or_not_found(self) -> Result<T, ApiError> {
        self.or_code(codes::NOT_FOUND)
    }
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> ResultExt<T> for Result<T, E> {
    fn or_code(self, code: ErrorCode) -> Result<T, ApiError> {
        self.map_err(|error| ApiError::new(code).source(error))
    }
}

impl<T> ResultExt<T> for Option<T> {
    fn or_code(self, code: ErrorCode) -> Result<T, ApiError> {
        self.ok_or_else(|| ApiError::new(code))
    }
}
