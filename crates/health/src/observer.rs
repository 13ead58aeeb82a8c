//! Who is told of runs and of changes, in order and without a lock held.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::{Failure, State, Status};

/// Learns of every run and every change. Every method does nothing unless implemented.
///
/// A panic in an observer is caught and changes nothing.
pub trait Observer: Send + Sync {
    /// A check was run. This is where the whole story of a failure goes; no probe ever tells it.
    fn ran(&self, check: &str, took: Duration, failure: Option<&Failure>) {
        let _ = (check, took, failure);
    }

    /// Something has changed.
    fn changed(&self, change: &Change) {
        let _ = change;
    }
}

/// A change of the service's state.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A check changed its state.
    Check {
        /// Its name.
        name: Arc<str>,
        /// What it was.
        from: State,
        /// What it is.
        to: State,
    },
    /// The service as a whole changed its state.
    Status {
        /// What it was.
        from: Status,
        /// What it is.
        to: Status,
    },
    /// Traffic should come from now on, or no longer.
    Ready(bool),
    /// The process was found stalled or broken, or moves again.
    Live(bool),
    /// Every startup check has passed once.
    Started,
    /// The service has begun to drain.
    Draining,
}

/// The observers, and the changes that they have not been told yet.
#[derive(Default)]
pub(crate) struct Observers {
    observers: Vec<Arc<dyn Observer>>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    changes: VecDeque<Change>,
    /// Somebody is telling them right now.
    telling: bool,
}

impl Observers {
    pub(crate) fn new(observers: Vec<Arc<dyn Observer>>) -> Self {
        Self {
            observers,
            queue: Mutex::default(),
        }
    }

    pub(crate) fn ran(&self, check: &str, took: Duration, failure: Option<&Failure>) {
        for observer in &self.observers {
            let told = || observer.ran(check, took, failure);
            let _ = catch_unwind(AssertUnwindSafe(told));
        }
    }

    /// Notes changes, in their order. Nobody is told before [`tell`](Self::tell).
    pub(crate) fn note(&self, changes: impl IntoIterator<Item = Change>) {
        if self.observers.is_empty() {
            return;
        }
        self.with_queue(|queue| queue.changes.extend(changes));
    }

    /// Tells what was noted. When somebody else is at it, even further up in this call, that one
    /// tells these too: so the order holds, and an observer may change things.
    pub(crate) fn tell(&self) {
        let mut first = true;
        loop {
            let change = self.with_queue(|queue| {
                if first && queue.telling {
                    return None;
                }
                first = false;
                let change = queue.changes.pop_front();
                queue.telling = change.is_some();
                change
            });
            let Some(change) = change else { return };
            for observer in &self.observers {
                let _ = catch_unwind(AssertUnwindSafe(|| observer.changed(&change)));
            }
        }
    }

    fn with_queue<R>(&self, act: impl FnOnce(&mut Queue) -> R) -> R {
        act(&mut self.queue.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observers")
            .field("count", &self.observers.len())
            .finish()
    }
}

/// A closure which is told of changes only.
pub(crate) struct OnChange<F>(pub(crate) F);

impl<F: Fn(&Change) + Send + Sync> Observer for OnChange<F> {
    fn changed(&self, change: &Change) {
        (self.0)(change);
    }
}
