//! What a breaker tells about itself, and in which order.

use crate::sync::{Mutex, lock};
use crate::{Counts, Ending, Outcome, Rejected, State};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Is told what happens to a breaker. Every method does nothing by default.
///
/// Methods run on the thread of the call that caused them, outside of every lock: they may use the
/// breaker, and should be quick. `breaker` is the name given to the builder.
pub trait Observer: Send + Sync + 'static {
    /// The state has changed.
    ///
    /// Each transition is told exactly once, in the order of
    /// [`generation`](Transition::generation), and never two at a time. While one is being told,
    /// others wait in a queue and are told by the same thread. The queue holds 1,024: an observer
    /// that falls further behind misses the oldest, as a gap in the generations shows.
    fn transition(&self, breaker: &str, transition: &Transition) {
        let _ = (breaker, transition);
    }

    /// A call was rejected.
    fn rejected(&self, breaker: &str, rejected: &Rejected) {
        let _ = (breaker, rejected);
    }

    /// An admitted call has ended.
    fn completed(&self, breaker: &str, completion: &Completion) {
        let _ = (breaker, completion);
    }

    /// The trip rule is met, but the breaker only watches: it is in dry run, or in
    /// [`State::MetricsOnly`]. Told once in a generation.
    fn threshold_reached(&self, breaker: &str, counts: &Counts) {
        let _ = (breaker, counts);
    }
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn transition(&self, breaker: &str, transition: &Transition) {
        (**self).transition(breaker, transition);
    }

    fn rejected(&self, breaker: &str, rejected: &Rejected) {
        (**self).rejected(breaker, rejected);
    }

    fn completed(&self, breaker: &str, completion: &Completion) {
        (**self).completed(breaker, completion);
    }

    fn threshold_reached(&self, breaker: &str, counts: &Counts) {
        (**self).threshold_reached(breaker, counts);
    }
}

/// A change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transition {
    /// The state before.
    pub from: State,
    /// The state after; the same as before when new probes replace lost ones, or a closed breaker
    /// is reset.
    pub to: State,
    /// Why.
    pub cause: Cause,
    /// Counts the transitions of this breaker; wraps after 4,194,304.
    pub generation: u32,
    /// How long the breaker will be open, if it is now.
    pub open_for: Option<Duration>,
}

/// Why the state has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The window held too many bad calls: these.
    Tripped(Counts),
    /// The open time was over, and a call came.
    WaitOver,
    /// The probes succeeded.
    ProbesPassed,
    /// The probes failed.
    ProbesFailed,
    /// The probes gave no verdict in time.
    NoVerdict,
    /// Somebody asked for it.
    Manual,
    /// A snapshot was restored.
    Restored,
}

impl Cause {
    /// The name in lower case, for labels: `"wait_over"`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tripped(_) => "tripped",
            Self::WaitOver => "wait_over",
            Self::ProbesPassed => "probes_passed",
            Self::ProbesFailed => "probes_failed",
            Self::NoVerdict => "no_verdict",
            Self::Manual => "manual",
            Self::Restored => "restored",
        }
    }
}

/// How an admitted call has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Completion {
    /// How.
    pub ending: Ending,
    /// Whether it was slow. Always false where slow calls are not measured.
    pub slow: bool,
    /// Whether it came too late to count: the breaker is no longer in the generation that admitted
    /// the call.
    pub late: bool,
    /// How long the call took, where the breaker measures that.
    pub elapsed: Option<Duration>,
}

/// How a permit ends, before it is known whether that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) ending: Ending,
    /// How long the upstream wants to be left alone.
    pub(crate) floor: Option<Duration>,
}

impl From<Outcome> for End {
    #[inline]
    fn from(outcome: Outcome) -> Self {
        let (ending, floor) = match outcome {
            Outcome::Success => (Ending::Success, None),
            Outcome::Failure => (Ending::Failure, None),
            Outcome::FailureFor(floor) => (Ending::Failure, Some(floor)),
            Outcome::Ignored => (Ending::Ignored, None),
        };
        Self { ending, floor }
    }
}

/// The transitions that have happened and not yet been told.
pub(crate) struct Reports {
    inner: Mutex<Pending>,
}

#[derive(Default)]
struct Pending {
    queue: VecDeque<Transition>,
    telling: bool,
}

const MOST_PENDING: usize = 1_024;

impl Reports {
    pub(crate) fn new() -> Self {
        Self {
            inner: Mutex::new(Pending::default()),
        }
    }

    /// Called under the lock of the transition itself, so that the queue has their order.
    pub(crate) fn push(&self, transition: Transition) {
        let mut pending = lock(&self.inner);
        if pending.queue.len() == MOST_PENDING {
            pending.queue.pop_front();
        }
        pending.queue.push_back(transition);
    }

    /// Tells what is pending, unless somebody is at it; he will tell ours too.
    pub(crate) fn tell(&self, mut to: impl FnMut(&Transition)) {
        while let Some(transition) = self.next() {
            // Ends the turn even if the observer panics.
            let _turn = Turn(self);
            to(&transition);
        }
    }

    fn next(&self) -> Option<Transition> {
        let mut pending = lock(&self.inner);
        if pending.telling {
            return None;
        }
        let transition = pending.queue.pop_front()?;
        pending.telling = true;
        Some(transition)
    }
}

struct Turn<'a>(&'a Reports);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        lock(&self.0.inner).telling = false;
    }
}

impl fmt::Debug for Reports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reports(..)")
    }
}
