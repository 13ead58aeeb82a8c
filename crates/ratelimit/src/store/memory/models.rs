//! The slot protocol under loom (every interleaving and every allowed reordering of two or three
//! threads, up to three preemptions) and under shuttle (random interleavings, more of them).
//!
//! ```text
//! RUSTFLAGS="--cfg loom" cargo test -p seawall-ratelimit --lib --release models
//! RUSTFLAGS="--cfg shuttle" cargo test -p seawall-ratelimit --lib --release models
//! ```

use std::num::NonZeroU32;
use std::sync::Arc as StdArc;
use std::time::Duration;

use crate::clock::{ManualClock, Now};
use crate::machine::Windows;
use crate::quota::{Algorithm, Quota};
use crate::scope::Scope;
use crate::store::memory::WhenFull;
use crate::store::memory::engine::{Engine, Plain};
use crate::store::memory::slot::{Content, Layout, Narrow, Wide};
use crate::store::memory::table::{Insert, Room, Table};
use crate::store::{Charge, Op};
use crate::verdict::Verdict;

#[cfg(loom)]
mod checker {
    pub(super) use loom::sync::Arc;
    pub(super) use loom::thread::spawn;

    pub(super) fn check(model: impl Fn() + Send + Sync + 'static) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(5);
        builder.check(model);
    }

    /// For longer threads: every interleaving with up to two preemptions.
    pub(super) fn check_long(model: impl Fn() + Send + Sync + 'static) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(model);
    }
}

#[cfg(all(shuttle, not(loom)))]
mod checker {
    use std::sync::Arc as StdArc;

    pub(super) use shuttle::sync::Arc;
    pub(super) use shuttle::thread::spawn;

    pub(super) fn check(model: impl Fn() + Send + Sync + 'static) {
        let model = Arc::new(model);
        let again = Arc::clone(&model);
        shuttle::check_random(move || model(), 2_000);
        shuttle::check_pct(move || again(), 2_000, 3);
    }

    pub(super) use check as check_long;
}

use checker::{Arc, check, check_long, spawn};

const KEY: u64 = 11;
const OTHER: u64 = 22;
const GUARD: u64 = 33;

/// Two slots: one in the main part, one in the spill part.
fn table<L: Layout>() -> Table<L> {
    Table::with_buckets(1, 1, 1)
}

fn tat(tat: u64) -> Content {
    Narrow::pack(tat, &Quota::per_second(1))
}

fn windows(start: u64, current: u32, earlier: u32) -> Content {
    Wide::pack(
        Windows {
            start,
            current,
            earlier,
        },
        &WINDOW,
    )
}

const WINDOW: Quota = Quota::per_second(2).with_algorithm(Algorithm::SlidingWindow);

/// Charges one unit of 10 to a bucket that holds `capacity` of them.
fn charge(table: &Table<Narrow>, key: u64, now: u64, capacity: u64, room: Room) -> bool {
    loop {
        let seen = table.read(key);
        let before = seen.map_or(0, |seen| seen.state::<Narrow>()).max(now);
        if before + 10 > now + 10 * capacity {
            return false;
        }
        match seen {
            Some(seen) if table.replace(&seen, tat(before + 10)) => return true,
            Some(_) => {}
            None => match table.insert(key, tat(before + 10), now, room) {
                Insert::Done => return true,
                Insert::Exists => {}
                Insert::Full(_) => return false,
            },
        }
    }
}

#[test]
fn two_charges_to_a_known_key_admit_the_capacity() {
    check(|| {
        let table = Arc::new(table::<Narrow>());
        table.insert(KEY, tat(110), 100, Room::Leave);
        let theirs = Arc::clone(&table);
        let other = spawn(move || charge(&theirs, KEY, 100, 2, Room::Leave));
        let mine = charge(&table, KEY, 100, 2, Room::Leave);
        assert!(mine ^ other.join().unwrap(), "one unit was left");
    });
}

#[test]
fn two_first_charges_to_a_key_make_one_slot() {
    check(|| {
        let table = Arc::new(table::<Narrow>());
        let theirs = Arc::clone(&table);
        let other = spawn(move || charge(&theirs, KEY, 100, 1, Room::Leave));
        let mine = charge(&table, KEY, 100, 1, Room::Leave);
        assert!(mine ^ other.join().unwrap(), "the capacity is one");
        assert_eq!(table.slots_of(KEY), 1);
    });
}

