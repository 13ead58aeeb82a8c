//! What an HTTP response says about the service that gave it.

use std::time::Duration;

use http::{Response, StatusCode, header};
use seawall_breaker::{Classify, Outcome};

/// Judges responses as HTTP.
///
/// | result | counts as |
/// |---|---|
/// | an error of the transport, a timeout | failure |
/// | 503 or 429 with `Retry-After` in seconds | failure, and the circuit stays open at least that long |
/// | any other 5xx but 501 | failure |
/// | everything else, other 4xx and 501 among it | success: the service answered |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpOutcome;

impl HttpOutcome {
    /// The rule.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

impl<B, E> Classify<Response<B>, E> for HttpOutcome {
    fn classify(&self, result: &Result<Response<B>, E>) -> Outcome {
        let Ok(response) = result else {
            return Outcome::Failure;
        };
        let status = response.status();
        let asks_for_patience = matches!(
            status,
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
        );
        if asks_for_patience && let Some(wait) = retry_after(response) {
            return Outcome::FailureFor(wait);
        }
        if status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED {
            Outcome::Failure
        } else {
            Outcome::Success
        }
    }
}

/// The delay that a response asks for, where it does so in seconds. A date would need a clock that
/// agrees with the other side's, and few services send one.
fn retry_after<B>(response: &Response<B>) -> Option<Duration> {
    let value = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    let digits = value.trim();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // A number too large to read is a very long time; the breaker caps what it believes.
    Some(Duration::from_secs(
        digits.parse().unwrap_or(u64::from(u32::MAX)),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, retry_after: Option<&str>, expected: Outcome) {
        let mut response = Response::builder().status(status);
        if let Some(value) = retry_after {
            response = response.header("retry-after", value);
        }
        let result: Result<_, ()> = Ok(response.body(()).unwrap());
        assert_eq!(
            HttpOutcome.classify(&result),
            expected,
            "{status} {retry_after:?}"
        );
    }

    #[test]
    fn statuses_are_judged_as_the_table_says() {
        for status in [200, 204, 301, 304, 400, 401, 404, 409, 422, 429, 499, 501] {
            check(status, None, Outcome::Success);
        }
        for status in [500, 502, 503, 504, 507, 599] {
            check(status, None, Outcome::Failure);
        }
        let failed: Result<Response<()>, _> = Err("connection reset");
        assert_eq!(HttpOutcome.classify(&failed), Outcome::Failure);
    }

    #[test]
    fn a_wait_that_is_asked_for_is_kept() {
        let wait = |seconds| Outcome::FailureFor(Duration::from_secs(seconds));
        check(503, Some("17"), wait(17));
        check(429, Some(" 0 "), wait(0));
        check(
            503,
            Some("99999999999999999999999"),
            wait(u64::from(u32::MAX)),
        );
        check(503, Some("Fri, 31 Dec 1999 23:59:59 GMT"), Outcome::Failure);
        check(429, Some("-1"), Outcome::Success);
        check(500, Some("17"), Outcome::Failure);
        check(404, Some("17"), Outcome::Success);
    }
}
