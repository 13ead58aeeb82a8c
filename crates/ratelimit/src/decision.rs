//! What a caller is told: go on, or not, and why.

use std::time::Duration;

use smallvec::SmallVec;

use crate::report::Report;

/// The answer to "may this caller go on now?".
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a decision that nobody reads limits nothing"]
#[expect(clippy::exhaustive_enums, reason = "there is no third answer")]
pub enum Decision {
    /// Go on: it has been charged.
    Allow(Allowed),
    /// Do not: nothing has been charged.
    Deny(Denied),
}

/// A decision to go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Allowed {
    reports: Reports,
    source: Source,
}

/// A decision not to go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Denied {
    reports: Reports,
    source: Source,
    reason: Reason,
}

/// Who decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// The store.
    Store,
    /// A store in this process, standing in for one that is out of reach.
    Local,
    /// A local memory of earlier denials.
    DenyCache,
    /// Nobody: the store is out of reach, and the policies let pass then.
    FailOpen,
    /// Nobody: the store is out of reach or refused, and the policies deny then.
    FailClosed,
}

/// Why a caller may not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// A quota is spent, or the cost is above the capacity.
    OverLimit,
    /// A key is blocked.
    Blocked,
    /// A memory store has no room for another key, and denies then.
    StoreFull,
    /// The store refused to decide, or the keys do not belong to the policies.
    StoreRefused,
    /// The store is out of reach, and a policy denies then.
    StoreUnavailable,
}

pub(crate) type Reports = SmallVec<[Report; 4]>;

impl Decision {
    pub(crate) const fn allow(reports: Reports, source: Source) -> Self {
        Self::Allow(Allowed { reports, source })
    }

    pub(crate) const fn deny(reports: Reports, source: Source, reason: Reason) -> Self {
        Self::Deny(Denied {
            reports,
            source,
            reason,
        })
    }

    /// The decision that the reports add up to; `denied` says whether one of them denies.
    ///
    /// The decision is made first and filled in place: it is large enough that moving it would show.
    #[inline]
    pub(crate) fn gather(denied: bool, reports: impl Iterator<Item = Report>) -> Self {
        let mut decision = if denied {
            Self::deny(Reports::new(), Source::Store, Reason::OverLimit)
        } else {
            Self::allow(Reports::new(), Source::Store)
        };
        match &mut decision {
            Self::Allow(allowed) => {
                allowed.reports.extend(reports);
                let mut elsewhere = allowed.reports.iter().map(Report::source);
                allowed.source = elsewhere
                    .find(|s| *s != Source::Store)
                    .unwrap_or(Source::Store);
            }
            Self::Deny(denied) => {
                denied.reports.extend(reports);
                if let Some(report) = binding(&denied.reports) {
                    denied.source = report.source();
                    denied.reason = report.reason();
                }
            }
        }
        decision
    }

    /// The decision where the store said that it decided, and did not say what.
    #[cold]
    pub(crate) fn unanswered() -> Self {
        Self::deny(Reports::new(), Source::FailClosed, Reason::StoreRefused)
    }

    /// The decision where no policy applies.
    pub(crate) fn unlimited() -> Self {
        Self::allow(Reports::new(), Source::Store)
    }

    /// Whether the caller may go on.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allow(_))
    }

    /// One report a policy that was asked, in the order of the policies.
    #[must_use]
    pub fn reports(&self) -> &[Report] {
        match self {
            Self::Allow(allowed) => &allowed.reports,
            Self::Deny(denied) => &denied.reports,
        }
    }

    /// The policy that the caller has to heed: among those that deny, the one with the longest wait;
    /// otherwise the one with the smallest part of its capacity left. Shadow policies never bind.
    #[must_use]
    pub fn binding(&self) -> Option<&Report> {
        binding(self.reports())
    }

    /// Who decided.
    #[must_use]
    pub const fn source(&self) -> Source {
        match self {
            Self::Allow(allowed) => allowed.source,
            Self::Deny(denied) => denied.source,
        }
    }

    /// Puts two decisions about one request together, so that it is answered once: `outer` was made
    /// first (by address, say), `inner` later (by principal). The result denies if one of them does.
    ///
    /// What `outer` charged stays charged when `inner` denies: all-or-none is a promise within one
    /// decision.
    pub fn merge(outer: Self, inner: Self) -> Self {
        let (outer_source, inner_source) = (outer.source(), inner.source());
        let reason = match (&outer, &inner) {
            (Self::Deny(denied), _) | (_, Self::Deny(denied)) => {
                Some((denied.reason, denied.source))
            }
            _ => None,
        };
        let mut reports = outer.into_reports();
        reports.extend(inner.into_reports());
        match reason {
            Some((reason, source)) => Self::deny(reports, source, reason),
            None => {
                let source = if outer_source == Source::Store {
                    inner_source
                } else {
                    outer_source
                };
                Self::allow(reports, source)
            }
        }
    }

    fn into_reports(self) -> Reports {
        match self {
            Self::Allow(allowed) => allowed.reports,
            Self::Deny(denied) => denied.reports,
        }
    }
}

impl Allowed {
    /// One report a policy that was asked, in the order of the policies.
    #[must_use]
    pub fn reports(&self) -> &[Report] {
        &self.reports
    }

    /// The policy with the smallest part of its capacity left.
    #[must_use]
    pub fn binding(&self) -> Option<&Report> {
        binding(&self.reports)
    }

    /// Who decided.
    #[must_use]
    pub const fn source(&self) -> Source {
        self.source
    }
}

impl Denied {
    /// One report a policy that was asked, in the order of the policies.
    #[must_use]
    pub fn reports(&self) -> &[Report] {
        &self.reports
    }

    /// The reports of the policies that deny.
    pub fn violated(&self) -> impl Iterator<Item = &Report> {
        self.reports
            .iter()
            .filter(|report| report.is_denied() && !report.is_shadow())
    }

    /// The policy with the longest wait.
    #[must_use]
    pub fn binding(&self) -> Option<&Report> {
        binding(&self.reports)
    }

    /// After what time the same request may pass; `None` where no wait helps.
    ///
    /// Where the store is out of reach this is one second: nobody knows better.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self.reason {
            Reason::StoreRefused => None,
            Reason::StoreUnavailable => Some(UNKNOWN_OUTAGE),
            _ => {
                let mut longest = Duration::ZERO;
                for report in self.violated() {
                    longest = longest.max(report.retry_after()?);
                }
                Some(longest)
            }
        }
    }

    /// Why.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// Who decided.
    #[must_use]
    pub const fn source(&self) -> Source {
        self.source
    }
}

impl From<Allowed> for Decision {
    fn from(allowed: Allowed) -> Self {
        Self::Allow(allowed)
    }
}

impl From<Denied> for Decision {
    fn from(denied: Denied) -> Self {
        Self::Deny(denied)
    }
}

#[inline]
fn binding(reports: &[Report]) -> Option<&Report> {
    let mut binding: Option<&Report> = None;
    for report in reports.iter().filter(|report| !report.is_shadow()) {
        if binding.is_none_or(|other| report.binds_more_than(other)) {
            binding = Some(report);
        }
    }
    binding
}

const UNKNOWN_OUTAGE: Duration = Duration::from_secs(1);
