//! What every store has to keep, each law with keys of its own.

use std::future::{Future, poll_fn};
use std::num::NonZeroU32;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use crate::clock::{ManualClock, Now};
use crate::key::KeyBuf;
use crate::quota::{Algorithm, Quota};
use crate::store::{Charge, Grant, Op, Store};
use crate::verdict::{Standing, Verdict};

/// Tests every law of [`Store`] over `store`.
///
/// `clock` is the one that `store` was built with; `run` keeps the keys of this run apart from those
/// of others, where the store outlives the test.
///
/// # Panics
///
/// If the store breaks a law; the message names it.
pub async fn laws<S: Store>(store: &S, clock: &ManualClock, run: &str) {
    clock.set(at(0));
    for quota in ALGORITHMS {
        let law = |name| Law::new(store, clock, run, &format!("{name} {quota}"), quota);
        law("time").time_is_the_stores().await;
        law("exact wait").waiting_exactly_the_wait_admits().await;
        law("all or none").all_are_charged_or_none().await;
        law("shadow").a_shadow_is_charged_and_stops_nobody().await;
        law("pure denial").a_denial_changes_nothing().await;
        law("peek").a_peek_changes_nothing().await;
        law("above capacity")
            .a_cost_above_the_capacity_never_fits()
            .await;
        law("up to")
            .a_charge_up_to_the_capacity_takes_what_is_there()
            .await;
        law("refund").a_refund_is_bounded().await;
        law("reset").a_reset_forgets().await;
        law("penalty")
            .a_penalty_is_kept_apart_from_the_count()
            .await;
        law("penalty of the guilty")
            .only_who_is_over_the_limit_is_blocked()
            .await;
        law("no look").blocks_are_looked_up_only_on_request().await;
        law("manual block").a_block_by_hand_never_shortens().await;
        law("twice").one_key_twice_adds_up().await;
        law("many").many_charges_are_decided_together().await;
        law("any bytes").keys_hold_any_bytes().await;
        law("shrink").a_limit_that_shrank_is_owed_once().await;
        law("shrink and wait")
            .who_waits_after_a_limit_shrank_passes()
            .await;
        law("clock").a_clock_that_jumps_back_admits_no_more().await;
        law("clock and wait")
            .who_waits_after_the_clock_jumped_back_passes()
            .await;
        law("overlap").overlapping_calls_admit_the_capacity().await;
    }
}

struct Law<'a, S> {
    store: &'a S,
    clock: &'a ManualClock,
    scope: KeyBuf,
    quota: Quota,
    name: String,
}

impl<'a, S: Store> Law<'a, S> {
    fn new(store: &'a S, clock: &'a ManualClock, run: &str, name: &str, quota: Quota) -> Self {
        let scope = KeyBuf::new().push(run).push(name);
        Law {
            store,
            clock,
            scope,
            quota,
            name: name.to_owned(),
        }
    }

    async fn time_is_the_stores(&self) {
        let (now, _) = self.decide(Op::Peek, &[self.charge("a", 1)]).await;
        assert_eq!(
            now,
            self.now(),
            "{}: the store must return its own time",
            self.name
        );
    }

    async fn waiting_exactly_the_wait_admits(&self) {
        for cost in [1, 2, CAPACITY] {
            let key = format!("a{cost}");
            self.spend(&key, CAPACITY).await;
            let wait = self.denied(&key, cost).await.retry_after();
            let wait = wait.unwrap_or_else(|| panic!("{}: a wait", self.name));
            self.clock.advance(wait - Duration::from_micros(1));
            self.denied(&key, cost).await;
            self.clock.advance(Duration::from_micros(1));
            self.allowed(&key, cost).await;
        }
    }

