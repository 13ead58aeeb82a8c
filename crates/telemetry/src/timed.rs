//! A store whose calls are timed.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use crate::{Metrics, clock};

/// A store of any leaf whose calls are timed, in `seawall_<leaf>_store_seconds`.
///
/// It is the same store to whoever uses it. Only calls that have to be waited for are timed: what a
/// store answers at once, as those in memory do, passes without a look at the clock. A call that is
/// dropped before its end is timed as `dropped`: its caller left, or a limit around it struck.
///
/// Put it outside of whatever bounds the calls (`WithTimeout`), and inside of what avoids them
/// (`DenyCache`).
#[derive(Clone)]
pub struct Timed<S> {
    store: S,
    name: Arc<str>,
    metrics: Metrics,
}

impl Metrics {
    /// Times the calls of a store. `name` is the label `store`: `"redis"`.
    #[must_use]
    pub fn timed<S>(&self, name: impl Into<Arc<str>>, store: S) -> Timed<S> {
        Timed {
            store,
            name: name.into(),
            metrics: self.clone(),
        }
    }
}

impl<S> Timed<S> {
    /// The store itself.
    pub const fn store(&self) -> &S {
        &self.store
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) const fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

impl<S> fmt::Debug for Timed<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timed")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// One call. Reports its outcome and seconds when it is dropped, so that none is forgotten.
pub(crate) struct Timing<F: FnMut(&'static str, f64)> {
    since: Instant,
    outcome: &'static str,
    report: F,
}

impl<F: FnMut(&'static str, f64)> Timing<F> {
    pub(crate) fn begin(report: F) -> Self {
        Self {
            since: clock::now(),
            outcome: "dropped",
            report,
        }
    }

    pub(crate) fn end<T, E>(mut self, answer: Result<T, E>) -> Result<T, E> {
        self.outcome = if answer.is_ok() { "ok" } else { "error" };
        answer
    }
}

impl<F: FnMut(&'static str, f64)> Drop for Timing<F> {
    fn drop(&mut self) {
        let took = clock::now().saturating_duration_since(self.since);
        (self.report)(self.outcome, took.as_secs_f64());
    }
}
