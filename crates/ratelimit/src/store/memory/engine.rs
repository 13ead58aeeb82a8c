//! Carries decisions out over the tables: all charges or none, without a lock over them.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use smallvec::SmallVec;

use crate::clock::{Clock, Now};
use crate::machine::{State, measure};
use crate::quota::{Algorithm, Quota};
use crate::store::memory::WhenFull;
use crate::store::memory::hash::Tags;
use crate::store::memory::slot::{Layout, Narrow, Wide};
use crate::store::memory::table::{Insert, Room, Seen, Table};
use crate::store::{Charge, Grant, Op};
use crate::verdict::{Standing, Verdict};

pub(super) struct Engine {
    /// GCRA counters, and blocks.
    narrow: Table<Narrow>,
    /// Window counters; set aside with the first of them.
    wide: OnceLock<Table<Wide>>,
    capacity: usize,
    when_full: WhenFull,
    tags: Tags,
    clock: Arc<dyn Clock>,
}

/// What became of one charge.
#[derive(Clone, Copy)]
enum Step {
    /// It was made, and this is the state now.
    Made(State),
    /// It changes nothing about this state: it does not fit, or there is nothing to change.
    Unchanged(State),
    /// The key is new, and there is no room for it until then.
    Full(u64),
}

impl Engine {
    pub(super) fn new(capacity: usize, when_full: WhenFull, clock: Arc<dyn Clock>) -> Self {
        Self {
            narrow: Table::for_keys(capacity),
            wide: OnceLock::new(),
            capacity,
            when_full,
            tags: Tags::new(),
            clock,
        }
    }

    /// An engine of few slots, so that a model of it stays small.
    #[cfg(all(test, any(loom, shuttle)))]
    pub(super) fn small(when_full: WhenFull, clock: Arc<dyn Clock>) -> Self {
        Self {
            narrow: Table::with_buckets(1, 1, 1),
            ..Self::new(1, when_full, clock)
        }
    }

    pub(super) fn evictions(&self) -> u64 {
        self.narrow.evictions() + self.wide.get().map_or(0, Table::evictions)
    }

    pub(super) fn bytes(&self) -> usize {
        self.narrow.bytes() + self.wide.get().map_or(0, Table::bytes)
    }