#[test]
fn an_expired_slot_goes_to_one_of_two_keys() {
    check(|| {
        let table = Arc::new(table::<Narrow>());
        table.insert(KEY, tat(50), 0, Room::Leave);
        table.insert(GUARD, tat(1_000), 0, Room::Leave);
        let theirs = Arc::clone(&table);
        // At 100 the key's old state has expired: it charges its own slot, the other key takes it.
        let other = spawn(move || charge(&theirs, OTHER, 100, 5, Room::Leave));
        let mine = charge(&table, KEY, 100, 5, Room::Leave);
        let other = other.join().unwrap();
        assert!(mine || other);
        for (key, admitted) in [(KEY, mine), (OTHER, other)] {
            if let Some(seen) = table.read(key) {
                let expected = if admitted { 110 } else { 50 };
                assert_eq!(seen.state::<Narrow>(), expected, "no mixture");
            }
        }
        assert!(!(mine && other) || table.slots_of(KEY) + table.slots_of(OTHER) == 1);
    });
}

#[test]
fn a_read_never_sees_the_state_of_another_key() {
    check(|| {
        let table = Arc::new(table::<Narrow>());
        table.insert(KEY, tat(50), 0, Room::Leave);
        table.insert(GUARD, tat(1_000), 0, Room::Leave);
        let theirs = Arc::clone(&table);
        let other = spawn(move || theirs.insert(OTHER, tat(777), 100, Room::Leave));
        if let Some(seen) = table.read(KEY) {
            assert_eq!(seen.state::<Narrow>(), 50);
        }
        assert_eq!(other.join().unwrap(), Insert::Done);
        assert!(table.read(KEY).is_none());
    });
}

#[test]
fn an_update_never_lands_on_a_key_that_took_the_slot_over_alive() {
    check(|| {
        let table = Arc::new(table::<Narrow>());
        table.insert(KEY, tat(110), 100, Room::Leave);
        table.insert(GUARD, tat(1_000), 0, Room::Leave);
        let theirs = Arc::clone(&table);
        // The new key has the very same moment as the evicted one: only the generation differs.
        let other = spawn(move || theirs.insert(OTHER, tat(110), 100, Room::Make));
        charge(&table, KEY, 100, 5, Room::Leave);
        assert_eq!(other.join().unwrap(), Insert::Done);
        let other = table
            .read(OTHER)
            .expect("nobody takes it from the other key");
        assert_eq!(other.state::<Narrow>(), 110);
    });
}

#[test]
fn a_key_that_is_evicted_and_comes_back_has_one_slot() {
    check_long(|| {
        let table = Arc::new(table::<Narrow>());
        table.insert(KEY, tat(110), 100, Room::Leave);
        table.insert(GUARD, tat(1_000), 0, Room::Leave);
        let theirs = Arc::clone(&table);
        let other = spawn(move || {
            theirs.insert(OTHER, tat(105), 100, Room::Make);
            charge(&theirs, KEY, 100, 5, Room::Make)
        });
        let mine = charge(&table, KEY, 100, 5, Room::Make);
        assert!(mine && other.join().unwrap());
        assert!(table.slots_of(KEY) <= 1);
    });
}

#[test]
fn a_refund_and_a_charge_both_count() {
    check(|| {
        let table = Arc::new(table::<Narrow>());
        table.insert(KEY, tat(120), 100, Room::Leave);
        let theirs = Arc::clone(&table);
        let other = spawn(move || {
            loop {
                let seen = theirs.read(KEY).expect("nobody takes the slot");
                let before = seen.state::<Narrow>();
                if theirs.replace(&seen, tat(before - 10)) {
                    return;
                }
            }
        });
        assert!(charge(&table, KEY, 100, 5, Room::Leave));
        other.join().unwrap();
        let state = table.read(KEY).unwrap().state::<Narrow>();
        assert_eq!(state, 120);
    });
}

#[test]
fn three_charges_admit_the_capacity() {
    check_long(|| {
        let table = Arc::new(table::<Narrow>());
        table.insert(KEY, tat(110), 100, Room::Leave);
        let others: Vec<_> = (0..2)
            .map(|_| {
                let theirs = Arc::clone(&table);
                spawn(move || charge(&theirs, KEY, 100, 3, Room::Leave))
            })
            .collect();
        let mine = usize::from(charge(&table, KEY, 100, 3, Room::Leave));
        let theirs = others.into_iter().map(|other| other.join().unwrap());
        assert_eq!(mine + theirs.filter(|admitted| *admitted).count(), 2);
    });
}

