//! Quotas that shrink, and clocks that jump back.

use std::time::Duration;

use super::{CAPACITY, Law};
use crate::clock::Now;
use crate::quota::{Algorithm, Quota};
use crate::store::{Op, Store};

impl<S: Store> Law<'_, S> {
    pub(super) async fn a_limit_that_shrank_is_owed_once(&self) {
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
    pub(super) async fn who_waits_after_a_limit_shrank_passes(&self) {
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
    pub(super) async fn who_waits_after_the_clock_jumped_back_passes(&self) {
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

    pub(super) async fn a_clock_that_jumps_back_admits_no_more(&self) {
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
}
