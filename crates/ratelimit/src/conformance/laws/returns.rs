//! What is settled, given back and forgotten.

use std::time::Duration;

use super::{CAPACITY, Law};
use crate::store::{Op, Store};
use crate::verdict::Standing;

impl<S: Store> Law<'_, S> {
    pub(super) async fn a_charge_up_to_the_capacity_takes_what_is_there(&self) {
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

    pub(super) async fn a_refund_is_bounded(&self) {
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

    pub(super) async fn a_reset_forgets(&self) {
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
}
