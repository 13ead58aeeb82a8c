//! A named quota with everything that a service decides about it.

mod name;

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use crate::error::ConfigError;
use crate::quota::{Algorithm, Quota};

pub use name::PolicyName;

/// A named quota with its cost, its mode, and what happens when the store is out of reach.
///
/// Clones share the mode, so that a clone kept elsewhere is a switch.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use seawall_ratelimit::{Mode, OnStoreError, Policy, quota};
///
/// let login = Policy::new("login", quota!("5/minute"))?
///     .on_store_error(OnStoreError::FailClosed)
///     .block_for(Duration::from_secs(300));
///
/// let launch = Policy::new("search", quota!("100/minute"))?.mode(Mode::Shadow);
/// let switch = launch.clone();
/// switch.set_mode(Mode::Enforce);
/// assert_eq!(launch.current_mode(), Mode::Enforce);
/// # Ok::<(), seawall_ratelimit::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Policy {
    name: PolicyName,
    quota: Quota,
    quota_by_key: Option<QuotaByKey>,
    cost: NonZeroU32,
    mode: Arc<AtomicU8>,
    on_store_error: OnStoreError,
    block_for: Option<Duration>,
    count: CountRule,
}

type QuotaByKey = Arc<dyn Fn(&[u8]) -> Quota + Send + Sync>;

/// Whether a policy denies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
#[repr(u8)]
pub enum Mode {
    /// It counts and denies.
    #[default]
    Enforce,
    /// It counts and reports, and denies nobody: for trying a limit on real traffic.
    Shadow,
    /// It is not asked.
    Off,
}

/// What a policy answers when the store is [unavailable](crate::StoreFailure::Unavailable).
///
/// Where several policies are decided in one call, one that fails closed denies for all; else those
/// that count locally decide; else the request passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
#[non_exhaustive]
pub enum OnStoreError {
    /// Let pass. The default: most limits protect availability, and an outage of the store should
    /// not become one of the service.
    #[default]
    FailOpen,
    /// Deny: for limits that guard money or passwords.
    FailClosed,
    /// Count in this process, with the quota divided by the number of replicas.
    Local {
        /// How many processes share the quota.
        replicas: NonZeroU32,
    },
}

/// Which responses count. All are charged when the request comes, since nobody knows its end yet;
/// what does not count is refunded by [`Policies::settle`](crate::Policies::settle).
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub enum CountRule {
    /// All. The default.
    #[default]
    Always,
    /// Responses with a status of 400 and above: for guessing at passwords.
    Failures,
    /// Responses with a status below 400: for what is billed.
    Successes,
    /// Responses whose status the function accepts.
    OnlyIf(fn(u16) -> bool),
}

impl CountRule {
    /// Whether a response with this status counts.
    #[must_use]
    pub fn counts(&self, status: u16) -> bool {
        match self {
            Self::Always => true,
            Self::Failures => status >= 400,
            Self::Successes => status < 400,
            Self::OnlyIf(rule) => rule(status),
        }
    }
}

impl Policy {
    /// A policy that enforces `quota`.
    ///
    /// # Errors
    ///
    /// If the name is empty, longer than 31 bytes, or holds anything but visible ASCII; `"` and `\`
    /// are not allowed, since the name stands in header fields.
    pub fn new(name: impl AsRef<str>, quota: Quota) -> Result<Self, ConfigError> {
        Ok(Self::named(name.as_ref().parse()?, quota))
    }

    pub(crate) fn named(name: PolicyName, quota: Quota) -> Self {
        Self {
            name,
            quota,
            quota_by_key: None,
            cost: NonZeroU32::MIN,
            mode: Arc::new(AtomicU8::new(Mode::Enforce as u8)),
            on_store_error: OnStoreError::default(),
            block_for: None,
            count: CountRule::default(),
        }
    }

    /// What a request costs. Default: 1.
    #[must_use]
    pub fn cost(self, cost: NonZeroU32) -> Self {
        Self { cost, ..self }
    }

    /// Whether the policy denies. Default: [`Mode::Enforce`]. Not shared with earlier clones.
    #[must_use]
    pub fn mode(self, mode: Mode) -> Self {
        Self {
            mode: Arc::new(AtomicU8::new(mode as u8)),
            ..self
        }
    }

    /// What happens when the store is out of reach. Default: [`OnStoreError::FailOpen`].
    #[must_use]
    pub fn on_store_error(self, on_store_error: OnStoreError) -> Self {
        Self {
            on_store_error,
            ..self
        }
    }

    /// Blocks a key that is over its limit for `time`, whatever comes back meanwhile. The block is
    /// stored apart from the count, and further attempts do not prolong it. Zero adds no blocks and
    /// honours those set by [`Limiter::block`](crate::Limiter::block). Default: no blocks, and none
    /// are looked up.
    #[must_use]
    pub fn block_for(self, time: Duration) -> Self {
        Self {
            block_for: Some(time),
            ..self
        }
    }

    /// Chooses the quota by the key ([`key::parts`](crate::key_parts) takes it apart). Default: one
    /// quota for all. The quota given to [`new`](Self::new) is then only what is documented.
    #[must_use]
    pub fn quota_by_key(self, choose: impl Fn(&[u8]) -> Quota + Send + Sync + 'static) -> Self {
        Self {
            quota_by_key: Some(Arc::new(choose)),
            ..self
        }
    }

