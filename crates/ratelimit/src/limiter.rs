//! One policy over one store: the short way.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Now;
use crate::decision::Decision;
use crate::error::ConfigError;
use crate::not_now::NotNow;
use crate::observer::Observer;
use crate::policy::{Mode, Policy, PolicyName};
use crate::quota::Quota;
use crate::report::Report;
use crate::scope::Scope;
use crate::store::{Charge, MemoryStore, Op, Plain, Store};
use crate::verdict::{Standing, Verdict};

/// One quota over one store.
///
/// For one limit in one place. Several limits on one request belong into
/// [`Policies`](crate::Policies), which charges all or none. Errors of the store are returned as they
/// are: [`OnStoreError`](crate::OnStoreError) is for [`Policies`](crate::Policies). Clones share
/// everything.
///
/// # Examples
///
/// ```
/// use seawall_ratelimit::{Limiter, MemoryStore, quota};
///
/// let limiter = Limiter::new(MemoryStore::default(), quota!("2/minute"));
/// assert!(limiter.check_local("alice").is_allowed());
/// assert!(limiter.check_local("alice").is_allowed());
/// assert!(!limiter.check_local("alice").is_allowed());
/// assert!(limiter.check_local("bob").is_allowed());
/// ```
pub struct Limiter<S> {
    shared: Arc<Shared<S>>,
}

struct Shared<S> {
    store: S,
    policy: Policy,
    scope: Scope,
    observer: Option<Arc<dyn Observer>>,
    /// Whether all that is left to ask for the short way is the mode.
    plain: bool,
    #[cfg(feature = "tokio")]
    line: crate::wait::Line,
}

impl<S> Shared<S> {
    fn new(store: S, policy: Policy, scope: Scope) -> Self {
        Self {
            plain: policy.is_plain(),
            store,
            policy,
            scope,
            observer: None,
            #[cfg(feature = "tokio")]
            line: crate::wait::Line::default(),
        }
    }
}

impl<S: Store> Limiter<S> {
    /// Limits every key to `quota`.
    ///
    /// Two limiters of different quotas on one store count apart; of equal quotas, together. Give
    /// them names with [`with_policy`](Self::with_policy) if that is not what you mean.
    #[must_use]
    pub fn new(store: S, quota: Quota) -> Self {
        let policy = Policy::named(PolicyName::literal("default"), quota);
        let scope = Scope::new("", &quota.to_string());
        Self {
            shared: Arc::new(Shared::new(store, policy, scope)),
        }
    }

    /// Limits every key by `policy`, on the same counters as [`Policies`](crate::Policies) of that
    /// namespace.
    ///
    /// # Errors
    ///
    /// If the policy's cost is above the capacity of its quota.
    pub fn with_policy(store: S, namespace: &str, policy: Policy) -> Result<Self, ConfigError> {
        policy.validate()?;
        let scope = Scope::new(namespace, policy.name().as_str());
        Ok(Self {
            shared: Arc::new(Shared::new(store, policy, scope)),
        })
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.shared.policy
    }

    /// Charges the policy's cost to `key`, if it fits.
    ///
    /// # Errors
    ///
    /// If the store did not decide. Over a [`MemoryStore`] that cannot be:
    /// `let Ok(decision) = limiter.check(key).await;` compiles.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future charges nothing over memory; over a remote store the charge may have been
    /// made.
    pub async fn check(&self, key: impl AsRef<[u8]>) -> Result<Decision, S::Error> {
        self.decide(Op::Consume, key.as_ref(), self.policy().unit_cost())
            .await
    }

    /// The same without waiting. `None` if the store has to wait: nothing has happened then.
    #[must_use = "a decision that nobody reads limits nothing"]
    #[inline]
    pub fn check_now(&self, key: impl AsRef<[u8]>) -> Option<Result<Decision, S::Error>> {
        self.decide_now(Op::Consume, key.as_ref(), self.policy().unit_cost())
    }

    /// Charges `cost` to `key`, if it fits.
    ///
    /// # Errors
    ///
    /// If the store did not decide.
    pub async fn check_n(
        &self,
        key: impl AsRef<[u8]>,
        cost: NonZeroU32,
    ) -> Result<Decision, S::Error> {
        self.decide(Op::Consume, key.as_ref(), cost).await
    }

