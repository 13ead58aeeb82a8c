//! The database behind a circuit breaker: bounded calls, and none while it is down.

use std::time::Duration;

use seawall_breaker::{CircuitBreaker, ConfigError, Outcome};
use seawall_errors::{ApiError, IntoApiError, codes};
use seawall_timeout::{Elapsed, within};
use seawall_web::answer;

use crate::domain::DomainError;
use crate::state::AppState;

/// The one way to the database.
#[derive(Debug)]
pub(super) struct Database {
    breaker: CircuitBreaker,
    limit: Duration,
}

impl Database {
    pub(super) fn new(state: &AppState) -> Result<Self, ConfigError> {
        let config = &state.config;
        let breaker = CircuitBreaker::consecutive(config.breaker.consecutive_failures)
            .name("database")
            .reset_timeout(config.breaker.open_for.get())
            .observer(state.telemetry.observer())
            .build()?;
        state.telemetry.metrics().show_breaker(&breaker);
        Ok(Self {
            breaker,
            limit: config.deadlines.database.get(),
        })
    }

    /// Makes a query, unless the circuit is open.
    ///
    /// The limit stands inside of the breaker, so that a database which hangs is a failure of the
    /// database, and not of a caller who gave up.
    pub(super) async fn query<T, F>(&self, make: impl FnOnce() -> F) -> Result<T, ApiError>
    where
        F: Future<Output = Result<T, DomainError>>,
    {
        let bounded = || async {
            within(self.limit, make())
                .await
                .map_err(Failed::Late)?
                .map_err(Failed::Query)
        };
        self.breaker
            .run_with(judge, bounded)
            .await
            .map_err(answer::breaker::failed)
    }
}

/// What went wrong with a query that was made.
#[derive(Debug)]
enum Failed {
    Query(DomainError),
    Late(Elapsed),
}

/// A user that does not exist says nothing against the database.
fn judge<T>(result: &Result<T, Failed>) -> Outcome {
    match result {
        Ok(_) | Err(Failed::Query(DomainError::NotFound)) => Outcome::Success,
        Err(_) => Outcome::Failure,
    }
}

impl IntoApiError for Failed {
    fn into_api_error(self) -> ApiError {
        match self {
            Self::Query(error) => error.into_api_error(),
            // To the caller a database that is slow and one that is down are the same.
            Self::Late(elapsed) => ApiError::new(codes::SERVICE_UNAVAILABLE)
                .retry_after(super::failure::TRY_AGAIN)
                .source(elapsed),
        }
    }
}