    async fn all_are_charged_or_none(&self) {
        self.spend("spent", CAPACITY).await;
        let charges = [
            self.charge("a", 1),
            self.charge("spent", 1),
            self.charge("b", 1),
        ];
        let (_, verdicts) = self.decide(Op::Consume, &charges).await;
        let allowed: Vec<_> = verdicts.iter().map(Verdict::is_allowed).collect();
        assert_eq!(
            allowed,
            [true, false, true],
            "{}: each has its own verdict",
            self.name
        );
        let left: Vec<_> = verdicts.iter().map(Verdict::remaining).collect();
        assert_eq!(
            left,
            [CAPACITY, 0, CAPACITY],
            "{}: of what was not charged",
            self.name
        );
        self.left("a", CAPACITY).await;
        self.left("b", CAPACITY).await;

        let (_, verdicts) = self
            .decide(Op::Consume, &[self.charge("a", 1), self.charge("b", 2)])
            .await;
        assert!(
            verdicts.iter().all(Verdict::is_allowed),
            "{}: all fit",
            self.name
        );
        self.left("a", CAPACITY - 1).await;
        self.left("b", CAPACITY - 2).await;
    }

    async fn a_shadow_is_charged_and_stops_nobody(&self) {
        self.spend("spent", CAPACITY).await;
        let shadow = |key| self.charge(key, 1).shadow(true);
        let charges = [self.charge("a", 1), shadow("spent"), shadow("b")];
        let (_, verdicts) = self.decide(Op::Consume, &charges).await;
        let allowed: Vec<_> = verdicts.iter().map(Verdict::is_allowed).collect();
        assert_eq!(
            allowed,
            [true, false, true],
            "{}: a shadow tells the truth",
            self.name
        );
        self.left("a", CAPACITY - 1).await;
        self.left("b", CAPACITY - 1).await;

        self.decide(Op::Consume, &[self.charge("spent", 1), shadow("c")])
            .await;
        self.left("c", CAPACITY).await;
    }

    async fn a_denial_changes_nothing(&self) {
        self.spend("a", CAPACITY).await;
        let before = self.denied("a", 1).await;
        for _ in 0..3 {
            assert_eq!(self.denied("a", 1).await, before, "{}", self.name);
        }
    }

    async fn a_peek_changes_nothing(&self) {
        self.spend("a", 1).await;
        let first = self.peek("a", 1).await;
        assert!(
            first.is_allowed(),
            "{}: a peek says what a charge would",
            self.name
        );
        assert_eq!(self.peek("a", 1).await, first, "{}", self.name);
        assert!(
            !self.peek("a", CAPACITY).await.is_allowed(),
            "{}",
            self.name
        );
        self.left("a", CAPACITY - 1).await;
    }

    async fn a_cost_above_the_capacity_never_fits(&self) {
        let verdict = self.denied("a", CAPACITY + 1).await;
        assert_eq!(verdict.retry_after(), None, "{}: no wait helps", self.name);
        assert_eq!(
            self.denied("a", u32::MAX).await.retry_after(),
            None,
            "{}",
            self.name
        );
        self.left("a", CAPACITY).await;
        let none = Quota::per_second(0).with_algorithm(self.quota.algorithm());
        let charge = self.charge("none", 1).with_quota(none);
        let (_, verdicts) = self.decide(Op::Consume, &[charge]).await;
        assert_eq!(
            verdicts[0].standing(),
            Standing::OverLimit,
            "{}: limit 0 blocks",
            self.name
        );
        assert_eq!(
            verdicts[0].retry_after(),
            None,
            "{}: limit 0 blocks for ever",
            self.name
        );
    }

    async fn a_charge_up_to_the_capacity_takes_what_is_there(&self) {
        self.spend("a", 2).await;
        let (_, verdicts) = self.decide(Op::ConsumeUpTo, &[self.charge("a", 1)]).await;
        let verdict = (verdicts[0].is_allowed(), verdicts[0].remaining());
        assert_eq!(verdict, (true, CAPACITY - 3), "{}: it fits", self.name);
        self.decide(Op::ConsumeUpTo, &[self.charge("a", u32::MAX)])
            .await;
        self.left("a", 0).await;
        let wait = self.denied("a", CAPACITY).await.retry_after();
        let longest = 2 * self.quota.period();
        assert!(
            wait.is_some_and(|wait| wait <= longest),
            "{}: no debt is kept",
            self.name
        );
    }

