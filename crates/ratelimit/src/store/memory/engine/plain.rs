//! Charges that need no figures: the short way through the table, for what most checks are.

use std::num::NonZeroU32;

use crate::clock::Now;
use crate::machine::gcra;
use crate::not_now::NotNow;
use crate::quota::Quota;
use crate::scope::Scope;
use crate::store::Charge;
use crate::store::memory::engine::Engine;
use crate::store::memory::slot::{Layout, Narrow};
use crate::store::memory::table::Glance;

/// A charge under [`Algorithm::Gcra`](crate::Algorithm::Gcra) that stops whom it denies, and does not
/// look at blocks.
#[derive(Clone, Copy)]
pub(crate) struct Plain<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) subject: &'a [u8],
    pub(crate) quota: &'a Quota,
    pub(crate) cost: NonZeroU32,
}

/// How many of them can be decided together.
pub(crate) const MOST_PLAIN: usize = 8;

impl<'a> Plain<'a> {
    fn charge(&self) -> Charge<'a> {
        Charge::within(self.scope, self.subject, *self.quota, self.cost)
    }
}

impl Engine {
    /// Charges one key without figures; they are only for who has to wait.
    #[inline]
    pub(in crate::store::memory) fn admit_plain(&self, plain: &Plain<'_>) -> Result<(), NotNow> {
        // First of all: processors finish all earlier loads before they read their clock, and go on
        // with what follows while they do.
        let now = self.clock.now();
        let tag = self.tags.gcra(plain.scope.id(), plain.subject);
        let (quota, cost, us) = (plain.quota, plain.cost.get(), now.mono_us());
        self.narrow.touch(tag);
        if let Some(seen) = self.narrow.glance(tag) {
            match gcra::consume(quota, seen.state(), cost, us).map(|next| seen.replace(next)) {
                Some(Ok(())) => return Ok(()),
                Some(Err(seen)) => return self.admit_again(plain, tag, seen, now),
                None => return Err(self.denial(plain, tag, seen.state(), us)),
            }
        }
        self.admit_at_length(plain, tag, now)
    }

    /// After a lost race, from what the winner has left behind.
    #[cold]
    fn admit_again(
        &self,
        plain: &Plain<'_>,
        tag: u64,
        mut glance: Option<Glance<'_>>,
        now: Now,
    ) -> Result<(), NotNow> {
        let (quota, cost, us) = (plain.quota, plain.cost.get(), now.mono_us());
        while let Some(seen) = glance {
            let Some(next) = gcra::consume(quota, seen.state(), cost, us) else {
                return Err(self.denial(plain, tag, seen.state(), us));
            };
            match seen.replace(next) {
                Ok(()) => return Ok(()),
                Err(seen) => glance = seen,
            }
        }
        self.admit_at_length(plain, tag, now)
    }

    #[cold]
    fn admit_at_length(&self, plain: &Plain<'_>, tag: u64, now: Now) -> Result<(), NotNow> {
        let verdict = self.charge_now(&self.narrow, &plain.charge(), tag, now);
        if verdict.is_allowed() {
            return Ok(());
        }
        Err(NotNow::after(verdict.retry_after()))
    }

    /// Charges several keys without figures, all or none. `None`: nobody knows, since one of them is
    /// not given, or new, or lost a race, or they are more than [`MOST_PLAIN`]; nothing is charged
    /// then.
    #[inline]
    pub(in crate::store::memory) fn admit_all<'a>(
        &self,
        charges: impl Iterator<Item = Option<Plain<'a>>> + Clone,
    ) -> Option<Result<(), NotNow>> {
        let now = self.clock.now().mono_us();
        let mut steps = [None; MOST_PLAIN];
        let mut count = 0;
        let mut denied: Option<NotNow> = None;
        for plain in charges.clone() {
            let plain = plain?;
            let tag = self.tags.gcra(plain.scope.id(), plain.subject);
            let seen = self.narrow.glance(tag)?;
            match gcra::consume(plain.quota, seen.state(), plain.cost.get(), now) {
                Some(next) => *steps.get_mut(count)? = Some((seen, next)),
                None => {
                    let wait = self.denial(&plain, tag, seen.state(), now);
                    denied = Some(denied.map_or(wait, |other| other.or_longer(wait)));
                }
            }
            count += 1;
        }
        if let Some(denied) = denied {
            return Some(Err(denied));
        }
        for (index, step) in steps[..count].iter().enumerate() {
            let (seen, next) = step.as_ref()?;
            if seen.replace(*next).is_err() {
                for (plain, step) in charges.flatten().zip(&steps[..index]) {
                    self.take_back(&plain, step.map(|(_, next)| next));
                }
                return None;
            }
        }
        Some(Ok(()))
    }

    #[inline]
    fn denial(&self, plain: &Plain<'_>, tag: u64, tat: u64, now: u64) -> NotNow {
        let (quota, cost) = (plain.quota, plain.cost.get());
        if gcra::clamped(quota, tat, cost, now).is_some() {
            let moment = Now::from_micros(now, 0); // GCRA asks for the monotonic clock alone.
            self.clamp(&self.narrow, &plain.charge(), tag, moment);
        }
        NotNow::after_micros(gcra::wait(quota, tat, cost, now))
    }

    /// Undoes a charge of this very decision, as far as it has not come back by itself.
    #[cold]
    fn take_back(&self, plain: &Plain<'_>, paid_until: Option<u64>) {
        let tag = self.tags.gcra(plain.scope.id(), plain.subject);
        while let Some(seen) = self.narrow.read(tag) {
            // Read each time: some of it may have come back already.
            let now = self.clock.now().mono_us();
            let (tat, cost) = (seen.state::<Narrow>(), plain.cost.get());
            let next = gcra::refund(plain.quota, tat, cost, paid_until, now);
            if self.narrow.replace(&seen, Narrow::pack(next, plain.quota)) {
                break;
            }
        }
    }
}