    /// Says what [`check`](Self::check) would, and charges nothing.
    ///
    /// # Errors
    ///
    /// If the store did not decide.
    pub async fn peek(&self, key: impl AsRef<[u8]>) -> Result<Decision, S::Error> {
        self.decide(Op::Peek, key.as_ref(), self.policy().unit_cost())
            .await
    }

    /// Gives back what `decision` charged to `key`, as far as it has not come back by itself: never
    /// more than that, whoever has used the capacity since. A denial is refunded with nothing.
    ///
    /// # Errors
    ///
    /// If the store did not answer. The charge then stands.
    pub async fn refund(&self, key: impl AsRef<[u8]>, decision: &Decision) -> Result<(), S::Error> {
        let Decision::Allow(allowed) = decision else {
            return Ok(());
        };
        for report in allowed
            .reports()
            .iter()
            .filter(|r| r.policy() == self.policy().name())
        {
            if let Some(cost) = NonZeroU32::new(report.cost()) {
                self.give_back(key.as_ref(), report, cost).await?;
            }
        }
        Ok(())
    }

    /// Forgets what `key` has used, and its block.
    ///
    /// # Errors
    ///
    /// If the store did not answer.
    pub async fn reset(&self, key: impl AsRef<[u8]>) -> Result<(), S::Error> {
        let charge = self.charge(key.as_ref(), NonZeroU32::MIN);
        // The block goes too, even where this policy does not look at blocks.
        let charge = charge.with_block_for(Some(Duration::ZERO));
        self.perform(Op::Reset, charge).await.map(drop)
    }

    /// Blocks `key` for `time`, whatever its quota says. Returns whether that means anything: a policy
    /// without [`block_for`](Policy::block_for) does not look at blocks, and nothing is stored then.
    ///
    /// # Errors
    ///
    /// If the store did not answer.
    #[must_use = "false means that this policy does not look at blocks"]
    pub async fn block(&self, key: impl AsRef<[u8]>, time: Duration) -> Result<bool, S::Error> {
        if self.policy().penalty().is_none() {
            return Ok(false);
        }
        let charge = self
            .charge(key.as_ref(), NonZeroU32::MIN)
            .with_block_for(Some(time));
        self.perform(Op::BlockFor, charge).await.map(|_| true)
    }

    /// Tells `observer` every decision. Default: nobody.
    #[must_use]
    pub fn observed_by(self, observer: impl Observer) -> Self
    where
        S: Clone,
    {
        let Shared {
            store,
            policy,
            scope,
            ..
        } = &*self.shared;
        let mut shared = Shared::new(store.clone(), policy.clone(), scope.clone());
        shared.observer = Some(Arc::new(observer));
        shared.plain = false;
        Self {
            shared: Arc::new(shared),
        }
    }

    pub(crate) async fn give_back(
        &self,
        key: &[u8],
        report: &Report,
        cost: NonZeroU32,
    ) -> Result<(), S::Error> {
        let charge = Charge::within(&self.shared.scope, key, *report.quota(), cost);
        self.perform(Op::Refund, charge.with_grant(Some(report.grant())))
            .await
            .map(drop)
    }

    pub(crate) async fn charge_up_to(&self, key: &[u8], cost: NonZeroU32) -> Result<(), S::Error> {
        self.perform(Op::ConsumeUpTo, self.charge(key, cost))
            .await
            .map(drop)
    }

    #[cfg(feature = "tokio")]
    pub(crate) fn line(&self) -> &crate::wait::Line {
        &self.shared.line
    }

    pub(crate) async fn decide(
        &self,
        op: Op,
        key: &[u8],
        cost: NonZeroU32,
    ) -> Result<Decision, S::Error> {
        if self.policy().current_mode() == Mode::Off {
            return Ok(Decision::unlimited());
        }
        let charge = self.charge(key, cost);
        let (now, verdict) = self.perform(op, charge).await?;
        Ok(self.conclude(&charge, verdict, now))
    }

    #[inline]
    pub(crate) fn decide_now(
        &self,
        op: Op,
        key: &[u8],
        cost: NonZeroU32,
    ) -> Option<Result<Decision, S::Error>> {
        if self.policy().current_mode() == Mode::Off {
            return Some(Ok(Decision::unlimited()));
        }
        let charge = self.charge(key, cost);
        let mut verdict = [Verdict::UNKNOWN];
        let answer =
            self.shared
                .store
                .decide_now(op, std::slice::from_ref(&charge), &mut verdict)?;
        Some(answer.map(|now| self.conclude(&charge, verdict[0], now)))
    }