    async fn a_refund_is_bounded(&self) {
        // At once, all comes back, once.
        let grant = self.spend("a", 3).await;
        self.refund("a", 2, Some(grant)).await;
        self.left("a", CAPACITY - 1).await;
        self.refund("a", u32::MAX, Some(grant)).await;
        self.left("a", CAPACITY).await;

        // Without a grant, the bound is what is in use.
        self.spend("b", 2).await;
        self.refund("b", u32::MAX, None).await;
        self.left("b", CAPACITY).await;

        // What has come back by itself is not credited again, though others have used it since.
        let grant = self.spend("c", 2).await;
        self.clock.advance(2 * self.quota.period());
        self.spend("c", CAPACITY).await;
        self.refund("c", 2, Some(grant)).await;
        self.left("c", 0).await;

        // A key that was never seen has nothing to give back.
        self.refund("never", 1, None).await;
        self.left("never", CAPACITY).await;
    }

    async fn a_reset_forgets(&self) {
        let penalty = Some(Duration::from_secs(60));
        self.spend("a", CAPACITY).await;
        let charge = self.charge("a", 1).with_block_for(penalty);
        let (_, verdicts) = self.decide(Op::Consume, &[charge]).await;
        assert_eq!(
            verdicts[0].standing(),
            Standing::Blocked,
            "{}: a penalty",
            self.name
        );
        let (_, verdicts) = self.decide(Op::Reset, &[charge]).await;
        let verdict = (verdicts[0].is_allowed(), verdicts[0].remaining());
        assert_eq!(verdict, (true, CAPACITY), "{}: as new", self.name);
        let (_, verdicts) = self.decide(Op::Consume, &[charge]).await;
        assert!(
            verdicts[0].is_allowed(),
            "{}: the block is forgotten too",
            self.name
        );
    }

    async fn a_penalty_is_kept_apart_from_the_count(&self) {
        let penalty = 10 * self.quota.period();
        let charge = self.charge("a", 1).with_block_for(Some(penalty));
        self.spend("a", CAPACITY).await;
        let (_, verdicts) = self.decide(Op::Consume, &[charge]).await;
        let (standing, wait) = (verdicts[0].standing(), verdicts[0].retry_after());
        assert_eq!(
            (standing, wait),
            (Standing::Blocked, Some(penalty)),
            "{}",
            self.name
        );

        // The capacity has come back, the block stands, and knocking does not prolong it.
        self.clock.advance(5 * self.quota.period());
        let (_, verdicts) = self.decide(Op::Consume, &[charge]).await;
        let (standing, wait) = (verdicts[0].standing(), verdicts[0].retry_after());
        assert_eq!(
            (standing, wait),
            (Standing::Blocked, Some(penalty / 2)),
            "{}",
            self.name
        );

        self.clock.advance(penalty / 2 - Duration::from_micros(1));
        let (_, verdicts) = self.decide(Op::Peek, &[charge]).await;
        assert_eq!(
            verdicts[0].standing(),
            Standing::Blocked,
            "{}: to the last",
            self.name
        );
        self.clock.advance(Duration::from_micros(1));
        let (_, verdicts) = self.decide(Op::Consume, &[charge]).await;
        let verdict = (verdicts[0].is_allowed(), verdicts[0].remaining());
        assert_eq!(
            verdict,
            (true, CAPACITY - 1),
            "{}: and not longer",
            self.name
        );
    }

    async fn only_who_is_over_the_limit_is_blocked(&self) {
        let guarded = |key, cost| self.charge(key, cost).with_block_for(Some(MINUTE));
        self.spend("spent", CAPACITY).await;
        self.decide(Op::Consume, &[guarded("a", 1), guarded("spent", 1)])
            .await;
        let (_, verdicts) = self
            .decide(Op::Peek, &[guarded("a", 1), guarded("spent", 1)])
            .await;
        assert_eq!(verdicts[0].standing(), Standing::Allowed, "{}", self.name);
        assert_eq!(verdicts[1].standing(), Standing::Blocked, "{}", self.name);

        // A peek does not punish, and neither does a shadow.
        self.spend("b", CAPACITY).await;
        self.decide(Op::Peek, &[guarded("b", 1)]).await;
        self.decide(Op::Consume, &[guarded("b", 1).shadow(true)])
            .await;
        let (_, verdicts) = self.decide(Op::Peek, &[guarded("b", 1)]).await;
        assert_eq!(verdicts[0].standing(), Standing::OverLimit, "{}", self.name);
    }

