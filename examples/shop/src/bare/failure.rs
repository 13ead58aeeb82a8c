//! How the bare shop fails: loudly, to the wrong audience.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;

use crate::domain::DomainError;
use crate::ledger::LedgerError;

/// Any failure of the business, as it is.
pub(super) enum Failure {
    Business(DomainError),
    Ledger(LedgerError),
}

impl From<DomainError> for Failure {
    fn from(error: DomainError) -> Self {
        Self::Business(error)
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let told = match self {
            Self::Business(DomainError::NotFound) => {
                return (StatusCode::NOT_FOUND, "not found").into_response();
            }
            Self::Business(error) => format!("{error:?}"),
            Self::Ledger(error) => format!("{error:?}"),
        };
        (StatusCode::INTERNAL_SERVER_ERROR, told).into_response()
    }
}

/// Turns a panic into a 500 that says what the panic said.
pub(super) async fn echo_panics(request: Request, next: Next) -> Response {
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => {
            let text = format!("Service panicked: {}", said(panic.as_ref()));
            (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
        }
    }
}

fn said(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("unknown panic")
}
