//! Carries decisions out over the tables: all charges or none, without a lock over them.

mod plain;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use smallvec::SmallVec;

use crate::clock::{Clock, Now};
use crate::quota::Algorithm;
use crate::store::memory::WhenFull;
use crate::store::memory::hash::Tags;
use crate::store::memory::slot::{Layout, Narrow, Wide};
use crate::store::memory::table::{Insert, Room, Seen, Table};
use crate::store::{Charge, Grant, Op};
use crate::verdict::{Standing, Verdict, micros};

pub(crate) use plain::Plain;

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

/// What became of a change to one key.
#[derive(Clone, Copy)]
enum Step<T> {
    /// It was made, and this is the state now.
    Made(T),
    /// It changes nothing about this state: it does not fit, or there is nothing to change.
    Unchanged(T),
    /// The key is new, and there is no room for it until then.
    Full(u64),
}

/// Which charges of a decision were made, to be given back.
type Made = SmallVec<[usize; 4]>;

/// Calls a generic method with the table that keeps this charge's kind of counter.
macro_rules! in_table {
    ($engine:ident.$method:ident($charge:expr $(, $argument:expr)*)) => {
        match $charge.quota().algorithm() {
            Algorithm::Gcra => $engine.$method(&$engine.narrow, $charge $(, $argument)*),
            _ => $engine.$method($engine.wide(), $charge $(, $argument)*),
        }
    };
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

    /// An engine in whose main part a few keys find room, the same in each run of a model.
    #[cfg(all(test, any(loom, shuttle)))]
    pub(super) fn roomy(clock: Arc<dyn Clock>) -> Self {
        Self {
            narrow: Table::with_buckets(8, 1, 1),
            tags: Tags::fixed(),
            ..Self::new(1, WhenFull::Deny, clock)
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
            // First of all: processors finish all earlier loads before they read their clock.
            let now = self.clock.now();
            let tag = self.prepare(charge);
            *verdict = self.consume_one(charge, tag, now);
            return now;
        }
        let tags: SmallVec<[u64; 4]> = charges.iter().map(|charge| self.prepare(charge)).collect();
        let now = self.clock.now();
        if op == Op::Consume {
            self.consume(charges, &tags, now, out);
        } else {
            for ((charge, tag), verdict) in charges.iter().zip(&tags).zip(out) {
                *verdict = in_table!(self.perform(charge, *tag, op, now));
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
        if let Some(left) = self.blocked(charge, now) {
            return in_table!(self.look(charge, tag, now)).blocked_for(left);
        }
        self.punished(charge, in_table!(self.charge_now(charge, tag, now)), now)
    }

    /// Looks at all first, since most denials are seen by looking; then charges one after the other,
    /// and gives back if the last ones lose a race.
    fn consume(&self, charges: &[Charge<'_>], tags: &[u64], now: Now, out: &mut [Verdict]) {
        loop {
            let mut seen: SmallVec<[Option<Seen>; 4]> = SmallVec::new();
            let all_fit = charges.iter().zip(tags).all(|(charge, tag)| {
                let (slot, fits) = in_table!(self.fits(charge, *tag, now));
                seen.push(slot);
                fits || charge.is_shadow()
            });
            if all_fit {
                if self.charge_all(charges, tags, &seen, now, out) {
                    return;
                }
            } else {
                for ((charge, tag), verdict) in charges.iter().zip(tags).zip(&mut *out) {
                    *verdict = self.seen(charge, *tag, now);
                }
            }
            // Unless somebody has made room between the two looks, so that nothing denies any more.
            let denies = |(charge, verdict): (&Charge<'_>, &Verdict)| {
                !charge.is_shadow() && verdict.is_denied()
            };
            if charges.iter().zip(&*out).any(denies) {
                for ((charge, tag), verdict) in charges.iter().zip(tags).zip(out) {
                    if verdict.standing() == Standing::OverLimit {
                        in_table!(self.clamp(charge, *tag, now));
                    }
                    *verdict = self.punished(charge, *verdict, now);
                }
                return;
            }
        }
    }

    /// Charges what fits; `false`, with everything given back, if one that must fit no longer does.
    fn charge_all(
        &self,
        charges: &[Charge<'_>],
        tags: &[u64],
        seen: &[Option<Seen>],
        now: Now,
        out: &mut [Verdict],
    ) -> bool {
        for (index, ((charge, tag), slot)) in charges.iter().zip(tags).zip(seen).enumerate() {
            out[index] = match self.blocked(charge, now) {
                Some(left) => in_table!(self.look(charge, *tag, now)).blocked_for(left),
                None => in_table!(self.charge(charge, *tag, *slot, now)),
            };
            if out[index].is_denied() && !charge.is_shadow() {
                for index in (0..index)
                    .rev()
                    .filter(|&i| out[i].is_allowed())
                    .collect::<Made>()
                {
                    let charge = &charges[index];
                    let source = out[index].source();
                    let grant = Grant {
                        at: now,
                        reset: out[index].reset(),
                        source,
                    };
                    out[index] = in_table!(self.give_back(charge, tags[index], grant));
                }
                for (charge, (tag, out)) in charges.iter().zip(tags.iter().zip(out)).skip(index + 1)
                {
                    *out = self.seen(charge, *tag, now);
                }
                return false;
            }
        }
        true
    }

    /// The slot of a charge, and whether the charge fits and is not blocked.
    #[inline]
    fn fits<L: Layout>(
        &self,
        table: &Table<L>,
        charge: &Charge<'_>,
        tag: u64,
        now: Now,
    ) -> (Option<Seen>, bool) {
        let seen = table.read(tag);
        let state = seen.map_or(L::FRESH, |seen| seen.state::<L>());
        let fits = L::consume(charge.quota(), state, charge.cost(), L::clock(now)).is_some();
        (seen, fits && self.blocked(charge, now).is_none())
    }

    /// What [`Op::Consume`] would say, blocks included, from reads alone.
    #[inline]
    fn seen(&self, charge: &Charge<'_>, tag: u64, now: Now) -> Verdict {
        let verdict = in_table!(self.look(charge, tag, now));
        match self.blocked(charge, now) {
            Some(left) => verdict.blocked_for(left),
            None => verdict,
        }
    }

    /// Whether a charge fits its counter, from reads alone.
    #[inline]
    fn look<L: Layout>(
        &self,
        table: &Table<L>,
        charge: &Charge<'_>,
        tag: u64,
        now: Now,
    ) -> Verdict {
        let (quota, cost, now) = (charge.quota(), charge.cost(), L::clock(now));
        let state = table.read(tag).map_or(L::FRESH, |seen| seen.state::<L>());
        let allowed = L::consume(quota, state, cost, now).is_some();
        L::measure(quota, state, cost, now, allowed)
    }

    #[inline]
    fn charge_now<L: Layout>(
        &self,
        table: &Table<L>,
        charge: &Charge<'_>,
        tag: u64,
        now: Now,
    ) -> Verdict {
        self.charge(table, charge, tag, table.read(tag), now)
    }

    /// Charges one key, whatever becomes of the others. `seen` is what a look found.
    #[inline]
    fn charge<L: Layout>(
        &self,
        table: &Table<L>,
        charge: &Charge<'_>,
        tag: u64,
        seen: Option<Seen>,
        moment: Now,
    ) -> Verdict {
        let (quota, cost, now) = (charge.quota(), charge.cost(), L::clock(moment));
        let change = |state| L::consume(quota, state, cost, now);
        match self.step(table, charge, tag, seen, now, change) {
            Step::Made(after) => L::measure(quota, after, cost, now, true),
            Step::Unchanged(state) => {
                if L::clamped(quota, state, cost, now).is_some() {
                    self.clamp(table, charge, tag, moment);
                }
                L::measure(quota, state, cost, now, false)
            }
            Step::Full(until) => full::<L>(charge, until, now),
        }
    }

    /// Brings a state back that is further ahead than the quota of a charge which it denies can owe.
    #[cold]
    fn clamp<L: Layout>(&self, table: &Table<L>, charge: &Charge<'_>, tag: u64, now: Now) {
        let (quota, cost, now) = (charge.quota(), charge.cost(), L::clock(now));
        while let Some(seen) = table.read(tag) {
            let Some(back) = L::clamped(quota, seen.state::<L>(), cost, now) else {
                return;
            };
            if table.replace(&seen, L::pack(back, quota)) {
                return;
            }
        }
    }

    /// Undoes a charge of this very decision.
    #[cold]
    fn give_back<L: Layout>(
        &self,
        table: &Table<L>,
        charge: &Charge<'_>,
        tag: u64,
        grant: Grant,
    ) -> Verdict {
        let (quota, cost) = (charge.quota(), charge.cost());
        // The clock is read again each time: some of it may have come back already, and a refund of
        // that would be a gift.
        let now = || L::clock(self.clock.now());
        let change = |state| L::refund(quota, state, cost, Some(grant), now());
        let (Step::Made(state) | Step::Unchanged(state)) = self.refund(table, charge, tag, change)
        else {
            unreachable!("a refund asks for no room");
        };
        L::measure(quota, state, cost, L::clock(grant.at), true)
    }

    /// Everything but [`Op::Consume`]: each charge is on its own.
    fn perform<L: Layout>(
        &self,
        table: &Table<L>,
        charge: &Charge<'_>,
        tag: u64,
        op: Op,
        moment: Now,
    ) -> Verdict {
        let (quota, cost, now) = (charge.quota(), charge.cost(), L::clock(moment));
        let step = match op {
            Op::Peek | Op::Consume => return self.seen(charge, tag, moment),
            Op::BlockFor => {
                let verdict = self.look(table, charge, tag, moment);
                let left = self.set_block(charge, charge.block_for().unwrap_or_default(), moment);
                return left.map_or(verdict, |left| verdict.blocked_for(left));
            }
            Op::ConsumeUpTo => {
                let change = |state| Some(L::consume_up_to(quota, state, cost, now));
                self.step(table, charge, tag, table.read(tag), now, change)
            }
            Op::Refund => {
                let grant = charge.grant();
                let change = |state| L::refund(quota, state, cost, grant, now);
                self.refund(table, charge, tag, change)
            }
            Op::Reset => {
                known(&self.narrow, self.tags.block(charge), charge, |_| {
                    Narrow::FRESH
                });
                known(table, tag, charge, |_| L::FRESH)
            }
        };
        match step {
            Step::Made(state) | Step::Unchanged(state) => L::measure(quota, state, cost, now, true),
            Step::Full(until) => full::<L>(charge, until, now),
        }
    }

    /// How long the key stays blocked, if the charge looks at blocks and there is one.
    #[inline]
    fn blocked(&self, charge: &Charge<'_>, now: Now) -> Option<Duration> {
        charge.block_for()?;
        let until = self.narrow.read(self.tags.block(charge))?.state::<Narrow>();
        let left = until.checked_sub(now.mono_us()).filter(|left| *left > 0)?;
        Some(Duration::from_micros(left))
    }

    /// Blocks a key that is over its limit, if that is its penalty.
    #[inline]
    fn punished(&self, charge: &Charge<'_>, verdict: Verdict, now: Now) -> Verdict {
        if verdict.standing() != Standing::OverLimit || charge.is_shadow() {
            return verdict;
        }
        let penalty = charge.block_for().filter(|time| !time.is_zero());
        match penalty.and_then(|time| self.set_block(charge, time, now)) {
            Some(left) => verdict.blocked_for(left),
            None => verdict,
        }
    }

    /// Sets a block, unless a longer one stands; for how long the key is blocked now. `None` if there
    /// is no room for it.
    #[cold]
    fn set_block(&self, charge: &Charge<'_>, time: Duration, now: Now) -> Option<Duration> {
        let until = now.mono_us().saturating_add(micros(time));
        let longer = |state| (state < until).then_some(until);
        let (tag, room) = (self.tags.block(charge), self.room());
        match step(
            &self.narrow,
            tag,
            self.narrow.read(tag),
            charge,
            now.mono_us(),
            room,
            longer,
        ) {
            Step::Made(until) | Step::Unchanged(until) => {
                Some(Duration::from_micros(until - now.mono_us()))
            }
            Step::Full(_) => None,
        }
    }

    /// Changes the state of a key, as one step; of the policy's overflow counter if there is no room
    /// for the key and that is what happens then.
    #[inline]
    fn step<L: Layout>(
        &self,
        table: &Table<L>,
        charge: &Charge<'_>,
        tag: u64,
        seen: Option<Seen>,
        now: u64,
        change: impl Fn(L::State) -> Option<L::State>,
    ) -> Step<L::State> {
        match step(table, tag, seen, charge, now, self.room(), &change) {
            Step::Full(_) if self.when_full == WhenFull::ShareOverflow => {
                let tag = self.tags.overflow(charge);
                step(table, tag, table.read(tag), charge, now, Room::Make, change)
            }
            done => done,
        }
    }

    /// Changes the state of a key, or of the overflow counter that was charged in its place. If the
    /// key had a slot and lost it, then its grant has come back, and the refund is nothing.
    fn refund<L: Layout>(
        &self,
        table: &Table<L>,
        charge: &Charge<'_>,
        tag: u64,
        change: impl Fn(L::State) -> L::State,
    ) -> Step<L::State> {
        match known(table, tag, charge, &change) {
            Step::Unchanged(_) if self.when_full == WhenFull::ShareOverflow => {
                known(table, self.tags.overflow(charge), charge, change)
            }
            done => done,
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
    mut seen: Option<Seen>,
    charge: &Charge<'_>,
    now: u64,
    room: Room,
    change: impl Fn(L::State) -> Option<L::State>,
) -> Step<L::State> {
    loop {
        let before = seen.map_or(L::FRESH, |seen| seen.state::<L>());
        let Some(after) = change(before) else {
            return Step::Unchanged(before);
        };
        let next = L::pack(after, charge.quota());
        match seen {
            Some(seen) if table.replace(&seen, next) => return Step::Made(after),
            Some(_) => {}
            None => match table.insert(tag, next, now, room) {
                Insert::Done => return Step::Made(after),
                Insert::Exists => {}
                Insert::Full(until) => return Step::Full(until),
            },
        }
        seen = table.read(tag);
    }
}

/// The same for a key that has a state; one that has none keeps none.
fn known<L: Layout>(
    table: &Table<L>,
    tag: u64,
    charge: &Charge<'_>,
    change: impl Fn(L::State) -> L::State,
) -> Step<L::State> {
    loop {
        let Some(seen) = table.read(tag) else {
            return Step::Unchanged(L::FRESH);
        };
        let after = change(seen.state::<L>());
        if table.replace(&seen, L::pack(after, charge.quota())) {
            return Step::Made(after);
        }
    }
}

/// The verdict for a new key for which there is no room.
#[cold]
fn full<L: Layout>(charge: &Charge<'_>, until: u64, now: u64) -> Verdict {
    let fits = charge.cost() <= charge.quota().burst();
    L::measure(charge.quota(), L::FRESH, charge.cost(), now, fits)
        .full_for(Duration::from_micros(until.saturating_sub(now)))
}
