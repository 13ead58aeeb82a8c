//! A store with a stand-in in this process.

use std::num::NonZeroU32;

use smallvec::SmallVec;

use crate::clock::Now;
use crate::source::Source;
use crate::store::{BoxError, Charge, MemoryStore, Op, Store, StoreFailure};
use crate::verdict::Verdict;

/// A store that is stood in for by memory while it is unavailable, with each quota divided by the
/// number of replicas.
///
/// This is [`OnStoreError::Local`](crate::OnStoreError::Local) for every policy at once, and for
/// [`Limiter`](crate::Limiter). The stand-in begins with nothing used; what it counts is forgotten
/// when the store is back, and what the store counted stays there. So over an outage a caller may get
/// up to one capacity more. What the store [refused](StoreFailure::Refused) stays refused.
///
/// # Examples
///
/// ```
/// use std::num::NonZeroU32;
/// use seawall_ratelimit::{Fallback, MemoryStore, Policies, Policy, quota};
///
/// # let shared_store = MemoryStore::default();
/// let three = NonZeroU32::new(3).unwrap();
/// let store = Fallback::new(shared_store, MemoryStore::new(10_000), three);
/// let policies = Policies::builder(store).policy(Policy::new("user", quota!("60/minute"))?).build()?;
/// # Ok::<(), seawall_ratelimit::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Fallback<S> {
    store: S,
    local: MemoryStore,
    replicas: NonZeroU32,
}

impl<S> Fallback<S> {
    /// Lets `local` stand in for `store`, with a share of one in `replicas`.
    pub const fn new(store: S, local: MemoryStore, replicas: NonZeroU32) -> Self {
        Self {
            store,
            local,
            replicas,
        }
    }

    #[cold]
    fn stand_in(
        &self,
        error: BoxError,
        op: Op,
        charges: &[Charge<'_>],
        out: &mut [Verdict],
    ) -> Result<Now, BoxError> {
        match (error.failure(), op) {
            (StoreFailure::Refused, _) | (_, Op::Refund) => Err(error),
            (_, Op::Reset | Op::BlockFor) => {
                // Done here for as long as the outage lasts; but the store does not know of it, and
                // the caller has to.
                self.locally(op, charges, out);
                Err(error)
            }
            _ => Ok(self.locally(op, charges, out)),
        }
    }

    fn locally(&self, op: Op, charges: &[Charge<'_>], out: &mut [Verdict]) -> Now {
        let shares: SmallVec<[Charge<'_>; 4]> = charges
            .iter()
            .map(|charge| {
                let cost = NonZeroU32::new(charge.cost()).unwrap_or(NonZeroU32::MIN);
                charge.with_quota(charge.quota().share(self.replicas, cost))
            })
            .collect();
        let now = self.local.decide_here(op, &shares, out);
        for verdict in out {
            *verdict = verdict.by(Source::Local);
        }
        now
    }

    /// Whether this gives back what the stand-in granted: that lives here, whoever is in charge now.
    fn is_ours(op: Op, charges: &[Charge<'_>]) -> bool {
        let granted_here = |charge: &Charge<'_>| {
            charge
                .grant()
                .is_some_and(|grant| grant.source == Source::Local)
        };
        op == Op::Refund && charges.iter().any(granted_here)
    }
}

impl<S: Store> Store for Fallback<S> {
    type Error = BoxError;

    async fn decide(
        &self,
        op: Op,
        charges: &[Charge<'_>],
        out: &mut [Verdict],
    ) -> Result<Now, BoxError> {
        if Self::is_ours(op, charges) {
            return Ok(self.locally(op, charges, out));
        }
        match self.store.decide(op, charges, out).await {
            Ok(now) => Ok(now),
            Err(error) => self.stand_in(BoxError::new(error), op, charges, out),
        }
    }

    #[inline]
    fn decide_now(
        &self,
        op: Op,
        charges: &[Charge<'_>],
        out: &mut [Verdict],
    ) -> Option<Result<Now, BoxError>> {
        if Self::is_ours(op, charges) {
            return Some(Ok(self.locally(op, charges, out)));
        }
        Some(match self.store.decide_now(op, charges, out)? {
            Ok(now) => Ok(now),
            Err(error) => self.stand_in(BoxError::new(error), op, charges, out),
        })
    }
}
