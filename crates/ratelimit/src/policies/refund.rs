//! Gives back what was charged, all of it or what the response says does not count.

use std::num::NonZeroU32;

use smallvec::smallvec;

use super::Policies;
use super::plan::{Charges, Verdicts};
use crate::decision::Decision;
use crate::key::KeyBuf;
use crate::policy::{CountRule, Policy};
use crate::report::Report;
use crate::source::Source;
use crate::store::{Charge, Op, Store};
use crate::verdict::Verdict;

impl<S: Store> Policies<S> {
    /// Gives back what `decision` charged, as far as it has not come back by itself. `keys` are those
    /// of the check. A store that is out of reach refunds nothing: the bound errs on the strict side.
    pub async fn refund(&self, keys: &[Option<KeyBuf>], decision: &Decision) {
        self.refund_where(keys, decision, |_| true).await;
    }

    /// Refunds the policies whose [`CountRule`] does not count a response with this status.
    pub async fn settle(&self, keys: &[Option<KeyBuf>], decision: &Decision, status: u16) {
        self.refund_where(keys, decision, |policy| !policy.count_rule().counts(status))
            .await;
    }

    /// Whether [`settle`](Self::settle) would ever do anything.
    #[must_use]
    pub fn needs_settling(&self) -> bool {
        self.policies()
            .iter()
            .any(|policy| !matches!(policy.count_rule(), CountRule::Always))
    }

    async fn refund_where(
        &self,
        keys: &[Option<KeyBuf>],
        decision: &Decision,
        chosen: impl Fn(&Policy) -> bool,
    ) {
        if !decision.is_allowed() || keys.len() != self.policies().len() {
            return;
        }
        // What a local stand-in charged has to go back there.
        for local in [false, true] {
            let charges = self.refunds(keys, decision, &chosen, local);
            if charges.is_empty() {
                continue;
            }
            let mut verdicts: Verdicts = smallvec![Verdict::UNKNOWN; charges.len()];
            match (&self.shared.local, local) {
                (Some(store), true) => {
                    store.decide_here(Op::Refund, &charges, &mut verdicts);
                }
                (None, true) => {}
                (_, false) => {
                    let store = &self.shared.store;
                    let answer = match store.decide_now(Op::Refund, &charges, &mut verdicts) {
                        Some(answer) => answer,
                        None => store.decide(Op::Refund, &charges, &mut verdicts).await,
                    };
                    if let Err(error) = answer {
                        self.failed(error);
                    }
                }
            }
        }
    }

    fn refunds<'a>(
        &'a self,
        keys: &'a [Option<KeyBuf>],
        decision: &Decision,
        chosen: &impl Fn(&Policy) -> bool,
        local: bool,
    ) -> Charges<'a> {
        let mut charges = Charges::new();
        for report in decision
            .reports()
            .iter()
            .filter(|report| !report.is_denied())
        {
            let ours = self
                .policies()
                .iter()
                .position(|policy| policy.name() == report.policy());
            let Some(index) = ours else { continue };
            let Some(key) = &keys[index] else { continue };
            if !chosen(&self.policies()[index]) || local != self.is_local(report) {
                continue;
            }
            let Some(cost) = NonZeroU32::new(report.cost()) else {
                continue;
            };
            let scope = &self.shared.scopes[index];
            let charge = Charge::within(scope, key.as_ref(), *report.quota(), cost);
            charges.push(charge.with_grant(Some(report.grant())));
        }
        charges
    }

    fn is_local(&self, report: &Report) -> bool {
        self.shared.local.is_some() && report.source() == Source::Local
    }
}
