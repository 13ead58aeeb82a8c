//! How the business fails, seen from outside.

use std::time::Duration;

use seawall_errors::{ApiError, IntoApiError, codes};

use crate::domain::DomainError;
use crate::ledger::LedgerError;

/// When to ask again after a dependency failed: most are back after a restart of a few seconds.
pub(super) const TRY_AGAIN: Duration = Duration::from_secs(5);

impl IntoApiError for DomainError {
    fn into_api_error(self) -> ApiError {
        match self {
            Self::NotFound => ApiError::new(codes::NOT_FOUND),
            // Which dependency failed, and what it said, is for the log.
            failed => ApiError::new(codes::SERVICE_UNAVAILABLE)
                .retry_after(TRY_AGAIN)
                .source(failed),
        }
    }
}

impl IntoApiError for LedgerError {
    fn into_api_error(self) -> ApiError {
        match self {
            Self::Broken(error) => error.into_api_error(),
            failed => ApiError::new(codes::SERVICE_UNAVAILABLE)
                .retry_after(TRY_AGAIN)
                .source(failed),
        }
    }
}
