//! Remembers denials, so that a flood of refused requests does not become a flood of store calls.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::clock::{Clock, Now, SystemClock};
use crate::quota::Quota;
use crate::source::Source;
use crate::store::memory::Tags;
use crate::store::{Charge, Op, Store};
use crate::verdict::{Standing, Verdict, micros};

/// A store that answers from memory what it has denied before, until waiting would help.
///
/// A key that the store denies is denied here, without a call, until its `retry_after` has passed, for
/// requests of the same cost and quota. That is exact as long as nothing gives the key room early. A
/// refund, a reset or a settled reservation through this same wrapper is noticed; those of other
/// processes are not, so that no denial is held for longer than
/// [`hold_at_most`](Self::hold_at_most).
///
/// # Bound
///
/// A fixed number of entries of about 100 bytes; a newer denial replaces an older one in the same
/// place, which costs one call to the store and no correctness.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use seawall_ratelimit::{DenyCache, Limiter, MemoryStore, Source, quota};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let remote = MemoryStore::default(); // Imagine a network in between.
/// let limiter = Limiter::new(DenyCache::new(remote), quota!("1/minute"));
/// let sources = [
///     limiter.check("alice").await.unwrap().source(),
///     limiter.check("alice").await.unwrap().source(),
///     limiter.check("alice").await.unwrap().source(),
/// ];
/// assert_eq!(sources, [Source::Store, Source::Store, Source::DenyCache]);
/// # });
/// ```
#[derive(Clone)]
pub struct DenyCache<S> {
    store: S,
    entries: Arc<[Mutex<Option<Denial>>]>,
    tags: Arc<Tags>,
    clock: Arc<dyn Clock>,
    hold_us: u64,
}

#[derive(Clone, Copy)]
struct Denial {
    tag: u64,
    quota: Quota,
    cost: u32,
    looks_at_blocks: bool,
    verdict: Verdict,
    since: u64,
    until: u64,
}

impl<S> DenyCache<S> {
    /// Remembers up to 8,192 denials of `store`, for a second each.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self {
            store,
            entries: places(8_192),
            tags: Arc::new(Tags::new()),
            clock: Arc::new(SystemClock::new()),
            hold_us: 1_000_000,
        }
    }

    /// How many denials are remembered. Default: 8,192. Those so far are forgotten.
    #[must_use]
    pub fn entries(self, entries: usize) -> Self {
        Self {
            entries: places(entries.max(1)),
            ..self
        }
    }

    /// For how long a denial is believed at most. Default: one second, which is a call a second for a
    /// key that is hammered.
    #[must_use]
    pub fn hold_at_most(self, time: Duration) -> Self {
        Self {
            hold_us: micros(time),
            ..self
        }
    }

    /// The clock of this process. Default: [`SystemClock`].
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        Self {
            clock: Arc::new(clock),
            ..self
        }
    }

    /// Whether the charges are denied by what is remembered; the verdicts are written then.
    fn denied(&self, charges: &[Charge<'_>], out: &mut [Verdict]) -> Option<Now> {
        let now = self.clock.now();
        let now_us = now.mono_us();
        let mut denied = false;
        for (charge, verdict) in charges.iter().zip(out) {
            *verdict = Verdict::UNKNOWN;
            if charge.is_shadow() {
                continue;
            }
            let tag = self.tags.counter(charge);
            let known = *self.place(tag).lock();
            if let Some(denial) = known.filter(|denial| denial.is_of(charge, tag, now_us)) {
                *verdict = denial
                    .verdict
                    .later(now_us - denial.since)
                    .by(Source::DenyCache);
                denied = true;
            }
        }
        denied.then_some(now)
    }

    /// Remembers what was denied. `asked` is before the call: what was denied then may be tried again
    /// a little early, never late.
    fn remember(&self, charges: &[Charge<'_>], verdicts: &[Verdict], asked: Now) {
        for (charge, verdict) in charges.iter().zip(verdicts) {
            let final_word = matches!(verdict.standing(), Standing::OverLimit | Standing::Blocked);
            if charge.is_shadow() || !final_word {
                continue;
            }
            let tag = self.tags.counter(charge);
            let since = asked.mono_us();
            let wait = verdict.retry_after().map_or(u64::MAX, micros);
            *self.place(tag).lock() = Some(Denial {
                tag,
                quota: *charge.quota(),
                cost: charge.cost(),
                looks_at_blocks: charge.block_for().is_some(),
                verdict: *verdict,
                since,
                until: since.saturating_add(wait.min(self.hold_us)),
            });
        }
    }

    /// Forgets keys that may have been given room.
    fn forget(&self, charges: &[Charge<'_>]) {
        for charge in charges {
            let tag = self.tags.counter(charge);
            let mut place = self.place(tag).lock();
            if place.is_some_and(|denial| denial.tag == tag) {
                *place = None;
            }
        }
    }

    fn after(
        &self,
        op: Op,
        charges: &[Charge<'_>],
        verdicts: &[Verdict],
        asked: Now,
        decided: bool,
    ) {
        match op {
            Op::Consume if decided => self.remember(charges, verdicts, asked),
            Op::Consume | Op::Peek => {}
            // Whether or not the store answered: it may have done it all the same.
            _ => self.forget(charges),
        }
    }

    fn place(&self, tag: u64) -> &Mutex<Option<Denial>> {
        let place = tag % self.entries.len() as u64;
        &self.entries[usize::try_from(place).unwrap_or(0)]
    }
}

impl Denial {
    fn is_of(&self, charge: &Charge<'_>, tag: u64, now: u64) -> bool {
        self.tag == tag
            && self.quota == *charge.quota()
            && self.cost == charge.cost()
            && self.looks_at_blocks == charge.block_for().is_some()
            && (self.since..self.until).contains(&now)
    }
}

impl<S: Store> Store for DenyCache<S> {
    type Error = S::Error;

    async fn decide(
        &self,
        op: Op,
        charges: &[Charge<'_>],
        out: &mut [Verdict],
    ) -> Result<Now, S::Error> {
        if op == Op::Consume
            && let Some(now) = self.denied(charges, out)
        {
            return Ok(now);
        }
        let asked = self.clock.now();
        let answer = self.store.decide(op, charges, out).await;
        self.after(op, charges, out, asked, answer.is_ok());
        answer
    }

    fn decide_now(
        &self,
        op: Op,
        charges: &[Charge<'_>],
        out: &mut [Verdict],
    ) -> Option<Result<Now, S::Error>> {
        if op == Op::Consume
            && let Some(now) = self.denied(charges, out)
        {
            return Some(Ok(now));
        }
        let asked = self.clock.now();
        let answer = self.store.decide_now(op, charges, out)?;
        self.after(op, charges, out, asked, answer.is_ok());
        Some(answer)
    }
}

impl<S: fmt::Debug> fmt::Debug for DenyCache<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DenyCache")
            .field("store", &self.store)
            .field("entries", &self.entries.len())
            .finish_non_exhaustive()
    }
}

fn places(entries: usize) -> Arc<[Mutex<Option<Denial>>]> {
    (0..entries).map(|_| Mutex::new(None)).collect()
}
