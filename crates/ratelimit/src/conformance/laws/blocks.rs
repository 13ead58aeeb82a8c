//! Penalties, and blocks by hand.

use std::time::Duration;

use super::{CAPACITY, Law, MINUTE};
use crate::store::{Op, Store};
use crate::verdict::Standing;

impl<S: Store> Law<'_, S> {
    pub(super) async fn a_penalty_is_kept_apart_from_the_count(&self) {
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

    pub(super) async fn only_who_is_over_the_limit_is_blocked(&self) {
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

    pub(super) async fn blocks_are_looked_up_only_on_request(&self) {
        let charge = self.charge("a", 1);
        self.decide(Op::BlockFor, &[charge.with_block_for(Some(MINUTE))])
            .await;
        let (_, verdicts) = self.decide(Op::Peek, &[charge]).await;
        assert!(verdicts[0].is_allowed(), "{}", self.name);
        let looking = charge.with_block_for(Some(Duration::ZERO));
        let (_, verdicts) = self.decide(Op::Peek, &[looking]).await;
        assert_eq!(verdicts[0].standing(), Standing::Blocked, "{}", self.name);
    }

    pub(super) async fn a_block_by_hand_never_shortens(&self) {
        let block = |time| self.charge("a", 1).with_block_for(Some(time));
        self.decide(Op::BlockFor, &[block(MINUTE)]).await;
        let (_, verdicts) = self.decide(Op::BlockFor, &[block(MINUTE / 2)]).await;
        let (standing, wait) = (verdicts[0].standing(), verdicts[0].retry_after());
        assert_eq!(standing, Standing::Blocked, "{}", self.name);
        assert!(wait >= Some(MINUTE), "{}", self.name);
    }
}
