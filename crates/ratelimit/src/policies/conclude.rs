//! From what the store said, or did not say, to a decision.

use smallvec::smallvec;

use super::Policies;
use super::plan::Plan;
use crate::clock::Now;
use crate::decision::Decision;
use crate::policy::OnStoreError;
use crate::report::Report;
use crate::reports::Reports;
use crate::source::{Reason, Source};
use crate::store::{BoxError, Charge, Op, Store, StoreFailure};
use crate::verdict::{Standing, Verdict};

impl<S: Store> Policies<S> {
    #[cold]
    pub(super) fn conclude_at_length(
        &self,
        charge: Charge<'_>,
        verdict: Verdict,
        answer: Result<Now, S::Error>,
    ) -> Decision {
        let plan = Plan {
            charges: smallvec![charge],
            verdicts: smallvec![verdict],
            indices: smallvec![0],
        };
        self.conclude(&plan, answer)
    }

    #[inline]
    pub(super) fn conclude(&self, plan: &Plan<'_>, answer: Result<Now, S::Error>) -> Decision {
        match answer {
            Ok(now) => self.decision(plan, now),
            Err(error) => match self.failed(error) {
                StoreFailure::Refused => {
                    Decision::deny(Reports::None, Source::FailClosed, Reason::StoreRefused)
                }
                StoreFailure::Unavailable => self.without_store(plan),
            },
        }
    }

    #[inline]
    fn decision(&self, plan: &Plan<'_>, now: Now) -> Decision {
        let charges = || plan.charges.iter().zip(&plan.verdicts);
        let denies =
            |charge: &Charge<'_>, verdict: &Verdict| !charge.is_shadow() && verdict.is_denied();
        let denied = charges().any(|(charge, verdict)| denies(charge, verdict));
        let open = |charge: &Charge<'_>, verdict: &Verdict| {
            !charge.is_shadow() && verdict.standing() == Standing::Unknown
        };
        // Beside a denial, a store need not have looked at the others.
        let unanswered = !denied && charges().any(|(charge, verdict)| open(charge, verdict));
        if unanswered {
            return Decision::unanswered();
        }
        let mut decision = Decision::empty(denied, plan.charges.len());
        for ((charge, verdict), index) in charges().zip(&plan.indices) {
            if verdict.standing() != Standing::Unknown {
                let name = *self.shared.policies[*index].name();
                decision.push(Report::new(name, charge, *verdict, now));
            }
        }
        decision
    }

    /// Any policy that fails closed denies; else those that count locally decide; else it passes.
    #[cold]
    fn without_store(&self, plan: &Plan<'_>) -> Decision {
        let rules = |index: &usize| self.policies()[*index].store_error_rule();
        let enforced = plan
            .charges
            .iter()
            .zip(&plan.indices)
            .filter(|(c, _)| !c.is_shadow());
        if enforced
            .clone()
            .any(|(_, index)| rules(index) == OnStoreError::FailClosed)
        {
            return Decision::deny(Reports::None, Source::FailClosed, Reason::StoreUnavailable);
        }
        let mut local = Plan::default();
        for (charge, index) in plan.charges.iter().zip(&plan.indices) {
            if let OnStoreError::Local { replicas } = rules(index) {
                let policy = &self.policies()[*index];
                let share = charge.quota().share(replicas, policy.unit_cost());
                local.charges.push(charge.with_quota(share));
                local.verdicts.push(Verdict::UNKNOWN);
                local.indices.push(*index);
            }
        }
        let Some(store) = self
            .shared
            .local
            .as_ref()
            .filter(|_| !local.charges.is_empty())
        else {
            return Decision::allow(Reports::None, Source::FailOpen);
        };
        let now = store.decide_here(Op::Consume, &local.charges, &mut local.verdicts);
        for verdict in &mut local.verdicts {
            *verdict = verdict.by(Source::Local);
        }
        self.decision(&local, now)
    }

    #[cold]
    pub(super) fn failed(&self, error: S::Error) -> StoreFailure {
        match &self.shared.observer {
            None => error.into(),
            Some(observer) => {
                let text = BoxError::new(error);
                let failure = text.failure();
                observer.store_failed(failure, &text);
                failure
            }
        }
    }
}

/// A number of keys that is not the number of policies is a bug of the caller. Which policy they belong
/// to is anybody's guess, and a guess must not open the gate.
#[cold]
pub(super) fn mismatch() -> Decision {
    Decision::deny(Reports::None, Source::FailClosed, Reason::StoreRefused)
}
