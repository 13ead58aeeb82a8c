//! What it means that a permit is dropped without a report.

use crate::Outcome;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How a call counts whose permit is dropped before it reports: a cancelled future, a caller that
/// hung up, a timeout around the breaker.
///
/// # Why not always neutral?
///
/// A hang is the commonest way in which a dependency fails, and with `timeout(breaker(call))` a hang
/// reaches the breaker as a drop and nothing else: it would never open. Better is
/// `breaker(timeout(call))`, where the timeout is an error like any other. Where the order is given,
/// use [`FailureIfOlder`](Self::FailureIfOlder) with a little less than the timeout: what was
/// dropped sooner was the caller's choice and says nothing about the dependency.
///
/// A panic is not a drop: it always counts as a failure.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum DropPolicy {
    /// It does not count. A probe gives its place to another.
    #[default]
    Neutral,
    /// It counts as a failure.
    Failure,
    /// It counts as a failure when the call had been going on for this long, or longer. Costs a
    /// reading of the coarse clock a call.
    FailureIfOlder(
        /// How long.
        #[cfg_attr(feature = "serde", serde(with = "crate::humane::duration"))]
        Duration,
    ),
    /// A closure decides, given how long the call had been going on. See
    /// [`decide`](Self::decide).
    #[cfg_attr(feature = "serde", serde(skip))]
    Decide(DropRule),
}

/// The closure of [`DropPolicy::Decide`].
#[derive(Clone)]
pub struct DropRule(Arc<dyn Fn(Duration) -> Outcome + Send + Sync>);

impl DropPolicy {
    /// A closure decides, given how long the call had been going on.
    ///
    /// It may look at what the breaker cannot know: whether the request's deadline has passed, or
    /// whether the process is shutting down.
    ///
    /// # Examples
    ///
    /// ```
    /// use seawall_breaker::{CircuitBreaker, DropPolicy, Outcome};
    /// use std::sync::atomic::{AtomicBool, Ordering};
    ///
    /// static DRAINING: AtomicBool = AtomicBool::new(false);
    ///
    /// let breaker = CircuitBreaker::consecutive(5)
    ///     .on_drop(DropPolicy::decide(|age| {
    ///         if DRAINING.load(Ordering::Relaxed) || age.as_secs() < 2 {
    ///             Outcome::Ignored
    ///         } else {
    ///             Outcome::Failure
    ///         }
    ///     }))
    ///     .build()?;
    /// # Ok::<(), seawall_breaker::ConfigError>(())
    /// ```
    #[must_use]
    pub fn decide(rule: impl Fn(Duration) -> Outcome + Send + Sync + 'static) -> Self {
        Self::Decide(DropRule(Arc::new(rule)))
    }

    /// Whether the age of a call matters, so that its start must be noted.
    pub(crate) fn wants_age(&self) -> bool {
        matches!(self, Self::FailureIfOlder(_) | Self::Decide(_))
    }

    /// What a drop counts as; `None` means that it is a drop and nothing more.
    pub(crate) fn judge(&self, age: impl FnOnce() -> Duration) -> Option<Outcome> {
        match self {
            Self::Neutral => None,
            Self::Failure => Some(Outcome::Failure),
            Self::FailureIfOlder(limit) => (age() >= *limit).then_some(Outcome::Failure),
            Self::Decide(rule) => Some((rule.0)(age())),
        }
    }
}

impl PartialEq for DropPolicy {
    /// Closures are equal when they are the same one.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Neutral, Self::Neutral) | (Self::Failure, Self::Failure) => true,
            (Self::FailureIfOlder(a), Self::FailureIfOlder(b)) => a == b,
            (Self::Decide(a), Self::Decide(b)) => Arc::ptr_eq(&a.0, &b.0),
            _ => false,
        }
    }
}

impl fmt::Debug for DropPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Neutral => f.write_str("Neutral"),
            Self::Failure => f.write_str("Failure"),
            Self::FailureIfOlder(limit) => f.debug_tuple("FailureIfOlder").field(limit).finish(),
            Self::Decide(_) => f.write_str("Decide(..)"),
        }
    }
}

impl fmt::Debug for DropRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DropRule(..)")
    }
}
