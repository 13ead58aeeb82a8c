//! The error type of handlers.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use seawall_errors::{ApiError, IntoApiError};

use crate::reply::{self, Attached};

/// What a handler fails with.
///
/// Made from any error that says how it looks to a caller ([`IntoApiError`]): every refusal of the
/// Seawall crates, and your own enums through `#[derive(ApiError)]`. There is deliberately no
/// conversion from `std::error::Error`: what an error says of itself is for operators, and turning
/// it into an answer is a decision (`.internal()?`, `.or_not_found()?`).
///
/// Without the errors middleware around it, the answer is whole and safe, in the default format and
/// without an id.
///
/// # Examples
///
/// ```
/// use seawall_errors::{ApiError, ResultExt, codes};
///
/// async fn stock(id: u32) -> seawall_actix::Result<String> {
///     if id == 0 {
///         return Err(ApiError::new(codes::NOT_FOUND).into());
///     }
///     let text = std::fs::read_to_string("/stock").internal()?;
///     Ok(text)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Error(Attached);

impl Error {
    /// The error as the caller will see it.
    pub fn api_error(&self) -> &ApiError {
        self.0.error()
    }
}

impl<E: IntoApiError> From<E> for Error {
    fn from(error: E) -> Self {
        Self(Attached::new(error.into_api_error()))
    }
}

/// What the caller is told, and no more: the private half is for the log of the errors middleware.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.api_error().code().id())
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        reply::status(self.api_error().status())
    }

    fn error_response(&self) -> HttpResponse {
        reply::render_attached(self.0.clone())
    }
}
