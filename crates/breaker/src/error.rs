//! The three ways in which something does not go as asked: a call is rejected, a call fails, a
//! configuration makes no sense.

use crate::State;
use std::fmt;
use std::time::Duration;

/// The call was not admitted, and nothing was done.
///
/// It carries what a caller needs in order to behave: how long to stay away.
#[derive(Clone, Copy, PartialEq, Eq)]
#[must_use = "the call was not admitted"]
pub struct Rejected(
    /// `milliseconds to wait : 62 | why : 2`. One word, since an open circuit is refused in a few
    /// nanoseconds and moving a larger value about would be half of them.
    u64,
);

const OPEN: u64 = 0;
const HALF_OPEN: u64 = 1;
const FORCED_OPEN: u64 = 2;

impl Rejected {
    /// No wait means that time does not help.
    #[inline]
    pub(crate) fn new(state: State, wait: Option<u64>) -> Self {
        match wait {
            Some(millis) => {
                let why = if state == State::Open {
                    OPEN
                } else {
                    HALF_OPEN
                };
                Self(millis.min(u64::MAX >> 2) << 2 | why)
            }
            None => Self(FORCED_OPEN),
        }
    }

    /// The state that rejected the call: [`State::Open`], [`State::HalfOpen`] (all probes are out)
    /// or [`State::ForcedOpen`].
    #[must_use]
    pub fn state(&self) -> State {
        match self.0 & 3 {
            OPEN => State::Open,
            HALF_OPEN => State::HalfOpen,
            _ => State::ForcedOpen,
        }
    }

    /// How long to wait before another call has a chance.
    ///
    /// Exact while open. While half-open it is a hint, since the verdict on the probes may come at
    /// any moment. `None` while forced open: only an operator ends that.
    #[must_use]
    #[inline]
    pub fn retry_after(&self) -> Option<Duration> {
        (self.0 & 3 != FORCED_OPEN).then(|| Duration::from_millis(self.0 >> 2))
    }
}

impl fmt::Debug for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected")
            .field("state", &self.state())
            .field("retry_after", &self.retry_after())
            .finish()
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "circuit breaker is {}", self.state())?;
        match self.retry_after() {
            Some(wait) => write!(f, ", retry after {:.1}s", wait.as_secs_f64()),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Rejected {}

/// What [`CircuitBreaker::call`](crate::CircuitBreaker::call) and
/// [`run`](crate::CircuitBreaker::run) return instead of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a call is rejected or it fails: callers match on both"
)]
pub enum Error<E> {
    /// The breaker did not admit the call.
    Rejected(Rejected),
    /// The call was made and returned this error.
    Inner(E),
}

impl<E> Error<E> {
    /// The error of the call itself, if it was made.
    pub fn into_inner(self) -> Option<E> {
        match self {
            Self::Inner(error) => Some(error),
            Self::Rejected(_) => None,
        }
    }

    /// The rejection, if the call was not made.
    pub fn rejected(&self) -> Option<Rejected> {
        match self {
            Self::Rejected(rejected) => Some(*rejected),
            Self::Inner(_) => None,
        }
    }
}

impl<E> From<Rejected> for Error<E> {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

impl<E: fmt::Display> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(rejected) => rejected.fmt(f),
            Self::Inner(error) => error.fmt(f),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for Error<E> {
    // Both variants speak for what they hold, so the cause is that of the held error.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Rejected(rejected) => rejected.source(),
            Self::Inner(error) => error.source(),
        }
    }
}

/// The configuration makes no sense, and no breaker was built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    key: &'static str,
    expected: &'static str,
    found: String,
}

impl ConfigError {
    pub(crate) fn new(key: &'static str, expected: &'static str, found: impl fmt::Debug) -> Self {
        Self {
            key,
            expected,
            found: format!("{found:?}"),
        }
    }

    /// The setting that is wrong, as the builder and the configuration file name it.
    #[must_use]
    pub fn key(&self) -> &'static str {
        self.key
    }

    /// What would have been right.
    #[must_use]
    pub fn expected(&self) -> &'static str {
        self.expected
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: expected {}, found {}",
            self.key, self.expected, self.found
        )
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_tell_the_state_and_the_wait() {
        let open = Rejected::new(State::Open, Some(12_345));
        assert_eq!(
            open.to_string(),
            "circuit breaker is open, retry after 12.3s"
        );
        let forced = Rejected::new(State::ForcedOpen, None);
        assert_eq!(forced.to_string(), "circuit breaker is forced open");
        assert_eq!(Error::Inner(fmt::Error).to_string(), fmt::Error.to_string());
    }

    #[test]
    fn a_rejection_keeps_why_and_how_long() {
        for (state, wait) in [
            (State::Open, Some(1)),
            (State::HalfOpen, Some(u64::MAX >> 2)),
            (State::ForcedOpen, None),
        ] {
            let rejected = Rejected::new(state, wait);
            let told = (rejected.state(), rejected.retry_after());
            assert_eq!(told, (state, wait.map(Duration::from_millis)));
        }
        let ever = Rejected::new(State::HalfOpen, Some(u64::MAX));
        assert_eq!(ever, Rejected::new(State::HalfOpen, Some(u64::MAX >> 2)));
    }

    #[test]
    fn a_configuration_error_names_the_key() {
        let error = ConfigError::new("min_calls", "at least 1", 0);
        assert_eq!(error.to_string(), "min_calls: expected at least 1, found 0");
    }
}
