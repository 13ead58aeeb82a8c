//! What a finished call says about the dependency, and who decides it.

use std::time::Duration;

/// How a call counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The dependency did its work.
    Success,
    /// The dependency failed.
    Failure,
    /// The dependency failed and said how long to stay away, as in `Retry-After`.
    ///
    /// Should this failure open the breaker, it stays open for at least that long (up to
    /// [`upstream_max`](crate::OpenTime::upstream_max)).
    FailureFor(Duration),
    /// The call says nothing about the dependency: the caller's own mistake, say. Ignored calls
    /// are neutral: they neither count nor reset anything.
    Ignored,
}

/// Decides how the result of a call counts.
///
/// Any `Fn(&Result<T, E>) -> Outcome` is one.
///
/// # Examples
///
/// ```
/// use seawall_breaker::{CircuitBreaker, Outcome, State};
///
/// enum Refusal { NotFound, Down }
///
/// let breaker = CircuitBreaker::consecutive(1).build()?;
/// let classify = |result: &Result<u8, Refusal>| match result {
///     Ok(_) => Outcome::Success,
///     Err(Refusal::NotFound) => Outcome::Ignored,
///     Err(Refusal::Down) => Outcome::Failure,
/// };
///
/// let _ = breaker.call_with(classify, || Err(Refusal::NotFound));
/// assert_eq!(breaker.state(), State::Closed);
/// let _ = breaker.call_with(classify, || Err(Refusal::Down));
/// assert_eq!(breaker.state(), State::Open);
/// # Ok::<(), seawall_breaker::ConfigError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not classify results of type `Result<{T}, {E}>`",
    note = "pass a closure `|result: &Result<{T}, {E}>| -> Outcome`, or `ByResult`"
)]
pub trait Classify<T, E> {
    /// How this result counts.
    fn classify(&self, result: &Result<T, E>) -> Outcome;
}

impl<T, E, F: Fn(&Result<T, E>) -> Outcome> Classify<T, E> for F {
    #[inline]
    fn classify(&self, result: &Result<T, E>) -> Outcome {
        self(result)
    }
}

/// The default classification: `Ok` is a success, `Err` a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a name for a rule, which users write as a value"
)]
pub struct ByResult;

impl<T, E> Classify<T, E> for ByResult {
    #[inline]
    fn classify(&self, result: &Result<T, E>) -> Outcome {
        if result.is_ok() {
            Outcome::Success
        } else {
            Outcome::Failure
        }
    }
}

/// How a permit ended, as the observer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// Reported as a success.
    Success,
    /// Reported as a failure, or a dropped call that the [`DropPolicy`](crate::DropPolicy) counts
    /// as one.
    Failure,
    /// Reported as ignored.
    Ignored,
    /// Dropped without a report, and neutral.
    Dropped,
    /// Dropped by a panic, which counts as a failure.
    Panicked,
}

impl Ending {
    /// The name in lower case, for labels: `"failure"`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Ignored => "ignored",
            Self::Dropped => "dropped",
            Self::Panicked => "panicked",
        }
    }
}

/// One recorded call: what windows and probes count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) bad: bool,
    pub(crate) slow: bool,
}

impl Sample {
    /// Neither failed nor slow.
    #[inline]
    pub(crate) fn is_clean(self) -> bool {
        !(self.bad | self.slow)
    }
}