    async fn blocks_are_looked_up_only_on_request(&self) {
        let charge = self.charge("a", 1);
        self.decide(Op::BlockFor, &[charge.with_block_for(Some(MINUTE))])
            .await;
        let (_, verdicts) = self.decide(Op::Peek, &[charge]).await;
        assert!(verdicts[0].is_allowed(), "{}", self.name);
        let looking = charge.with_block_for(Some(Duration::ZERO));
        let (_, verdicts) = self.decide(Op::Peek, &[looking]).await;
        assert_eq!(verdicts[0].standing(), Standing::Blocked, "{}", self.name);
    }

    async fn a_block_by_hand_never_shortens(&self) {
        let block = |time| self.charge("a", 1).with_block_for(Some(time));
        self.decide(Op::BlockFor, &[block(MINUTE)]).await;
        let (_, verdicts) = self.decide(Op::BlockFor, &[block(MINUTE / 2)]).await;
        let (standing, wait) = (verdicts[0].standing(), verdicts[0].retry_after());
        assert_eq!(standing, Standing::Blocked, "{}", self.name);
        assert!(wait >= Some(MINUTE), "{}", self.name);
    }

    async fn one_key_twice_adds_up(&self) {
        let half = CAPACITY / 2;
        let (_, verdicts) = self
            .decide(
                Op::Consume,
                &[self.charge("a", half), self.charge("a", half)],
            )
            .await;
        assert!(verdicts.iter().all(Verdict::is_allowed), "{}", self.name);
        self.left("a", CAPACITY - 2 * half).await;

        let charges = [self.charge("b", half), self.charge("b", CAPACITY)];
        let (_, verdicts) = self.decide(Op::Consume, &charges).await;
        assert!(
            !verdicts[1].is_allowed(),
            "{}: the second finds the first",
            self.name
        );
        self.left("b", CAPACITY).await;
    }

    async fn many_charges_are_decided_together(&self) {
        let keys: Vec<_> = (0..20).map(|i| format!("key-{i}")).collect();
        let mut charges: Vec<_> = keys.iter().map(|key| self.charge(key, 1)).collect();
        let (_, verdicts) = self.decide(Op::Consume, &charges).await;
        assert!(verdicts.iter().all(Verdict::is_allowed), "{}", self.name);
        charges[19] = self.charge(&keys[19], CAPACITY);
        let (_, verdicts) = self.decide(Op::Consume, &charges).await;
        assert!(!verdicts[19].is_allowed(), "{}", self.name);
        self.left(&keys[0], CAPACITY - 1).await;
        let (_, verdicts) = self.decide(Op::Consume, &[]).await;
        assert!(
            verdicts.is_empty(),
            "{}: nothing to charge is nothing to deny",
            self.name
        );
    }

    async fn keys_hold_any_bytes(&self) {
        let long = vec![b'x'; 10_000];
        let longer = vec![b'x'; 10_001];
        let keys: [&[u8]; 12] = [
            b"",
            b"\0",
            b"\0\0",
            b"{a}",
            b"{a}b",
            b"a:b",
            b"a",
            b"\xff\xfe",
            b"%00",
            b"'; --",
            &long,
            &longer,
        ];
        let scope = self.scope.as_ref();
        let charge = |key| Charge::new(scope, key, self.quota, cost(CAPACITY));
        for key in keys {
            let (_, verdicts) = self.decide(Op::Consume, &[charge(key)]).await;
            let text = String::from_utf8_lossy(&key[..key.len().min(20)]);
            assert!(
                verdicts[0].is_allowed(),
                "{}: {text:?} is a key of its own",
                self.name
            );
        }
        // Another scope, whose bytes end where those of the first begin.
        let (left, right) = (
            KeyBuf::new().push("n").push("pq"),
            KeyBuf::new().push("n").push("p"),
        );
        let charges = [
            Charge::new(
                left.as_ref(),
                self.name.as_bytes(),
                self.quota,
                cost(CAPACITY),
            ),
            Charge::new(
                right.as_ref(),
                self.name.as_bytes(),
                self.quota,
                cost(CAPACITY),
            ),
        ];
        self.decide(Op::Reset, &charges).await;
        let (_, verdicts) = self.decide(Op::Consume, &charges).await;
        assert!(
            verdicts.iter().all(Verdict::is_allowed),
            "{}: scopes are apart",
            self.name
        );
    }

