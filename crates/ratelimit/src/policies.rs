//! Several policies, decided in one call: all are charged, or none.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use smallvec::{SmallVec, smallvec};

use crate::clock::Now;
use crate::decision::{Decision, Reason, Source};
use crate::error::ConfigError;
use crate::key::KeyBuf;
use crate::not_now::NotNow;
use crate::observer::Observer;
use crate::policy::{CountRule, Mode, OnStoreError, Policy};
use crate::report::Report;
use crate::reports::Reports;
use crate::scope::Scope;
use crate::store::{BoxError, Charge, MemoryStore, Op, Plain, Store, StoreFailure};
use crate::verdict::{Standing, Verdict};

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

/// Settings of [`Policies`].
#[must_use]
pub struct PoliciesBuilder<S> {
    store: S,
    namespace: String,
    policies: Vec<Policy>,
    local: Option<MemoryStore>,
    observer: Option<Arc<dyn Observer>>,
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
        let Some(mut plan) = self.plan(keys) else {
            return self.mismatch();
        };
        let (charges, out) = (&plan.charges, &mut plan.verdicts);
        let answer = match self.shared.store.decide_now(Op::Consume, charges, out) {
            Some(answer) => answer,
            None => self.shared.store.decide(Op::Consume, charges, out).await,
        };
        self.conclude(&plan, answer)
    }

    /// The same without waiting. `None` if the store has to wait: nothing has happened then.
    #[must_use = "a decision that nobody reads limits nothing"]
    pub fn check_now(&self, keys: &[Option<KeyBuf>]) -> Option<Decision> {
        let Some(mut plan) = self.plan(keys) else {
            return Some(self.mismatch());
        };
        let answer =
            self.shared
                .store
                .decide_now(Op::Consume, &plan.charges, &mut plan.verdicts)?;
        Some(self.conclude(&plan, answer))
    }

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

    /// `None` if the keys are not those of the policies.
    #[inline]
    fn plan<'a>(&'a self, keys: &'a [Option<KeyBuf>]) -> Option<Plan<'a>> {
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

    #[inline]
    fn conclude(&self, plan: &Plan<'_>, answer: Result<Now, S::Error>) -> Decision {
        let decision = match answer {
            Ok(now) => self.decision(plan, now),
            Err(error) => match self.failed(error) {
                StoreFailure::Refused => {
                    Decision::deny(Reports::None, Source::FailClosed, Reason::StoreRefused)
                }
                StoreFailure::Unavailable => self.without_store(plan),
            },
        };
        self.observed(decision)
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
        let mut decision = Decision::empty(denied);
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
    fn failed(&self, error: S::Error) -> StoreFailure {
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

    /// A number of keys that is not the number of policies is a bug of the caller. Which policy they
    /// belong to is anybody's guess, and a guess must not open the gate.
    #[cold]
    fn mismatch(&self) -> Decision {
        self.observed(Decision::deny(
            Reports::None,
            Source::FailClosed,
            Reason::StoreRefused,
        ))
    }

    #[inline]
    fn observed(&self, decision: Decision) -> Decision {
        if let Some(observer) = &self.shared.observer {
            observer.decided(&decision);
        }
        decision
    }
}

impl Policies<MemoryStore> {
    /// Decides, charges if all policies agree, and says no more than that: what
    /// [`check_now`](Self::check_now) does, without reports. For hot paths that need neither header
    /// fields nor figures.
    ///
    /// # Errors
    ///
    /// If a policy does not agree, with the longest wait; also if the number of keys is wrong.
    ///
    /// # Cost
    ///
    /// Up to eight policies that enforce one quota for all keys by GCRA, without penalty and
    /// observer, are decided on the stack. All others take the way of `check_now`.
    ///
    /// # Examples
    ///
    /// ```
    /// use seawall_ratelimit::{KeyBuf, MemoryStore, Policies, Policy, quota};
    ///
    /// let policies = Policies::builder(MemoryStore::default())
    ///     .policy(Policy::new("address", quota!("1000/minute"))?)
    ///     .policy(Policy::new("login", quota!("1/hour"))?)
    ///     .build()?;
    /// let keys = ["203.0.113.7", "alice"].map(|key| Some(KeyBuf::new().push(key)));
    /// assert!(policies.admit(&keys).is_ok());
    /// let wait = policies.admit(&keys).unwrap_err().retry_after().unwrap();
    /// assert!(wait.as_secs() > 3_500);
    /// # Ok::<(), seawall_ratelimit::ConfigError>(())
    /// ```
    #[inline]
    pub fn admit(&self, keys: &[Option<KeyBuf>]) -> Result<(), NotNow> {
        match self.admit_plain(keys) {
            Some(answer) => answer,
            None => self.admit_at_length(keys),
        }
    }

    /// `None` if these policies need more than the short way, or it did not get to an end.
    #[inline]
    fn admit_plain(&self, keys: &[Option<KeyBuf>]) -> Option<Result<(), NotNow>> {
        let shared = &*self.shared;
        if !shared.plain || keys.len() != shared.policies.len() {
            return None;
        }
        let charges = shared.policies.iter().zip(&shared.scopes).zip(keys);
        shared
            .store
            .admit_all(charges.map(|((policy, scope), key)| {
                let subject = key
                    .as_ref()
                    .filter(|_| policy.current_mode() == Mode::Enforce)?;
                Some(Plain {
                    scope,
                    subject: subject.as_ref(),
                    quota: policy.quota(),
                    cost: policy.unit_cost(),
                })
            }))
    }

    #[cold]
    fn admit_at_length(&self, keys: &[Option<KeyBuf>]) -> Result<(), NotNow> {
        match self.check_now(keys) {
            Some(Decision::Allow(_)) => Ok(()),
            Some(Decision::Deny(denied)) => Err(NotNow::after(denied.retry_after())),
            // Memory answers at once; if it did not, that would not open the gate.
            None => Err(NotNow::after(None)),
        }
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

impl<S: Store> PoliciesBuilder<S> {
    /// Keeps these policies apart from others in the same store. Default: empty.
    pub fn namespace(self, namespace: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            ..self
        }
    }

    /// Adds a policy.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policies.push(policy);
        self
    }

    /// The store of policies with [`OnStoreError::Local`]. Default: a [`MemoryStore`] of the default
    /// capacity.
    pub fn local_store(self, store: MemoryStore) -> Self {
        Self {
            local: Some(store),
            ..self
        }
    }

    /// Who is told. Default: nobody.
    pub fn observer(self, observer: impl Observer) -> Self {
        Self {
            observer: Some(Arc::new(observer)),
            ..self
        }
    }

    /// Makes the policies.
    ///
    /// # Errors
    ///
    /// If two policies have one name, or a cost is above the capacity of its quota.
    pub fn build(self) -> Result<Policies<S>, ConfigError> {
        let mut scopes = Vec::with_capacity(self.policies.len());
        for (index, policy) in self.policies.iter().enumerate() {
            policy.validate()?;
            if self.policies[..index]
                .iter()
                .any(|other| other.name() == policy.name())
            {
                let error = ConfigError::new("name", "expected a name that no other policy has");
                return Err(error.of(policy.name().as_str()));
            }
            scopes.push(Scope::new(&self.namespace, policy.name().as_str()));
        }
        let counts_locally =
            |policy: &Policy| matches!(policy.store_error_rule(), OnStoreError::Local { .. });
        let local = match self.local {
            None if self.policies.iter().any(counts_locally) => Some(MemoryStore::default()),
            local => local,
        };
        let plain = self.observer.is_none() && self.policies.iter().all(Policy::is_plain);
        Ok(Policies {
            shared: Arc::new(Shared {
                plain,
                store: self.store,
                local,
                policies: self.policies,
                scopes,
                observer: self.observer,
            }),
        })
    }
}

impl<S> fmt::Debug for PoliciesBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoliciesBuilder")
            .field("namespace", &self.namespace)
            .field("policies", &self.policies)
            .finish_non_exhaustive()
    }
}

type Charges<'a> = SmallVec<[Charge<'a>; 4]>;
type Verdicts = SmallVec<[Verdict; 4]>;

/// The policies that apply to one request; the three lists run in step.
#[derive(Default)]
struct Plan<'a> {
    charges: Charges<'a>,
    verdicts: Verdicts,
    indices: SmallVec<[usize; 4]>,
}
