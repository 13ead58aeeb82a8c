//! Random schedules against slow and obvious models.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use seawall_ratelimit::machine::{State, measure};
use seawall_ratelimit::{
    Algorithm, Charge, Decision, Grant, Limiter, ManualClock, MemoryStore, Now, Op, Quota, Source,
    Store, Verdict,
};

use crate::n;

fn us(us: u64) -> Duration {
    Duration::from_micros(us)
}

fn limiter(quota: Quota) -> (Limiter<MemoryStore>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    let store = MemoryStore::builder()
        .capacity(64)
        .clock(Arc::clone(&clock))
        .build();
    (Limiter::new(store, quota), clock)
}

/// Small numbers, so that limits are met, in periods that seldom divide evenly.
fn quotas() -> impl Strategy<Value = Quota> {
    let algorithms = [
        Algorithm::Gcra,
        Algorithm::SlidingWindow,
        Algorithm::FixedWindow,
    ]
    .as_slice();
    (
        1..12_u32,
        12..1_000_u64,
        1..20_u32,
        prop::sample::select(algorithms),
    )
        .prop_map(|(limit, period, burst, algorithm)| {
            let quota = Quota::new(limit, us(period)).unwrap();
            quota.with_burst(burst).with_algorithm(algorithm)
        })
}

/// Delays between steps, and costs.
fn schedules() -> impl Strategy<Value = Vec<(u64, u32)>> {
    let delay = prop_oneof![Just(0), 0..10_u64, 0..300_u64, 0..5_000_u64];
    prop::collection::vec((delay, prop_oneof![3 => Just(1), 1 => 1..6_u32]), 1..60)
}

/// Admitted (time, cost) of one key.
fn run(quota: Quota, schedule: &[(u64, u32)]) -> Vec<(u64, u32)> {
    let (limiter, clock) = limiter(quota);
    let mut time = 1_700_000_000_000_000;
    let mut admitted = Vec::new();
    for (delay, cost) in schedule {
        time += delay;
        clock.set(Now::at(us(time)));
        let decision = decide(&limiter, *cost);
        if decision.is_allowed() {
            admitted.push((time, *cost));
        }
    }
    admitted
}

fn decide(limiter: &Limiter<MemoryStore>, cost: u32) -> Decision {
    let Ok(decision) = now(limiter.check_n("a", n(cost)));
    decision
}