    async fn a_limit_that_shrank_is_owed_once(&self) {
        self.spend("a", CAPACITY).await;
        let (algorithm, period) = (self.quota.algorithm(), self.quota.period());
        let small = Quota::new(1, period).map(|quota| quota.with_algorithm(algorithm));
        let small = small.unwrap_or(self.quota);
        let charge = self.charge("a", 1).with_quota(small);
        let (_, verdicts) = self.decide(Op::Consume, &[charge]).await;
        assert!(
            !verdicts[0].is_allowed(),
            "{}: what was used counts",
            self.name
        );
        self.clock.advance(2 * period);
        let (_, verdicts) = self.decide(Op::Consume, &[charge]).await;
        assert!(
            verdicts[0].is_allowed(),
            "{}: but no longer than two periods",
            self.name
        );
        self.clock.advance(2 * period);
        self.spend("a", CAPACITY).await;
    }

    /// What is far ahead comes back to what the quota can owe, and stays there: a wait that was told
    /// and waited out is enough, however much was used under a larger quota.
    async fn who_waits_after_a_limit_shrank_passes(&self) {
        if self.quota.algorithm() != Algorithm::Gcra {
            return; // A window of another period is another counter.
        }
        let period = self.quota.period();
        let burst = self.quota.try_with_burst(100 * CAPACITY);
        let (Ok(large), Ok(small)) = (burst, Quota::new(2, period / 10)) else {
            unreachable!("both can be counted");
        };
        for together in [false, true] {
            let key = if together { "together" } else { "alone" };
            let spend = self.charge(key, large.burst()).with_quota(large);
            let (_, verdicts) = self.decide(Op::Consume, &[spend]).await;
            assert!(verdicts[0].is_allowed(), "{}", self.name);
            let charge = self.charge(key, 1).with_quota(small);
            let beside = self.charge("beside", 1);
            let charges = [charge, beside];
            let charges = &charges[..if together { 2 } else { 1 }];
            // A peek starts no wait; a denial does.
            let (_, verdicts) = self.decide(Op::Peek, charges).await;
            assert!(!verdicts[0].is_allowed(), "{}", self.name);
            self.clock.advance(period);
            let (_, verdicts) = self.decide(Op::Consume, charges).await;
            assert_eq!(
                verdicts[0].retry_after(),
                Some(small.interval()),
                "{}",
                self.name
            );
            self.clock
                .advance(small.interval() - Duration::from_micros(1));
            let (_, verdicts) = self.decide(Op::Consume, charges).await;
            assert!(!verdicts[0].is_allowed(), "{}: too early", self.name);
            self.clock.advance(Duration::from_micros(1));
            let (_, verdicts) = self.decide(Op::Consume, charges).await;
            assert!(verdicts[0].is_allowed(), "{}: as was told", self.name);
        }
    }

    /// The same for a clock that jumped back for good.
    async fn who_waits_after_the_clock_jumped_back_passes(&self) {
        let before = self.now();
        self.spend("a", CAPACITY).await;
        self.clock
            .set(Now::at(before.unix() - 50 * self.quota.period()));
        for _ in 0..3 {
            let wait = self.denied("a", 1).await.retry_after();
            self.clock.advance(wait.expect("waiting helps"));
            let (_, verdicts) = self.decide(Op::Consume, &[self.charge("a", 1)]).await;
            assert!(verdicts[0].is_allowed(), "{}: as was told", self.name);
            self.spend_what_is_left("a").await;
        }
        self.clock.set(before);
    }

    async fn a_clock_that_jumps_back_admits_no_more(&self) {
        let before = self.now();
        self.spend("a", CAPACITY).await;
        for back in [Duration::from_millis(1), self.quota.period() * 50] {
            self.clock.set(Now::at(before.unix() - back));
            let wait = self.denied("a", 1).await.retry_after();
            // One period more than the quota itself can ask.
            let longest = 3 * self.quota.period();
            assert!(
                wait.is_some_and(|wait| wait <= longest),
                "{}: {wait:?}",
                self.name
            );
        }
        self.clock.set(before);
    }

    async fn spend_what_is_left(&self, key: &str) {
        self.decide(Op::ConsumeUpTo, &[self.charge(key, CAPACITY)])
            .await;
    }

