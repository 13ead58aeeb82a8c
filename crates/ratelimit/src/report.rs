//! The part of a decision that one policy speaks for.

use std::time::Duration;

use crate::clock::Now;
use crate::policy::PolicyName;
use crate::quota::Quota;
use crate::source::{Reason, Source};
use crate::store::{Charge, Grant};
use crate::verdict::{Standing, Verdict};

/// What one policy says about one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report {
    policy: PolicyName,
    quota: Quota,
    verdict: Verdict,
    cost: u32,
    shadow: bool,
    at: Now,
}

impl Report {
    #[inline]
    pub(crate) fn new(policy: PolicyName, charge: &Charge<'_>, verdict: Verdict, at: Now) -> Self {
        Self {
            policy,
            quota: *charge.quota(),
            verdict,
            cost: charge.cost(),
            shadow: charge.is_shadow(),
            at,
        }
    }

    /// The name of the policy.
    #[must_use]
    pub const fn policy(&self) -> &PolicyName {
        &self.policy
    }

    /// The quota that was applied.
    #[must_use]
    pub const fn quota(&self) -> &Quota {
        &self.quota
    }

    /// What the request cost.
    #[must_use]
    pub const fn cost(&self) -> u32 {
        self.cost
    }

    /// Whole units left.
    #[must_use]
    pub const fn remaining(&self) -> u32 {
        self.verdict.remaining()
    }

    /// After what time the same request fits, if nothing else is charged: zero if it fits now, `None`
    /// where no wait helps.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.verdict.retry_after()
    }

    /// The time until all of the capacity is there again.
    #[must_use]
    pub const fn reset(&self) -> Duration {
        self.verdict.reset()
    }

    /// The time until one more unit is there; zero if all are.
    #[must_use]
    pub const fn next(&self) -> Duration {
        self.verdict.next()
    }

    /// Unix time in seconds, rounded up, at which all of the capacity is there again.
    #[must_use]
    pub const fn reset_unix(&self) -> u64 {
        ceil_seconds(self.at.unix().saturating_add(self.verdict.reset()))
    }

    /// Whether this policy denies. If it is a shadow, the request may have passed all the same.
    #[must_use]
    pub const fn is_denied(&self) -> bool {
        !self.verdict.is_allowed()
    }

    /// Whether this policy only watches.
    #[must_use]
    pub const fn is_shadow(&self) -> bool {
        self.shadow
    }

    /// Who decided for this policy.
    #[must_use]
    pub const fn source(&self) -> Source {
        self.verdict.source()
    }

    /// The store's time of the decision, in whole microseconds.
    #[must_use]
    pub const fn at(&self) -> Now {
        self.at
    }

    pub(crate) const fn grant(&self) -> Grant {
        Grant {
            at: self.at,
            reset: self.verdict.reset(),
            source: self.verdict.source(),
        }
    }

    pub(crate) const fn reason(&self) -> Reason {
        match self.verdict.standing() {
            Standing::Blocked => Reason::Blocked,
            Standing::StoreFull => Reason::StoreFull,
            _ => Reason::OverLimit,
        }
    }

    /// Denied before allowed; then the longer wait; then the smaller part of the capacity left.
    pub(crate) fn binds_more_than(&self, other: &Self) -> bool {
        if self.is_denied() != other.is_denied() {
            return self.is_denied();
        }
        if self.is_denied() {
            let wait = |report: &Self| report.retry_after().unwrap_or(Duration::MAX);
            return wait(self) > wait(other);
        }
        let (capacity, others) = (self.quota.burst(), other.quota.burst());
        u64::from(self.remaining()) * u64::from(others)
            < u64::from(other.remaining()) * u64::from(capacity)
    }
}

pub(crate) const fn ceil_seconds(time: Duration) -> u64 {
    time.as_secs()
        .saturating_add((time.subsec_nanos() > 0) as u64)
}