    async fn perform(&self, op: Op, charge: Charge<'_>) -> Result<(Now, Verdict), S::Error> {
        let (charges, mut verdict) = ([charge], [Verdict::UNKNOWN]);
        let store = &self.shared.store;
        let now = match store.decide_now(op, &charges, &mut verdict) {
            Some(answer) => answer?,
            None => store.decide(op, &charges, &mut verdict).await?,
        };
        Ok((now, verdict[0]))
    }

    #[inline]
    fn charge<'a>(&'a self, key: &'a [u8], cost: NonZeroU32) -> Charge<'a> {
        self.charge_in(self.policy().current_mode(), key, cost)
    }

    #[inline]
    fn charge_in<'a>(&'a self, mode: Mode, key: &'a [u8], cost: NonZeroU32) -> Charge<'a> {
        let policy = self.policy();
        Charge::within(&self.shared.scope, key, policy.quota_of(key), cost)
            .shadow(mode == Mode::Shadow)
            .with_block_for(policy.penalty())
    }

    #[inline]
    fn conclude(&self, charge: &Charge<'_>, verdict: Verdict, now: Now) -> Decision {
        if verdict.standing() == Standing::Unknown {
            return self.observed(Decision::unanswered());
        }
        let denied = !charge.is_shadow() && verdict.is_denied();
        let report = Report::new(*self.policy().name(), charge, verdict, now);
        match self.shared.observer {
            None => Decision::of(denied, report),
            Some(_) => self.observed(Decision::of(denied, report)),
        }
    }

    #[inline(never)]
    fn observed(&self, decision: Decision) -> Decision {
        if let Some(observer) = &self.shared.observer {
            observer.decided(&decision);
        }
        decision
    }
}

impl Limiter<MemoryStore> {
    /// Charges the policy's cost to `key`, if it fits: [`check`](Self::check) for code that is not
    /// async, since memory neither waits nor fails.
    #[inline]
    pub fn check_local(&self, key: impl AsRef<[u8]>) -> Decision {
        let mode = self.policy().current_mode();
        if mode == Mode::Off {
            return Decision::unlimited();
        }
        let charge = self.charge_in(mode, key.as_ref(), self.policy().unit_cost());
        let mut verdict = [Verdict::UNKNOWN];
        let charges = std::slice::from_ref(&charge);
        let now = self
            .shared
            .store
            .decide_here(Op::Consume, charges, &mut verdict);
        self.conclude(&charge, verdict[0], now)
    }

    /// Charges the policy's cost to `key`, if it fits, and says no more than that: what
    /// [`check_local`](Self::check_local) does, without a report. For hot loops that need neither
    /// header fields nor figures.
    ///
    /// # Errors
    ///
    /// If it does not fit, with the wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use seawall_ratelimit::{Limiter, MemoryStore, quota};
    ///
    /// let limiter = Limiter::new(MemoryStore::default(), quota!("1/minute"));
    /// assert!(limiter.admit("alice").is_ok());
    /// let wait = limiter.admit("alice").unwrap_err().retry_after();
    /// assert!(wait.is_some_and(|wait| wait.as_secs() <= 60));
    /// ```
    #[inline]
    pub fn admit(&self, key: impl AsRef<[u8]>) -> Result<(), NotNow> {
        let shared = &*self.shared;
        let (policy, subject) = (&shared.policy, key.as_ref());
        if !shared.plain || policy.current_mode() != Mode::Enforce {
            return self.admit_at_length(subject);
        }
        shared.store.admit_plain(&Plain {
            scope: &shared.scope,
            subject,
            quota: policy.quota(),
            cost: policy.unit_cost(),
        })
    }

    #[cold]
    fn admit_at_length(&self, key: &[u8]) -> Result<(), NotNow> {
        match self.check_local(key) {
            Decision::Allow(_) => Ok(()),
            Decision::Deny(denied) => Err(NotNow::after(denied.retry_after())),
        }
    }
}

impl<S> Clone for Limiter<S> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<S> fmt::Debug for Limiter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter")
            .field("policy", &self.shared.policy)
            .finish_non_exhaustive()
    }
}