    async fn overlapping_calls_admit_the_capacity(&self) {
        let calls = (0..3 * CAPACITY).map(|_| {
            let call: Pin<Box<dyn Future<Output = bool> + Send + '_>> = Box::pin(async {
                let charges = [self.charge("a", 1), self.charge("b", 1)];
                let (_, verdicts) = self.decide(Op::Consume, &charges).await;
                verdicts.iter().all(Verdict::is_allowed)
            });
            call
        });
        let admitted = all(calls.collect())
            .await
            .into_iter()
            .filter(|ok| *ok)
            .count();
        assert_eq!(
            admitted, CAPACITY as usize,
            "{}: no more, and no fewer",
            self.name
        );
        self.left("a", 0).await;
        self.left("b", 0).await;
    }

    fn charge<'k>(&'k self, key: &'k str, units: u32) -> Charge<'k> {
        Charge::new(self.scope.as_ref(), key.as_bytes(), self.quota, cost(units))
    }

    fn now(&self) -> Now {
        crate::clock::Clock::now(self.clock)
    }

    async fn decide(&self, op: Op, charges: &[Charge<'_>]) -> (Now, Vec<Verdict>) {
        let mut verdicts = vec![Verdict::UNKNOWN; charges.len()];
        match self.store.decide(op, charges, &mut verdicts).await {
            Ok(now) => (now, verdicts),
            Err(error) => panic!("{}: {op:?}: {error}", self.name),
        }
    }

    async fn spend(&self, key: &str, units: u32) -> Grant {
        let verdict = self.allowed(key, units).await;
        Grant {
            at: self.now(),
            reset: verdict.reset(),
            source: verdict.source(),
        }
    }

    async fn allowed(&self, key: &str, units: u32) -> Verdict {
        let (_, verdicts) = self.decide(Op::Consume, &[self.charge(key, units)]).await;
        assert!(
            verdicts[0].is_allowed(),
            "{}: {units} fit for {key}",
            self.name
        );
        verdicts[0]
    }

    async fn denied(&self, key: &str, units: u32) -> Verdict {
        let (_, verdicts) = self.decide(Op::Consume, &[self.charge(key, units)]).await;
        assert!(
            !verdicts[0].is_allowed(),
            "{}: {units} do not fit for {key}",
            self.name
        );
        verdicts[0]
    }

    async fn refund(&self, key: &str, units: u32, grant: Option<Grant>) {
        let charge = self.charge(key, units).with_grant(grant);
        let (_, verdicts) = self.decide(Op::Refund, &[charge]).await;
        assert!(
            verdicts[0].is_allowed(),
            "{}: a refund is always allowed",
            self.name
        );
    }

    async fn peek(&self, key: &str, units: u32) -> Verdict {
        self.decide(Op::Peek, &[self.charge(key, units)]).await.1[0]
    }

    async fn left(&self, key: &str, units: u32) {
        let left = self.peek(key, 1).await.remaining();
        assert_eq!(left, units, "{}: units left for {key}", self.name);
    }
}

/// Polls all to the end, so that calls which wait overlap.
async fn all<T>(mut calls: Vec<Pin<Box<dyn Future<Output = T> + Send + '_>>>) -> Vec<T> {
    let mut done: Vec<Option<T>> = calls.iter().map(|_| None).collect();
    poll_fn(|cx| {
        for (call, done) in calls
            .iter_mut()
            .zip(&mut done)
            .filter(|(_, done)| done.is_none())
        {
            if let Poll::Ready(value) = call.as_mut().poll(cx) {
                *done = Some(value);
            }
        }
        if done.iter().all(Option::is_some) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

fn cost(units: u32) -> NonZeroU32 {
    NonZeroU32::new(units).unwrap_or(NonZeroU32::MIN)
}

/// The beginning of a window of every length used here.
fn at(us: u64) -> Now {
    Now::at(Duration::from_micros(1_700_000_400_000_000 + us))
}

const CAPACITY: u32 = 5;
const MINUTE: Duration = Duration::from_secs(60);

const ALGORITHMS: [Quota; 3] = [
    Quota::per_second(CAPACITY),
    Quota::per_second(CAPACITY).with_algorithm(Algorithm::SlidingWindow),
    Quota::per_second(CAPACITY).with_algorithm(Algorithm::FixedWindow),
];
