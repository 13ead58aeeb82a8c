//! The error of a step which did not end in time.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// The time was up.
///
/// `Display` gives "timed out after 5.0s": the limit which was exceeded, not the time which passed.
/// For a step that ran into the deadline around it, that is the limit of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Elapsed {
    limit: Duration,
    cause: Cause,
    class: Option<&'static str>,
    ran: bool,
}

/// Which limit a step exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The step's own, given to [`within`](crate::within).
    Own,
    /// The limit of the whole, given to [`total`](crate::total).
    Total,
    /// The deadline of the surrounding [`scope`](crate::scope) or [`total`](crate::total).
    Inherited,
    /// The gap between two parts of a [`body`](crate::body).
    Idle,
    /// The limit of a whole [`body`](crate::body).
    Body,
}

impl Elapsed {
    /// For adapters that enforce a limit by other means: work that had started exceeded `limit`.
    #[must_use]
    pub const fn after(limit: Duration) -> Self {
        Self {
            limit,
            cause: Cause::Own,
            class: None,
            ran: true,
        }
    }

    pub(crate) fn new(
        limit: Duration,
        cause: Cause,
        class: Option<&'static str>,
        ran: bool,
    ) -> Self {
        Self {
            limit,
            cause,
            class,
            ran,
        }
    }

    /// The limit which was exceeded.
    #[must_use]
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// Which limit that was.
    #[must_use]
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// The name of the [`Class`](crate::Class) which gave the limit, if one did.
    #[must_use]
    pub fn class(&self) -> Option<&'static str> {
        self.class
    }

    /// Whether the work had been started. When it had not, because there was no time left on
    /// arrival, nothing was done and a retry is safe.
    #[must_use]
    pub fn ran(&self) -> bool {
        self.ran
    }
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "timed out after {}", Seconds(self.limit))
    }
}

impl Error for Elapsed {}

/// Seconds with one decimal at least and three at most: `5.0s`, `0.25s`, `1.125s`.
///
/// What is left of a budget is seldom round, so the fourth decimal is rounded; but a limit that is
/// not zero never reads as zero.
pub(crate) struct Seconds(pub(crate) Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_nanos().saturating_add(500_000) / 1_000_000;
        let millis = if self.0.is_zero() { 0 } else { millis.max(1) };
        let (whole, part) = (millis / 1000, millis % 1000);
        if part % 100 == 0 {
            write!(f, "{whole}.{}s", part / 100)
        } else if part % 10 == 0 {
            write!(f, "{whole}.{:02}s", part / 10)
        } else {
            write!(f, "{whole}.{part:03}s")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(limit: Duration, expected: &str) {
        let elapsed = Elapsed::new(limit, Cause::Own, None, true);
        assert_eq!(elapsed.to_string(), format!("timed out after {expected}"));
    }

    #[test]
    fn shows_seconds_with_one_to_three_decimals() {
        check(Duration::from_secs(5), "5.0s");
        check(Duration::from_millis(1500), "1.5s");
        check(Duration::from_millis(250), "0.25s");
        check(Duration::from_millis(1125), "1.125s");
        check(Duration::from_millis(1005), "1.005s");
        check(Duration::from_secs(90), "90.0s");
        check(Duration::ZERO, "0.0s");
    }

    #[test]
    fn rounds_the_fourth_decimal_but_never_to_zero() {
        check(Duration::from_nanos(4_999_817_000), "5.0s");
        check(Duration::from_micros(1), "0.001s");
        check(Duration::MAX, "18446744073709551616.0s");
    }
}