/// Charges one unit to a window of two, as of the window that began at `start`.
fn charge_window(table: &Table<Wide>, start: u64) -> bool {
    loop {
        let seen = table.read(KEY).expect("nobody takes the slot");
        let old = seen.state::<Wide>();
        let new = if old.start >= start {
            Windows {
                current: old.current + 1,
                ..old
            }
        } else {
            Windows {
                start,
                current: 1,
                earlier: old.current,
            }
        };
        if new.current > 2 {
            return false;
        }
        if table.replace(&seen, Wide::pack(new, &WINDOW)) {
            return true;
        }
    }
}

#[test]
fn a_window_rolls_once_and_loses_no_charge() {
    check(|| {
        let table = Arc::new(table::<Wide>());
        table.insert(KEY, windows(16_384, 2, 0), 0, Room::Leave);
        let theirs = Arc::clone(&table);
        let other = spawn(move || charge_window(&theirs, 32_768));
        assert!(charge_window(&table, 32_768));
        assert!(other.join().unwrap());
        let expected = Windows {
            start: 32_768,
            current: 2,
            earlier: 2,
        };
        assert_eq!(table.read(KEY).unwrap().state::<Wide>(), expected);
    });
}

#[test]
fn a_late_charge_and_a_roll_keep_both_counts() {
    check(|| {
        let table = Arc::new(table::<Wide>());
        table.insert(KEY, windows(16_384, 1, 0), 0, Room::Leave);
        let theirs = Arc::clone(&table);
        let late = spawn(move || charge_window(&theirs, 16_384));
        assert!(charge_window(&table, 32_768));
        assert!(late.join().unwrap());
        let windows = table.read(KEY).unwrap().state::<Wide>();
        assert_eq!(
            (windows.start, windows.current + windows.earlier),
            (32_768, 3)
        );
    });
}

#[test]
fn a_read_of_a_rolling_window_is_never_torn() {
    check(|| {
        let table = Arc::new(table::<Wide>());
        table.insert(KEY, windows(16_384, 2, 1), 0, Room::Leave);
        let theirs = Arc::clone(&table);
        let other = spawn(move || charge_window(&theirs, 32_768));
        let seen = table.read(KEY).unwrap().state::<Wide>();
        let before = Windows {
            start: 16_384,
            current: 2,
            earlier: 1,
        };
        let after = Windows {
            start: 32_768,
            current: 1,
            earlier: 2,
        };
        assert!(seen == before || seen == after, "{seen:?}");
        other.join().unwrap();
    });
}

#[test]
fn two_decisions_over_two_keys_charge_all_or_none() {
    check_long(|| {
        let clock = StdArc::new(ManualClock::new());
        clock.set(Now::at(Duration::from_secs(1)));
        let engine = Arc::new(Engine::small(WhenFull::Deny, clock));
        let decide = |engine: &Engine, op, keys: [&str; 2]| {
            let charges = keys
                .map(|key| Charge::new(b"", key.as_bytes(), Quota::per_second(1), NonZeroU32::MIN));
            let mut verdicts = [Verdict::UNKNOWN; 2];
            engine.decide(op, &charges, &mut verdicts);
            verdicts
        };
        let all = |verdicts: [Verdict; 2]| verdicts.iter().all(Verdict::is_allowed);
        let theirs = Arc::clone(&engine);
        let other = spawn(move || all(decide(&theirs, Op::Consume, ["b", "a"])));
        let mine = all(decide(&engine, Op::Consume, ["a", "b"]));
        let other = other.join().unwrap();
        assert!(!(mine && other), "each key admits one");
        let left = decide(&engine, Op::Peek, ["a", "b"]).map(|verdict| verdict.remaining());
        let expected = if mine || other { [0, 0] } else { [1, 1] };
        assert_eq!(left, expected, "all or none");
    });
}