/// Memory is ready at once.
fn now<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut cx) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("memory does not wait"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// In every interval `[a, b]`: at most `burst + floor((b - a) / T)`.
    #[test]
    fn gcra_keeps_its_bound_in_every_interval(
        limit in 1..12_u32, period in 12..1_000_u64, burst in 1..20_u32, schedule in schedules(),
    ) {
        let quota = Quota::new(limit, us(period)).unwrap().with_burst(burst);
        let interval = period.div_ceil(u64::from(limit));
        let admitted = run(quota, &schedule);
        for (from, (a, _)) in admitted.iter().enumerate() {
            let mut sum = 0;
            for (b, cost) in &admitted[from..] {
                sum += u64::from(*cost);
                prop_assert!(sum <= u64::from(burst) + (b - a) / interval, "[{a}, {b}]: {sum}");
            }
        }
    }

    /// In every window: at most the limit.
    #[test]
    fn a_fixed_window_admits_at_most_its_limit(
        limit in 1..12_u32, period in 12..1_000_u64, schedule in schedules(),
    ) {
        let quota = Quota::new(limit, us(period)).unwrap().with_algorithm(Algorithm::FixedWindow);
        let mut windows: HashMap<u64, u64> = HashMap::new();
        for (time, cost) in run(quota, &schedule) {
            *windows.entry(time / period).or_default() += u64::from(cost);
        }
        prop_assert!(windows.values().all(|sum| *sum <= u64::from(limit)), "{windows:?}");
    }

    /// What a sliding window has in use by its own formula never exceeds the limit, and single units
    /// keep the bound of GCRA with a whole window's burst.
    #[test]
    fn a_sliding_window_keeps_its_formula(
        limit in 1..12_u32, period in 12..1_000_u64, schedule in schedules(),
    ) {
        let quota = Quota::new(limit, us(period)).unwrap().with_algorithm(Algorithm::SlidingWindow);
        let admitted = run(quota, &schedule);
        for (index, (time, _)) in admitted.iter().enumerate() {
            let window = time / period;
            let sum = |number: u64| {
                let of = admitted[..=index].iter().filter(|(t, _)| t / period == number);
                of.map(|(_, cost)| u64::from(*cost)).sum::<u64>()
            };
            let left = period - time % period;
            let used = sum(window) * period + sum(window - 1) * left;
            prop_assert!(used <= u64::from(limit) * period);
        }
    }

    /// Waiting exactly `retry_after` admits; a microsecond less does not.
    #[test]
    fn the_wait_is_exact(quota in quotas(), schedule in schedules(), cost in 1..6_u32) {
        let (limiter, clock) = limiter(quota);
        let mut time = 1_700_000_000_000_000;
        for (delay, cost) in &schedule {
            time += delay;
            clock.set(Now::at(us(time)));
            let _ = decide(&limiter, *cost);
        }
        let Decision::Deny(denied) = decide(&limiter, cost) else { return Ok(()) };
        let Some(wait) = denied.retry_after() else {
            prop_assert!(cost > quota.burst());
            return Ok(());
        };
        clock.set(Now::at(us(time) + wait - us(1)));
        prop_assert!(!decide(&limiter, cost).is_allowed(), "{wait:?} less 1 us");
        clock.set(Now::at(us(time) + wait));
        prop_assert!(decide(&limiter, cost).is_allowed(), "{wait:?}");
    }

    /// `next` is when one unit more is there, to the microsecond, and `reset` when all are.
    #[test]
    fn the_figures_are_exact(quota in quotas(), schedule in schedules()) {
        let (limiter, clock) = limiter(quota);
        let mut time = 1_700_000_000_000_000;
        for (delay, cost) in &schedule {
            time += delay;
            clock.set(Now::at(us(time)));
            let _ = decide(&limiter, *cost);
        }
        let figures = |at: Duration| {
            clock.set(Now::at(at));
            let Ok(decision) = now(limiter.peek("a"));
            let report = decision.reports()[0];
            (report.remaining(), report.next(), report.reset())
        };
        let (remaining, next, reset) = figures(us(time));
        if remaining < quota.burst() {
            prop_assert!(next > Duration::ZERO);
            prop_assert_eq!(figures(us(time) + next - us(1)).0, remaining);
            prop_assert!(figures(us(time) + next).0 > remaining);
        } else {
            prop_assert!(next == Duration::ZERO);
        }
        prop_assert_eq!(figures(us(time) + reset).0, quota.burst());
    }

    /// A denial changes nothing.
    #[test]
    fn a_denial_changes_nothing(quota in quotas(), schedule in schedules(), cost in 1..9_u32) {
        let run = |knock: bool| {
            let (limiter, clock) = limiter(quota);
            let mut time = 1_700_000_000_000_000;
            let mut seen = Vec::new();
            for (delay, mine) in &schedule {
                time += delay;
                clock.set(Now::at(us(time)));
                if knock {
                    let Ok(peeked) = now(limiter.peek("a"));
                    let Ok(decision) = now(limiter.check_n("a", n(quota.burst().max(cost) + 1)));
                    assert!(!decision.is_allowed());
                    let Ok(again) = now(limiter.peek("a"));
                    assert_eq!(peeked, again);
                }
                seen.push(decide(&limiter, *mine).is_allowed());
            }
            seen
        };
        prop_assert_eq!(run(false), run(true));
    }

    /// The store of packed, reused slots does what a map of plain states does, for any operation on
    /// any of several keys; and on one key with a clock that jumps back. (On several, a slot that
    /// had expired may have gone to another key by the time to which the clock jumps back.)
    #[test]
    fn the_store_does_what_a_map_of_states_does(
        quota in quotas(),
        jumps in any::<bool>(),
        steps in prop::collection::vec(
            (0..4_u8, 0..5_u8, -300..600_i64, 1..9_u32, any::<bool>()), 1..80,
        ),
    ) {
        let clock = Arc::new(ManualClock::new());
        let store = MemoryStore::builder().capacity(16).clock(Arc::clone(&clock)).build();
        let mut model: HashMap<u8, State> = HashMap::new();
        let mut grants: HashMap<u8, Grant> = HashMap::new();
        let mut time: i64 = 1_700_000_000_000_000;
        for (key, op, delay, cost, with_grant) in steps {
            let (key, delay) = if jumps { (0, delay) } else { (key, delay.abs()) };
            time += delay;
            let at = Now::at(us(u64::try_from(time).unwrap()));
            clock.set(at);
            let op = [Op::Consume, Op::ConsumeUpTo, Op::Peek, Op::Refund, Op::Reset]
                [usize::from(op)];
            let grant = grants.get(&key).copied().filter(|_| with_grant);
            let subject = [key];
            let charge = Charge::new(b"", &subject, quota, NonZeroU32::new(cost).unwrap());
            let mut verdict = [Verdict::UNKNOWN];
            let Some(Ok(_)) = store.decide_now(op, &[charge.with_grant(grant)], &mut verdict)
            else {
                panic!("memory answers");
            };

            let fresh = State::new(quota.algorithm());
            let before = model.get(&key).copied().unwrap_or(fresh);
            let (after, allowed) = match op {
                Op::Consume => match before.consume(&quota, cost, at) {
                    Some(after) => (after, true),
                    None => (before, false),
                },
                Op::ConsumeUpTo => (before.consume_up_to(&quota, cost, at), true),
                Op::Peek => (before, before.consume(&quota, cost, at).is_some()),
                Op::Refund if model.contains_key(&key) => {
                    (before.refund(&quota, cost, grant, at), true)
                }
                Op::Refund => (before, true),
                _ => (fresh, true),
            };
            let expected = measure(&quota, &after, cost, at, allowed);
            prop_assert_eq!(verdict[0], expected, "{:?} of {} at {:?}", op, cost, at);
            if allowed && op == Op::Consume {
                grants.insert(key, Grant { at, reset: expected.reset(), source: Source::Store });
            }
            let creates = matches!(op, Op::Consume | Op::ConsumeUpTo);
            if op != Op::Peek && allowed && (creates || model.contains_key(&key)) {
                model.insert(key, after);
            }
            if op == Op::Consume
                && !allowed
                && let Some(back) = before.clamped(&quota, cost, at)
            {
                model.insert(key, back);
            }
        }
        prop_assert_eq!(store.live_evictions(), 0);
    }

    /// Whatever is refunded when, no interval admits more than its bound plus what was given back.
    #[test]
    fn refunds_never_create_capacity(
        schedule in prop::collection::vec((0..300_u64, 1..4_u32, any::<bool>()), 1..60),
    ) {
        let quota = Quota::new(10, us(1_000)).unwrap().with_burst(5);
        let (limiter, clock) = limiter(quota);
        let mut time = 1_700_000_000_000_000;
        let mut kept = Vec::new();
        for (delay, cost, refunded) in schedule {
            time += delay;
            clock.set(Now::at(us(time)));
            let decision = decide(&limiter, cost);
            if !decision.is_allowed() {
                continue;
            }
            if refunded {
                // Some time later, when a part may have come back by itself.
                clock.advance(us(delay));
                time += delay;
                let Ok(()) = now(limiter.refund("a", &decision));
            } else {
                kept.push((time, u64::from(cost)));
            }
        }
        for (from, (a, _)) in kept.iter().enumerate() {
            let mut sum = 0;
            for (b, cost) in &kept[from..] {
                sum += cost;
                prop_assert!(sum <= 5 + (b - a) / 100, "[{a}, {b}]: {sum}");
            }
        }
    }

    /// Any text is a quota that reads back, or an error; never a panic.
    #[test]
    fn any_text_parses_or_not(text in ".{0,40}|[0-9]{1,12} ?(/|per) ?[0-9]{0,11} ?[a-z]{1,8}(;burst=[0-9]{0,12})?") {
        if let Ok(quota) = text.parse::<Quota>() {
            prop_assert_eq!(quota.to_string().parse(), Ok(quota));
        }
    }
}
