//! What a charge does, and a denial does not.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::{CAPACITY, Law, all, cost};
use crate::key::KeyBuf;
use crate::quota::Quota;
use crate::store::{Charge, Op, Store};
use crate::verdict::{Standing, Verdict};

impl<S: Store> Law<'_, S> {
    pub(super) async fn time_is_the_stores(&self) {
        let (now, _) = self.decide(Op::Peek, &[self.charge("a", 1)]).await;
        assert_eq!(
            now,
            self.now(),
            "{}: the store must return its own time",
            self.name
        );
    }

    pub(super) async fn waiting_exactly_the_wait_admits(&self) {
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

    pub(super) async fn all_are_charged_or_none(&self) {
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

    pub(super) async fn a_shadow_is_charged_and_stops_nobody(&self) {
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

    pub(super) async fn a_denial_changes_nothing(&self) {
        self.spend("a", CAPACITY).await;
        let before = self.denied("a", 1).await;
        for _ in 0..3 {
            assert_eq!(self.denied("a", 1).await, before, "{}", self.name);
        }
    }

    pub(super) async fn a_peek_changes_nothing(&self) {
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

    pub(super) async fn a_cost_above_the_capacity_never_fits(&self) {
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

    pub(super) async fn one_key_twice_adds_up(&self) {
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

    pub(super) async fn many_charges_are_decided_together(&self) {
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

    pub(super) async fn keys_hold_any_bytes(&self) {
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

    pub(super) async fn overlapping_calls_admit_the_capacity(&self) {
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
}
