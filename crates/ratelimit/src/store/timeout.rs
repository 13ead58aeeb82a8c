//! A store that answers in time or fails.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::clock::Now;
use crate::store::{Charge, Op, Store, StoreFailure};
use crate::verdict::Verdict;

/// A store with a limit on how long a call may take.
///
/// A limiter that waits for its store is an outage of its own. What is late counts as
/// [unavailable](StoreFailure::Unavailable), and its charge as perhaps made.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use seawall_ratelimit::{MemoryStore, WithTimeout};
///
/// let store = WithTimeout::new(MemoryStore::default(), Duration::from_millis(50));
/// assert_eq!(store.limit(), Duration::from_millis(50));
/// ```
#[derive(Clone, Debug)]
pub struct WithTimeout<S> {
    store: S,
    limit: Duration,
}

impl<S> WithTimeout<S> {
    /// Gives `store` at most `limit` for a call.
    pub const fn new(store: S, limit: Duration) -> Self {
        Self { store, limit }
    }

    /// How long a call may take.
    #[must_use]
    pub const fn limit(&self) -> Duration {
        self.limit
    }
}

impl<S: Store> Store for WithTimeout<S> {
    type Error = TimedOut<S::Error>;

    async fn decide(
        &self,
        op: Op,
        charges: &[Charge<'_>],
        out: &mut [Verdict],
    ) -> Result<Now, Self::Error> {
        let call = self.store.decide(op, charges, out);
        match tokio::time::timeout(self.limit, call).await {
            Ok(answer) => answer.map_err(TimedOut::Store),
            Err(_) => Err(TimedOut::After(self.limit)),
        }
    }

    #[inline]
    fn decide_now(
        &self,
        op: Op,
        charges: &[Charge<'_>],
        out: &mut [Verdict],
    ) -> Option<Result<Now, Self::Error>> {
        Some(
            self.store
                .decide_now(op, charges, out)?
                .map_err(TimedOut::Store),
        )
    }
}

/// The store was late, or failed by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimedOut<E> {
    /// It took longer than this. The charge may have been made.
    After(Duration),
    /// It failed in time.
    Store(E),
}

impl<E> fmt::Display for TimedOut<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After(limit) => write!(f, "rate limit store took longer than {limit:?}"),
            Self::Store(_) => f.write_str("rate limit store failed"),
        }
    }
}

impl<E: Error + 'static> Error for TimedOut<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::After(_) => None,
            Self::Store(error) => Some(error),
        }
    }
}

#[expect(
    clippy::use_self,
    reason = "`Into<Self>` hides what the bound is about"
)]
impl<E: Into<StoreFailure>> From<TimedOut<E>> for StoreFailure {
    fn from(error: TimedOut<E>) -> Self {
        match error {
            TimedOut::After(_) => Self::Unavailable,
            TimedOut::Store(error) => error.into(),
        }
    }
}
