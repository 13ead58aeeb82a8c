//! Which charges one request makes.

use smallvec::SmallVec;

use super::Policies;
use crate::key::KeyBuf;
use crate::policy::Mode;
use crate::store::{Charge, Store};
use crate::verdict::Verdict;

pub(super) type Charges<'a> = SmallVec<[Charge<'a>; 4]>;
pub(super) type Verdicts = SmallVec<[Verdict; 4]>;

/// The policies that apply to one request; the three lists run in step.
#[derive(Default)]
pub(super) struct Plan<'a> {
    pub(super) charges: Charges<'a>,
    pub(super) verdicts: Verdicts,
    pub(super) indices: SmallVec<[usize; 4]>,
}

impl<S: Store> Policies<S> {
    /// `None` if the keys are not those of the policies.
    #[inline]
    pub(super) fn plan<'a>(&'a self, keys: &'a [Option<KeyBuf>]) -> Option<Plan<'a>> {
        let shared = &*self.shared;
        if keys.len() != shared.policies.len() {
            return None;
        }
        let mut plan = Plan::default();
        for (index, (policy, key)) in shared.policies.iter().zip(keys).enumerate() {
            let Some(key) = key else { continue };
            let mode = policy.current_mode();
            if mode == Mode::Off {
                continue;
            }
            let quota = policy.quota_of(key.as_ref());
            let scope = &shared.scopes[index];
            let charge = Charge::within(scope, key.as_ref(), quota, policy.unit_cost())
                .shadow(mode == Mode::Shadow)
                .with_block_for(policy.penalty());
            plan.charges.push(charge);
            plan.verdicts.push(Verdict::UNKNOWN);
            plan.indices.push(index);
        }
        Some(plan)
    }

    /// The charge where there is one policy and it applies: the way of most layers, without lists.
    #[inline]
    pub(super) fn only_charge<'a>(&'a self, keys: &'a [Option<KeyBuf>]) -> Option<Charge<'a>> {
        let shared = &*self.shared;
        let ([policy], [scope], [Some(key)]) = (&*shared.policies, &*shared.scopes, keys) else {
            return None;
        };
        let mode = policy.current_mode();
        if mode == Mode::Off {
            return None;
        }
        let quota = policy.quota_of(key.as_ref());
        let charge = Charge::within(scope, key.as_ref(), quota, policy.unit_cost())
            .shadow(mode == Mode::Shadow)
            .with_block_for(policy.penalty());
        Some(charge)
    }
}
