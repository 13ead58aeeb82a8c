//! The answer to a call that a circuit breaker did not admit.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use seawall_breaker::{Error, Rejected};
use seawall_errors::{ApiError, IntoApiError, codes};

/// 503 `circuit_open`, "Service temporarily unavailable".
///
/// `Retry-After` is the time left until the breaker probes again, rounded up, with up to a tenth on
/// top, so that callers who were refused together do not come back together. It is absent while
/// the circuit is forced open: only an operator ends that, and no wait helps.
pub fn rejected(rejected: &Rejected) -> ApiError {
    let error = ApiError::new(codes::CIRCUIT_OPEN).not_executed();
    match rejected.retry_after() {
        Some(left) => error.retry_after(left + spread(left, draw())),
        None => error,
    }
}

/// The answer to a call through a breaker: what it failed with, or that it was not made.
///
/// # Examples
///
/// ```
/// use seawall_breaker::CircuitBreaker;
/// use seawall_errors::ApiError;
/// use seawall_web::answer;
///
/// async fn user(database: &CircuitBreaker) -> Result<String, ApiError> {
///     database.run(fetch).await.map_err(answer::breaker::failed)
/// }
/// # async fn fetch() -> Result<String, ApiError> { Ok(String::new()) }
/// ```
pub fn failed<E: IntoApiError>(error: Error<E>) -> ApiError {
    match error {
        Error::Rejected(rejection) => rejected(&rejection),
        Error::Inner(error) => error.into_api_error(),
    }
}

/// Between nothing and a tenth of `left`, by a number drawn from all of `u64`.
fn spread(left: Duration, drawn: u64) -> Duration {
    // The upper bits, since 2^10 steps are finer than the seconds that the header counts in.
    let steps = u32::try_from(drawn >> 54).unwrap_or(u32::MAX);
    left / 10 * steps / 1024
}

/// A number that differs from call to call. The hasher's keys are random once a thread and step
/// with each use: no system call, and nobody gains by guessing it.
fn draw() -> u64 {
    RandomState::new().hash_one(0_u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_breaker::{CircuitBreaker, ManualClock};
    use seawall_errors::{RenderContext, Renderer};

    fn open(clock: &ManualClock) -> CircuitBreaker {
        let breaker = CircuitBreaker::consecutive(1)
            .reset_timeout(Duration::from_secs(30))
            .clock(clock.clone())
            .build()
            .unwrap();
        breaker.trip_now();
        breaker
    }

    fn retry_after(error: &ApiError) -> Option<u64> {
        let rendered = Renderer::new().render(error, &RenderContext::new());
        let (_, value) = rendered
            .headers
            .iter()
            .find(|(name, _)| *name == "retry-after")?;
        value.parse().ok()
    }

    #[test]
    fn says_when_to_come_back_and_spreads_it_by_a_tenth() {
        let clock = ManualClock::new();
        let breaker = open(&clock);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let error = rejected(&breaker.try_acquire().unwrap_err());
            assert_eq!(error.code(), codes::CIRCUIT_OPEN);
            assert_eq!(error.public_message(), "Service temporarily unavailable");
            let seconds = retry_after(&error).unwrap();
            assert!((30..=33).contains(&seconds), "{seconds}");
            seen.insert(seconds);
        }
        assert!(seen.len() > 1, "all the same: {seen:?}");
    }

    #[test]
    fn the_last_moment_is_a_second() {
        let clock = ManualClock::new();
        let breaker = open(&clock);
        clock.advance(Duration::from_millis(29_999));
        assert_eq!(
            retry_after(&rejected(&breaker.try_acquire().unwrap_err())),
            Some(1)
        );
    }

    #[test]
    fn forced_open_promises_nothing() {
        let clock = ManualClock::new();
        let breaker = open(&clock);
        breaker.force_open();
        assert_eq!(
            retry_after(&rejected(&breaker.try_acquire().unwrap_err())),
            None
        );
    }

    #[test]
    fn the_spread_lies_between_nothing_and_a_tenth() {
        let left = Duration::from_secs(1000);
        assert_eq!(spread(left, 0), Duration::ZERO);
        let most = spread(left, u64::MAX);
        assert!(
            most > Duration::from_secs(99) && most < Duration::from_secs(100),
            "{most:?}"
        );
    }

    #[test]
    fn a_failure_of_the_call_is_its_own_answer() {
        let error = failed(Error::Inner(ApiError::new(codes::NOT_FOUND)));
        assert_eq!(error.code(), codes::NOT_FOUND);
    }
}