    #[inline]
    pub(super) fn decide(&self, op: Op, charges: &[Charge<'_>], out: &mut [Verdict]) -> Now {
        if let (Op::Consume, [charge], [verdict]) = (op, charges, &mut *out) {
            let tag = self.prepare(charge);
            let now = self.clock.now();
            *verdict = self.consume_one(charge, tag, now);
            return now;
        }
        let tags: SmallVec<[u64; 4]> = charges.iter().map(|charge| self.prepare(charge)).collect();
        let now = self.clock.now();
        if op == Op::Consume {
            self.consume(charges, &tags, now, out);
        } else {
            for ((charge, tag), verdict) in charges.iter().zip(&tags).zip(out) {
                *verdict = self.perform(op, charge, *tag, now);
            }
        }
        now
    }

    /// The tag of a charge, its cache lines already under way.
    #[inline]
    fn prepare(&self, charge: &Charge<'_>) -> u64 {
        let tag = self.tags.counter(charge);
        match charge.quota().algorithm() {
            Algorithm::Gcra => self.narrow.touch(tag),
            _ => self.wide().touch(tag),
        }
        tag
    }

    #[inline]
    fn consume_one(&self, charge: &Charge<'_>, tag: u64, now: Now) -> Verdict {
        if let Some(blocked) = self.block(charge, tag, now) {
            return blocked;
        }
        let (quota, cost) = (charge.quota(), charge.cost());
        match self.step(charge, tag, now, |state| state.consume(quota, cost, now)) {
            Step::Made(after) => measure(quota, &after, cost, now, true),
            Step::Unchanged(state) => {
                self.punished(charge, measure(quota, &state, cost, now, false), now)
            }
            Step::Full(until) => full(charge, until, now),
        }
    }

    /// Looks at all first, since most denials are seen by looking; then charges one after the other,
    /// and gives back if the last ones lose a race.
    fn consume(&self, charges: &[Charge<'_>], tags: &[u64], now: Now, out: &mut [Verdict]) {
        let mut all_fit = true;
        for ((charge, tag), verdict) in charges.iter().zip(tags).zip(&mut *out) {
            *verdict = self.look(charge, *tag, now);
            all_fit &= verdict.is_allowed() || charge.is_shadow();
        }
        if all_fit {
            all_fit = self.charge_all(charges, tags, now, out);
        }
        if !all_fit {
            for (charge, verdict) in charges.iter().zip(out) {
                *verdict = self.punished(charge, *verdict, now);
            }
        }
    }

    /// Charges what fits; `false`, with everything given back, if one that must fit no longer does.
    fn charge_all(
        &self,
        charges: &[Charge<'_>],
        tags: &[u64],
        now: Now,
        out: &mut [Verdict],
    ) -> bool {
        for (index, (charge, tag)) in charges.iter().zip(tags).enumerate() {
            if !out[index].is_allowed() {
                continue;
            }
            let (quota, cost) = (charge.quota(), charge.cost());
            out[index] = match self.step(charge, *tag, now, |state| state.consume(quota, cost, now))
            {
                Step::Made(after) => measure(quota, &after, cost, now, true),
                Step::Unchanged(state) => measure(quota, &state, cost, now, false),
                Step::Full(until) => full(charge, until, now),
            };
            if !out[index].is_allowed() && !charge.is_shadow() {
                for index in (0..index).rev() {
                    if out[index].is_allowed() {
                        out[index] = self.give_back(&charges[index], tags[index], now, out[index]);
                    }
                }
                return false;
            }
        }
        true
    }

    /// Undoes a charge of this very decision.
    #[cold]
    fn give_back(&self, charge: &Charge<'_>, tag: u64, now: Now, verdict: Verdict) -> Verdict {
        let grant = Grant {
            at: now,
            reset: verdict.reset(),
            source: verdict.source(),
        };
        let (quota, cost) = (charge.quota(), charge.cost());
        // The clock is read again each time: some of it may have come back already, and a refund of
        // that would be a gift.
        let refund = |state: &State| state.refund(quota, cost, Some(grant), self.clock.now());
        match self.refund(charge, tag, refund) {
            Step::Made(after) | Step::Unchanged(after) => measure(quota, &after, cost, now, true),
            Step::Full(until) => full(charge, until, now),
        }
    }

    /// Whether a charge fits, from reads alone.
    #[inline]
    fn look(&self, charge: &Charge<'_>, tag: u64, now: Now) -> Verdict {
        if let Some(blocked) = self.block(charge, tag, now) {
            return blocked;
        }
        let (quota, cost) = (charge.quota(), charge.cost());
        let state = self.state(quota, tag);
        let allowed = state.consume(quota, cost, now).is_some();
        measure(quota, &state, cost, now, allowed)
    }

    /// Everything but [`Op::Consume`]: each charge is on its own.
    fn perform(&self, op: Op, charge: &Charge<'_>, tag: u64, now: Now) -> Verdict {
        let (quota, cost) = (charge.quota(), charge.cost());
        let step = match op {
            Op::Peek | Op::Consume => return self.look(charge, tag, now),
            Op::BlockFor => return self.blocked(charge, tag, now),
            Op::ConsumeUpTo => self.step(charge, tag, now, |state| {
                Some(state.consume_up_to(quota, cost, now))
            }),
            Op::Refund => {
                let grant = charge.grant();
                self.refund(charge, tag, |state| state.refund(quota, cost, grant, now))
            }
            Op::Reset => {
                let block = self.tags.block(charge);
                known(&self.narrow, block, quota, |_| State::new(Algorithm::Gcra));
                self.known(charge, tag, |_| State::new(quota.algorithm()))
            }
        };
        match step {
            Step::Made(after) => measure(quota, &after, cost, now, true),
            Step::Unchanged(state) => measure(quota, &state, cost, now, true),
            Step::Full(until) => full(charge, until, now),
        }
    }

    /// The verdict for a key that is blocked.
    #[inline]
    fn block(&self, charge: &Charge<'_>, tag: u64, now: Now) -> Option<Verdict> {
        charge.block_for()?;
        let seen = self.narrow.read(self.tags.block(charge))?;
        let left = moment(seen.state::<Narrow>())
            .checked_sub(now.mono_us())
            .filter(|us| *us > 0)?;
        let (quota, cost) = (charge.quota(), charge.cost());
        let state = self.state(quota, tag);
        let allowed = state.consume(quota, cost, now).is_some();
        let verdict = measure(quota, &state, cost, now, allowed);
        Some(verdict.blocked_for(Duration::from_micros(left)))
    }

    /// Blocks a key that is over its limit, if that is its penalty.
    #[inline]
    fn punished(&self, charge: &Charge<'_>, verdict: Verdict, now: Now) -> Verdict {
        if verdict.standing() != Standing::OverLimit || charge.is_shadow() {
            return verdict;
        }
        match charge.block_for() {
            Some(time) if !time.is_zero() => match self.set_block(charge, time, now) {
                Some(until) => verdict.blocked_for(Duration::from_micros(until - now.mono_us())),
                None => verdict,
            },
            _ => verdict,
        }
    }

    /// Blocks a key by hand.
    fn blocked(&self, charge: &Charge<'_>, tag: u64, now: Now) -> Verdict {
        let time = charge.block_for().unwrap_or_default();
        let verdict = measure(
            charge.quota(),
            &self.state(charge.quota(), tag),
            charge.cost(),
            now,
            false,
        );
        match self.set_block(charge, time, now) {
            Some(until) => verdict.blocked_for(Duration::from_micros(until - now.mono_us())),
            None => verdict,
        }
    }

    /// Sets a block, unless a longer one stands; until when the key is blocked now. `None` if there
    /// is no room for it.
    #[cold]
    fn set_block(&self, charge: &Charge<'_>, time: Duration, now: Now) -> Option<u64> {
        let until = State::Gcra {
            tat: now.plus(time).mono_us().max(now.mono_us()),
        };
        let longer = |state: &State| (moment(*state) < moment(until)).then_some(until);
        let room = self.room();
        let tag = self.tags.block(charge);
        match step(
            &self.narrow,
            tag,
            charge.quota(),
            now.mono_us(),
            room,
            longer,
        ) {
            Step::Made(state) | Step::Unchanged(state) => Some(moment(state)),
            Step::Full(_) => None,
        }
    }

    #[inline]
    fn state(&self, quota: &Quota, tag: u64) -> State {
        let state = match quota.algorithm() {
            Algorithm::Gcra => self.narrow.read(tag).map(|seen| seen.state::<Narrow>()),
            _ => self.wide().read(tag).map(|seen| seen.state::<Wide>()),
        };
        state.unwrap_or(State::new(quota.algorithm()))
    }

    /// Changes the state of a key, as one step.
    #[inline]
    fn step(
        &self,
        charge: &Charge<'_>,
        tag: u64,
        now: Now,
        change: impl Fn(&State) -> Option<State>,
    ) -> Step {
        let done = self.step_in(charge.quota(), tag, now, self.room(), &change);
        match done {
            Step::Full(_) if self.when_full == WhenFull::ShareOverflow => {
                let tag = self.tags.overflow(charge);
                self.step_in(charge.quota(), tag, now, Room::Make, &change)
            }
            done => done,
        }
    }

    #[inline]
    fn step_in(
        &self,
        quota: &Quota,
        tag: u64,
        now: Now,
        room: Room,
        change: impl Fn(&State) -> Option<State>,
    ) -> Step {
        match quota.algorithm() {
            Algorithm::Gcra => step(&self.narrow, tag, quota, now.mono_us(), room, change),
            _ => step(self.wide(), tag, quota, now.unix_us(), room, change),
        }
    }

    /// Changes the state of a key, or of the overflow counter that was charged in its place. If the
    /// key had a slot and lost it, then its grant has come back, and the refund is nothing.
    fn refund(&self, charge: &Charge<'_>, tag: u64, change: impl Fn(&State) -> State) -> Step {
        match self.known(charge, tag, &change) {
            Step::Unchanged(_) if self.when_full == WhenFull::ShareOverflow => {
                self.known(charge, self.tags.overflow(charge), &change)
            }
            done => done,
        }
    }

    /// Changes the state of a key that has one.
    fn known(&self, charge: &Charge<'_>, tag: u64, change: impl Fn(&State) -> State) -> Step {
        match charge.quota().algorithm() {
            Algorithm::Gcra => known(&self.narrow, tag, charge.quota(), change),
            _ => known(self.wide(), tag, charge.quota(), change),
        }
    }

    #[inline]
    fn wide(&self) -> &Table<Wide> {
        self.wide.get_or_init(|| Table::for_keys(self.capacity))
    }

    #[inline]
    fn room(&self) -> Room {
        match self.when_full {
            WhenFull::EvictNearestFull => Room::Make,
            WhenFull::Deny | WhenFull::ShareOverflow => Room::Leave,
        }
    }
}

/// Reads, changes, and writes if nothing happened in between; again if something did.
#[inline]
fn step<L: Layout>(
    table: &Table<L>,
    tag: u64,
    quota: &Quota,
    now: u64,
    room: Room,
    change: impl Fn(&State) -> Option<State>,
) -> Step {
    loop {
        let seen = table.read(tag);
        let before = state_of::<L>(seen.as_ref(), quota);
        let Some(after) = change(&before) else {
            return Step::Unchanged(before);
        };
        let next = L::pack(after, life(quota));
        match seen {
            Some(seen) if table.replace(&seen, next) => return Step::Made(after),
            Some(_) => {}
            None => match table.insert(tag, next, now, room) {
                Insert::Done => return Step::Made(after),
                Insert::Exists => {}
                Insert::Full(until) => return Step::Full(until),
            },
        }
    }
}

/// The same for a key that has a state; one that has none keeps none.
fn known<L: Layout>(
    table: &Table<L>,
    tag: u64,
    quota: &Quota,
    change: impl Fn(&State) -> State,
) -> Step {
    loop {
        let seen = table.read(tag);
        let before = state_of::<L>(seen.as_ref(), quota);
        let Some(seen) = seen else {
            return Step::Unchanged(before);
        };
        let after = change(&before);
        if table.replace(&seen, L::pack(after, life(quota))) {
            return Step::Made(after);
        }
    }
}

#[inline]
fn state_of<L: Layout>(seen: Option<&Seen>, quota: &Quota) -> State {
    seen.map_or(State::new(quota.algorithm()), Seen::state::<L>)
}

/// How long a window matters after its start.
#[inline]
fn life(quota: &Quota) -> u64 {
    match quota.algorithm() {
        Algorithm::SlidingWindow => 2 * quota.period_us(),
        _ => quota.period_us(),
    }
}

#[cold]
fn full(charge: &Charge<'_>, until: u64, now: Now) -> Verdict {
    let quota = charge.quota();
    let now_us = match quota.algorithm() {
        Algorithm::Gcra => now.mono_us(),
        _ => now.unix_us(),
    };
    let state = State::new(quota.algorithm());
    let fits = charge.cost() <= quota.burst();
    measure(quota, &state, charge.cost(), now, fits)
        .full_for(Duration::from_micros(until.saturating_sub(now_us)))
}

#[inline]
fn moment(state: State) -> u64 {
    match state {
        State::Gcra { tat } => tat,
        State::Windows(_) => 0,
    }
}
