//! The error type of handlers.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use seawall_errors::{ApiError, IntoApiError};

/// What a handler fails with.
///
/// Made from any error that says how it looks to a caller ([`IntoApiError`]): every refusal of the
/// Seawall crates, and your own enums through `#[derive(ApiError)]`. There is deliberately no
/// conversion from `std::error::Error`: what an error says of itself is for operators, and turning
/// it into an answer is a decision (`.internal()?`, `.or_not_found()?`).
///
/// # Examples
///
/// ```
/// use seawall_errors::{ApiError, ResultExt, codes};
///
/// async fn stock(id: u32) -> seawall_axum::Result<String> {
///     if id == 0 {
///         return Err(ApiError::new(codes::NOT_FOUND).into());
///     }
///     let text = std::fs::read_to_string("/stock").internal()?;
///     Ok(text)
/// }
/// ```
#[derive(Debug)]
pub struct Error(ApiError);

impl Error {
    /// The error as the caller will see it.
    pub fn api_error(&self) -> &ApiError {
        &self.0
    }
}

impl<E: IntoApiError> From<E> for Error {
    fn from(error: E) -> Self {
        Self(error.into_api_error())
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        seawall_tower::respond::<Body>(self.0).map(Body::new)
    }
}
