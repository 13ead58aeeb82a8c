//! Costs that are known only afterwards.

use std::fmt;
use std::num::NonZeroU32;

use smallvec::SmallVec;

use crate::decision::{Allowed, Decision, Denied};
use crate::limiter::Limiter;
use crate::store::{Op, Store};

/// An estimate that was charged, until the actual cost is known.
///
/// [`settle`](Self::settle) it. A reservation that is dropped keeps the estimate charged: nobody knows
/// what was really used, and the strict side is the safe one.
///
/// # Examples
///
/// ```
/// use std::num::NonZeroU32;
/// use seawall_ratelimit::{Limiter, MemoryStore, quota};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let tokens = Limiter::new(MemoryStore::default(), quota!("1000/minute"));
/// let Ok(reserved) = tokens.reserve("alice", NonZeroU32::new(400).unwrap()).await;
/// let reservation = reserved.expect("there is room for 400");
///
/// // … the answer needed 150 …
/// let Ok(()) = reservation.settle(150).await;
/// let Ok(now) = tokens.peek("alice").await;
/// assert_eq!(now.binding().unwrap().remaining(), 850);
/// # });
/// ```
#[must_use = "a reservation that is not settled keeps its estimate charged"]
pub struct Reservation<S> {
    limiter: Limiter<S>,
    key: SmallVec<[u8; 64]>,
    estimate: NonZeroU32,
    allowed: Allowed,
}

impl<S: Store> Limiter<S> {
    /// Charges `estimate` to `key`, if it fits, to be corrected when the cost is known.
    ///
    /// # Errors
    ///
    /// If the store did not decide. The inner error is the denial.
    pub async fn reserve(
        &self,
        key: impl AsRef<[u8]>,
        estimate: NonZeroU32,
    ) -> Result<Result<Reservation<S>, Denied>, S::Error> {
        let key = key.as_ref();
        Ok(match self.decide(Op::Consume, key, estimate).await? {
            Decision::Deny(denied) => Err(denied),
            Decision::Allow(allowed) => {
                let limiter = self.clone();
                Ok(Reservation {
                    limiter,
                    key: SmallVec::from_slice(key),
                    estimate,
                    allowed,
                })
            }
        })
    }
}

impl<S: Store> Reservation<S> {
    /// What was charged.
    #[must_use]
    pub fn estimate(&self) -> NonZeroU32 {
        self.estimate
    }

    /// The decision that granted it.
    #[must_use]
    pub fn decision(&self) -> &Allowed {
        &self.allowed
    }

    /// Corrects the charge to `actual`: gives back what is too much (as far as it has not come back
    /// by itself), or charges what is missing (as far as there is room: no debt is kept).
    ///
    /// # Errors
    ///
    /// If the store did not answer. The estimate then stays charged.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future keeps the estimate charged, or corrects it: nothing in between.
    pub async fn settle(self, actual: u32) -> Result<(), S::Error> {
        let estimate = self.estimate.get();
        if let Some(missing) = NonZeroU32::new(actual.saturating_sub(estimate)) {
            return self.limiter.charge_up_to(&self.key, missing).await;
        }
        let Some(surplus) = NonZeroU32::new(estimate - actual) else {
            return Ok(());
        };
        for report in self
            .allowed
            .reports()
            .iter()
            .filter(|report| !report.is_denied())
        {
            self.limiter.give_back(&self.key, report, surplus).await?;
        }
        Ok(())
    }

    /// Gives all of it back, as far as it has not come back by itself.
    ///
    /// # Errors
    ///
    /// If the store did not answer. The estimate then stays charged.
    pub async fn cancel(self) -> Result<(), S::Error> {
        self.settle(0).await
    }
}

impl<S> fmt::Debug for Reservation<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation")
            .field("estimate", &self.estimate)
            .finish_non_exhaustive()
    }
}
