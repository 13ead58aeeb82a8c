//! Several policies, decided in one call: all are charged, or none.

mod admit;
mod builder;
mod conclude;
mod plan;
mod refund;

use std::fmt;
use std::sync::Arc;

use crate::decision::Decision;
use crate::key::KeyBuf;
use crate::observer::Observer;
use crate::policy::Policy;
use crate::report::Report;
use crate::scope::Scope;
use crate::store::{Charge, MemoryStore, Op, Store};
use crate::verdict::{Standing, Verdict};

pub use builder::PoliciesBuilder;
use conclude::mismatch;

/// Several policies over one store.
///
/// Never fails: what happens when the store does is part of each policy. Clones share everything.
///
/// # Examples
///
/// ```
/// use seawall_ratelimit::{KeyBuf, MemoryStore, Policies, Policy, quota};
///
/// let policies = Policies::builder(MemoryStore::default())
///     .namespace("shop")
///     .policy(Policy::new("address", quota!("1000/minute"))?)
///     .policy(Policy::new("user", quota!("5/hour"))?)
///     .build()?;
///
/// let keys = [Some(KeyBuf::new().push("203.0.113.7")), Some(KeyBuf::new().push("alice"))];
/// let decision = policies.check_now(&keys).expect("memory answers at once");
/// assert!(decision.is_allowed());
/// assert_eq!(decision.binding().unwrap().policy().as_str(), "user");
/// # Ok::<(), seawall_ratelimit::ConfigError>(())
/// ```
pub struct Policies<S> {
    shared: Arc<Shared<S>>,
}

struct Shared<S> {
    store: S,
    local: Option<MemoryStore>,
    policies: Vec<Policy>,
    scopes: Vec<Scope>,
    observer: Option<Arc<dyn Observer>>,
    /// Whether all that is left to ask for the short way is the modes.
    plain: bool,
}

impl<S: Store> Policies<S> {
    /// Chooses what is decided over `store`.
    pub fn builder(store: S) -> PoliciesBuilder<S> {
        PoliciesBuilder {
            store,
            namespace: String::new(),
            policies: Vec::new(),
            local: None,
            observer: None,
        }
    }

    /// The policies, in the order in which keys are given.
    #[must_use]
    pub fn policies(&self) -> &[Policy] {
        &self.shared.policies
    }

    /// Decides, and charges if all policies agree. One key a policy, in order; a policy whose key is
    /// `None` does not apply. If the number of keys is wrong, the answer is a denial.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future before it is ready charges nothing over memory; over a remote store the
    /// charge may have been made.
    pub async fn check(&self, keys: &[Option<KeyBuf>]) -> Decision {
        let decision = match self.plan(keys) {
            None => mismatch(),
            Some(mut plan) => {
                let (charges, out) = (&plan.charges, &mut plan.verdicts);
                let answer = match self.shared.store.decide_now(Op::Consume, charges, out) {
                    Some(answer) => answer,
                    None => self.shared.store.decide(Op::Consume, charges, out).await,
                };
                self.conclude(&plan, answer)
            }
        };
        if let Some(observer) = &self.shared.observer {
            observer.decided(&decision);
        }
        decision
    }

    /// The same without waiting. `None` if the store has to wait: nothing has happened then.
    #[must_use = "a decision that nobody reads limits nothing"]
    #[inline]
    pub fn check_now(&self, keys: &[Option<KeyBuf>]) -> Option<Decision> {
        // One name, from where the decision is made to where it is returned: it is large, and the
        // observer is to see it where it stays.
        let decision = match self.only_charge(keys) {
            Some(charge) => self.check_one_now(charge),
            None => self.check_several_now(keys),
        };
        if let (Some(observer), Some(decision)) = (&self.shared.observer, &decision) {
            observer.decided(decision);
        }
        decision
    }

    #[inline]
    fn check_one_now(&self, charge: Charge<'_>) -> Option<Decision> {
        let mut verdict = [Verdict::UNKNOWN];
        let charges = std::slice::from_ref(&charge);
        let store = &self.shared.store;
        let answer = store.decide_now(Op::Consume, charges, &mut verdict)?;
        Some(match answer {
            Ok(now) if verdict[0].standing() != Standing::Unknown => {
                let denied = !charge.is_shadow() && verdict[0].is_denied();
                let name = *self.shared.policies[0].name();
                Decision::of(denied, Report::new(name, &charge, verdict[0], now))
            }
            answer => self.conclude_at_length(charge, verdict[0], answer),
        })
    }

    fn check_several_now(&self, keys: &[Option<KeyBuf>]) -> Option<Decision> {
        let Some(mut plan) = self.plan(keys) else {
            return Some(mismatch());
        };
        let answer =
            self.shared
                .store
                .decide_now(Op::Consume, &plan.charges, &mut plan.verdicts)?;
        Some(self.conclude(&plan, answer))
    }
}

impl<S> Clone for Policies<S> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<S> fmt::Debug for Policies<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policies")
            .field("policies", &self.shared.policies)
            .finish_non_exhaustive()
    }
}