#[test]
fn two_short_decisions_over_two_known_keys_charge_all_or_none() {
    check_long(|| {
        let clock = StdArc::new(ManualClock::new());
        clock.set(Now::at(Duration::from_secs(1)));
        let engine = Arc::new(Engine::roomy(clock));
        // Two a second, of which one is used: the keys are known, and have room for one more.
        let scopes = ["p", "q"].map(|name| Scope::new("", name));
        let long = |engine: &Engine, op| {
            let charges = [0, 1].map(|n| Charge::within(&scopes[n], b"k", TWO, NonZeroU32::MIN));
            let mut verdicts = [Verdict::UNKNOWN; 2];
            engine.decide(op, &charges, &mut verdicts);
            verdicts
        };
        long(&engine, Op::Consume);
        let theirs = (Arc::clone(&engine), scopes.clone());
        let short = |engine: &Engine, scopes: [&Scope; 2]| {
            engine.admit_all(scopes.into_iter().map(|scope| {
                Some(Plain {
                    scope,
                    subject: b"k",
                    quota: &TWO,
                    cost: NonZeroU32::MIN,
                })
            }))
        };
        let other = spawn(move || {
            let (engine, [p, q]) = &theirs;
            short(engine, [q, p])
        });
        let mine = short(&engine, [&scopes[0], &scopes[1]]);
        let other = other.join().unwrap();
        let admitted = [mine, other].map(|answer| answer == Some(Ok(())));
        assert_ne!(admitted, [true, true], "one more was left");
        let left = long(&engine, Op::Peek).map(|verdict| verdict.remaining());
        let expected = if admitted.contains(&true) {
            [0, 0]
        } else {
            [1, 1]
        };
        assert_eq!(left, expected, "all or none");
        if left == [1, 1] {
            // Both lost a race. Alone, the short way gets to its end.
            assert_eq!(short(&engine, [&scopes[0], &scopes[1]]), Some(Ok(())));
        }
    });
}

fn short<'a>(scope: &'a Scope, subject: &'a [u8], quota: &'a Quota) -> Plain<'a> {
    Plain {
        scope,
        subject,
        quota,
        cost: NonZeroU32::MIN,
    }
}

fn left(engine: &Engine, scope: &Scope, subject: &[u8], quota: Quota) -> u32 {
    let charge = [Charge::within(scope, subject, quota, NonZeroU32::MIN)];
    let mut verdict = [Verdict::UNKNOWN];
    engine.decide(Op::Peek, &charge, &mut verdict);
    verdict[0].remaining()
}

#[test]
fn two_short_charges_to_a_known_key_both_count_as_far_as_there_is_room() {
    for (quota, room) in [(TWO, 1), (THREE, 2)] {
        check(move || {
            let clock = StdArc::new(ManualClock::new());
            clock.set(Now::at(Duration::from_secs(1)));
            let engine = Arc::new(Engine::roomy(clock));
            let scope = Scope::new("", "p");
            assert!(engine.admit_plain(&short(&scope, b"k", &quota)).is_ok());
            let theirs = (Arc::clone(&engine), scope.clone());
            let other = spawn(move || {
                theirs
                    .0
                    .admit_plain(&short(&theirs.1, b"k", &quota))
                    .is_ok()
            });
            let mine = engine.admit_plain(&short(&scope, b"k", &quota)).is_ok();
            let other = other.join().unwrap();
            assert_eq!(u32::from(mine) + u32::from(other), room);
            assert_eq!(left(&engine, &scope, b"k", quota), 0);
        });
    }
}

#[test]
fn a_short_charge_that_lost_a_race_never_lands_on_a_key_that_took_the_slot_over() {
    check_long(|| {
        let clock = StdArc::new(ManualClock::new());
        clock.set(Now::at(Duration::from_secs(1)));
        let engine = Arc::new(Engine::small(WhenFull::EvictNearestFull, clock));
        let scope = Scope::new("", "p");
        let admit = |engine: &Engine, scope: &Scope, key: &[u8]| {
            assert!(engine.admit_plain(&short(scope, key, &THREE)).is_ok());
        };
        // The two slots are taken; whoever is new takes one of them over.
        admit(&engine, &scope, b"a");
        admit(&engine, &scope, b"g");
        let theirs = (Arc::clone(&engine), scope.clone());
        let other = spawn(move || admit(&theirs.0, &theirs.1, b"a"));
        admit(&engine, &scope, b"b");
        other.join().unwrap();
        let left = left(&engine, &scope, b"b", THREE);
        assert!(left >= 2, "another's charge landed on it: {left} left of 3");
    });
}

const TWO: Quota = Quota::per_second(2);
const THREE: Quota = Quota::per_second(3);