    /// Which responses count. Default: [`CountRule::Always`].
    #[must_use]
    pub fn count(self, count: CountRule) -> Self {
        Self { count, ..self }
    }

    /// Switches the mode, in all clones, from the next request on.
    pub fn set_mode(&self, mode: Mode) {
        // Relaxed: the mode orders nothing else.
        self.mode.store(mode as u8, Ordering::Relaxed);
    }

    /// The mode now.
    #[must_use]
    #[inline]
    pub fn current_mode(&self) -> Mode {
        match self.mode.load(Ordering::Relaxed) {
            SHADOW => Mode::Shadow,
            OFF => Mode::Off,
            _ => Mode::Enforce,
        }
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> &PolicyName {
        &self.name
    }

    /// The quota, unless it is chosen by key.
    #[must_use]
    pub const fn quota(&self) -> &Quota {
        &self.quota
    }

    /// The quota that `key` has.
    #[must_use]
    #[inline]
    pub fn quota_of(&self, key: &[u8]) -> Quota {
        match &self.quota_by_key {
            None => self.quota,
            Some(choose) => choose(key),
        }
    }

    /// Whether all that a check needs is the quota, while the policy is enforced: one quota for all
    /// keys, counted by GCRA, without blocks.
    pub(crate) fn is_plain(&self) -> bool {
        self.quota_by_key.is_none()
            && self.block_for.is_none()
            && self.quota.algorithm() == Algorithm::Gcra
    }

    /// What a request costs.
    #[must_use]
    pub const fn unit_cost(&self) -> NonZeroU32 {
        self.cost
    }

    /// What happens when the store is out of reach.
    #[must_use]
    pub const fn store_error_rule(&self) -> OnStoreError {
        self.on_store_error
    }

    /// How long a key that is over its limit is blocked.
    #[must_use]
    pub const fn penalty(&self) -> Option<Duration> {
        self.block_for
    }

    /// Which responses count.
    #[must_use]
    pub const fn count_rule(&self) -> &CountRule {
        &self.count
    }

    /// Refuses what can never admit anything, or never end.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let capacity = self.quota.burst();
        if self.quota_by_key.is_none() && capacity > 0 && self.cost.get() > capacity {
            let error = ConfigError::new("cost", "expected at most the capacity of the quota");
            return Err(error.of(self.name.as_str()));
        }
        if self
            .block_for
            .is_some_and(|time| time > Quota::LONGEST_PERIOD)
        {
            return Err(
                ConfigError::new("block_for", "expected at most 366 days").of(self.name.as_str())
            );
        }
        Ok(())
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("name", &self.name)
            .field("quota", &self.quota)
            .field("by_key", &self.quota_by_key.is_some())
            .field("cost", &self.cost)
            .field("mode", &self.current_mode())
            .field("on_store_error", &self.on_store_error)
            .field("block_for", &self.block_for)
            .field("count", &self.count)
            .finish()
    }
}

const SHADOW: u8 = Mode::Shadow as u8;
const OFF: u8 = Mode::Off as u8;

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        Policy::new("p", Quota::per_minute(10)).unwrap()
    }

    #[test]
    fn a_clone_is_a_switch() {
        let kept = policy().mode(Mode::Shadow);
        let built = kept.clone();
        for mode in [Mode::Off, Mode::Enforce, Mode::Shadow] {
            kept.set_mode(mode);
            assert_eq!(built.current_mode(), mode);
        }
    }

    #[test]
    fn refuses_a_cost_that_never_fits() {
        let cost = |n| policy().cost(NonZeroU32::new(n).unwrap()).validate();
        assert_eq!(cost(10), Ok(()));
        let error = cost(11).unwrap_err();
        assert_eq!((error.policy(), error.key()), (Some("p"), "cost"));
        // Blocking everything is a quota of its own, and meant.
        assert_eq!(
            Policy::new("p", Quota::per_minute(0)).unwrap().validate(),
            Ok(())
        );
    }

    #[test]
    fn refuses_a_block_that_outlasts_the_longest_period() {
        let block = |time| policy().block_for(time).validate();
        assert_eq!(block(Quota::LONGEST_PERIOD), Ok(()));
        let error = block(Quota::LONGEST_PERIOD + Duration::from_nanos(1)).unwrap_err();
        assert_eq!((error.policy(), error.key()), (Some("p"), "block_for"));
    }

    #[test]
    fn debug_shows_the_mode_of_now() {
        let policy = policy();
        policy.set_mode(Mode::Shadow);
        let text = format!("{policy:?}");
        assert!(text.contains("name: \"p\""), "{text}");
        assert!(text.contains("mode: Shadow"), "{text}");
    }

    #[test]
    fn counts_what_the_rule_says() {
        let check = |rule: CountRule, ok, failed| {
            assert_eq!(
                (rule.counts(200), rule.counts(400)),
                (ok, failed),
                "{rule:?}"
            );
        };
        check(CountRule::Always, true, true);
        check(CountRule::Failures, false, true);
        check(CountRule::Successes, true, false);
        check(CountRule::OnlyIf(|status| status == 401), false, false);
    }
}
