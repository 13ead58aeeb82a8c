//! What a caller is told: go on, or not, and why.

use std::time::Duration;

use crate::report::Report;
use crate::reports::Reports;
use crate::source::{Reason, Source};

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

    /// The decision of one policy. Inlined and in one expression, so that it is written where the
    /// caller wants it: a decision is large, and moving it would cost more than making it.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "see above")]
    pub(crate) fn of(denied: bool, report: Report) -> Self {
        let (source, reason) = (report.source(), report.reason());
        if denied {
            Self::Deny(Denied {
                reports: Reports::One([report]),
                source,
                reason,
            })
        } else {
            Self::Allow(Allowed {
                reports: Reports::One([report]),
                source,
            })
        }
    }

    /// A decision without reports yet, of at most `count` to come; `denied` says whether one of them
    /// denies.
    #[inline]
    pub(crate) fn empty(denied: bool, count: usize) -> Self {
        let reports = Reports::for_several(count);
        if denied {
            Self::Deny(Denied {
                reports,
                source: Source::Store,
                reason: Reason::OverLimit,
            })
        } else {
            Self::Allow(Allowed {
                reports,
                source: Source::Store,
            })
        }
    }

    /// Adds a report, and takes over what it says about source and reason.
    #[inline]
    pub(crate) fn push(&mut self, report: Report) {
        match self {
            Self::Allow(allowed) => {
                let source = report.source();
                allowed.reports.push(report);
                if source != Source::Store {
                    allowed.source = source;
                }
            }
            Self::Deny(denied) => {
                denied.reports.push(report);
                if report.is_denied()
                    && let Some(report) = binding(&denied.reports)
                {
                    denied.source = report.source();
                    denied.reason = report.reason();
                }
            }
        }
    }

    /// The decision where the store said that it decided, and did not say what: a denial that nobody
    /// can wait out.
    #[cold]
    pub(crate) const fn unanswered() -> Self {
        Self::deny(Reports::None, Source::FailClosed, Reason::StoreRefused)
    }

    /// The decision where no policy applies.
    pub(crate) const fn unlimited() -> Self {
        Self::allow(Reports::None, Source::Store)
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
        let elsewhere = [outer.source(), inner.source()]
            .into_iter()
            .find(|s| *s != Source::Store);
        let denial = match (&outer, &inner) {
            (Self::Allow(_), Self::Allow(_)) => None,
            (Self::Deny(denied), Self::Allow(_)) | (Self::Allow(_), Self::Deny(denied)) => {
                Some((denied.source, denied.reason))
            }
            (Self::Deny(outer), Self::Deny(inner)) => {
                let longer = if inner.wait() > outer.wait() {
                    inner
                } else {
                    outer
                };
                Some((longer.source, longer.reason))
            }
        };
        let mut reports = outer.into_reports();
        for report in inner.into_reports().iter() {
            reports.push(*report);
        }
        match denial {
            Some((source, reason)) => Self::deny(reports, source, reason),
            None => Self::allow(reports, elsewhere.unwrap_or(Source::Store)),
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
        let mut longest = match self.reason {
            Reason::StoreRefused => return None,
            Reason::StoreUnavailable => UNKNOWN_OUTAGE,
            _ => Duration::ZERO,
        };
        for report in self.violated() {
            longest = longest.max(report.retry_after()?);
        }
        Some(longest)
    }

    /// The wait, for comparing: the longest is that which never ends.
    fn wait(&self) -> Duration {
        self.retry_after().unwrap_or(Duration::MAX)
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
