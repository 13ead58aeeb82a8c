//! What every store has to keep, each law with keys of its own.

mod blocks;
mod changes;
mod charges;
mod returns;

use std::future::{Future, poll_fn};
use std::num::NonZeroU32;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use crate::clock::{ManualClock, Now};
use crate::key::KeyBuf;
use crate::quota::{Algorithm, Quota};
use crate::store::{Charge, Grant, Op, Store};
use crate::verdict::Verdict;

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
