//! What a breaker knows, as data: for a dashboard, and for the next process.

use crate::clock::millis;
use crate::machine::{Step, To};
use crate::open_time::LONGEST;
use crate::sync::Ordering;
use crate::word::Phase;
use crate::{Cause, CircuitBreaker, Counts, State};
use std::time::Duration;

/// What a breaker knew at one moment.
///
/// # Examples
///
/// ```
/// use seawall_breaker::{CircuitBreaker, State};
/// use std::time::Duration;
///
/// let before = CircuitBreaker::consecutive(1).build()?;
/// before.open_for(Duration::from_secs(30));
/// let snapshot = before.snapshot();
///
/// // Ten seconds later, in the process that took over:
/// let after = CircuitBreaker::consecutive(1).build()?;
/// after.restore(&snapshot.aged(Duration::from_secs(10)));
/// assert_eq!(after.state(), State::Open);
/// assert!(after.retry_after() <= Some(Duration::from_secs(20)));
/// # Ok::<(), seawall_breaker::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
#[non_exhaustive]
pub struct Snapshot {
    /// The state in which a call would have found it.
    pub state: State,
    /// How long it would have been open yet.
    #[cfg_attr(feature = "serde", serde(with = "crate::humane::optional_duration"))]
    pub retry_after: Option<Duration>,
    /// How often it had opened since it was last closed.
    pub opens: u32,
    /// Counts its transitions; a new breaker is in generation 1.
    pub generation: u32,
    /// What the window held; zero unless closed or [`State::MetricsOnly`].
    pub counts: Counts,
    /// How many probes were in flight.
    pub probes: u32,
}

impl Default for Snapshot {
    /// A breaker that has just been built.
    fn default() -> Self {
        Self {
            state: State::Closed,
            retry_after: None,
            opens: 0,
            generation: 1,
            counts: Counts::default(),
            probes: 0,
        }
    }
}

impl Snapshot {
    /// The same, so much later: for the time between taking and restoring, which only the caller
    /// knows.
    #[must_use]
    pub fn aged(mut self, by: Duration) -> Self {
        self.retry_after = self.retry_after.map(|wait| wait.saturating_sub(by));
        self
    }
}

impl CircuitBreaker {
    /// What the breaker knows now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let word = self.word();
        let phase = self.effective();
        let (retry_after, probes) = match phase {
            Phase::Open { until } => (
                Some(Duration::from_millis(
                    until.saturating_sub(self.time.millis()),
                )),
                0,
            ),
            Phase::HalfOpen(probes) => (None, probes.in_flight),
            _ => (None, 0),
        };
        let counts = match phase {
            Phase::Closed { .. } | Phase::MetricsOnly { .. } => {
                self.window.counts(word.generation(), || self.time.millis())
            }
            _ => Counts::default(),
        };
        Snapshot {
            state: State::from(phase),
            retry_after,
            opens: self.opens.load(Ordering::Relaxed),
            generation: word.generation(),
            counts,
            probes,
        }
    }

    /// Takes over where the other breaker was.
    ///
    /// Restored are the state, what is left of the open time, and the openings on which the next
    /// open time depends. Not restored are the window, since its calls say little by the time a
    /// process has restarted, and probes, whose calls have died with their process: a half-open
    /// breaker comes back ready for new ones.
    pub fn restore(&self, from: &Snapshot) {
        let open = |wait: Duration| To::OpenAgain {
            wait: millis(wait.min(LONGEST)),
            opens: from.opens,
        };
        let to = match from.state {
            State::Closed => To::Closed,
            State::Open => open(from.retry_after.unwrap_or(Duration::ZERO)),
            State::HalfOpen => open(Duration::ZERO),
            State::ForcedOpen => To::ForcedOpen,
            State::Disabled => To::Disabled,
            State::MetricsOnly => To::MetricsOnly,
        };
        let at = self.time.millis();
        self.turn(|_, _| {
            Some(Step {
                to,
                at,
                cause: Cause::Restored,
            })
        });
    }
}
