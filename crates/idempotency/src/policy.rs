//! What a route has decided.

use std::time::Duration;

use crate::config_error::ConfigError;
use crate::header;
use crate::store::OnLapse;

/// Is what a route has decided about its duplicates.
///
/// There is no default: what shall happen after a crash in the middle of the work is for the route
/// to say, as nobody else can know. [`at_most_once`](Self::at_most_once),
/// [`at_least_once`](Self::at_least_once) and [`replaying_failures`](Self::replaying_failures) are
/// the answers. Where the work is done in the transaction that also completes the record, it is
/// done exactly once with each of them, and `at_least_once` lets a retry finish what a crash broke
/// off.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use seawall_idempotency::{InFlight, Policy};
///
/// let payments = Policy::at_most_once()
///     .retention(Duration::from_secs(7 * 24 * 60 * 60))
///     .in_flight(InFlight::Wait { most: Duration::from_secs(5) });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Policy {
    on_unknown: OnUnknown,
    retention: Duration,
    lease: Duration,
    longest: Duration,
    in_flight: InFlight,
    on_outage: OnOutage,
    presence: Presence,
    largest: usize,
    keeps: Vec<(u16, Keep)>,
    denied: Vec<String>,
}

/// Says what a duplicate gets when an earlier attempt ended and nobody knows how: it crashed, it
/// failed, or it gave no sign of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum OnUnknown {
    /// It is refused until the record expires: at most once.
    Refuse,
    /// It runs: at least once.
    Retry,
    /// As [`Refuse`](Self::Refuse), but an answer of 5xx is stored and replayed like any other.
    Replay,
}

/// Says what a duplicate gets while the first is being worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
#[non_exhaustive]
pub enum InFlight {
    /// It is refused, with a time after which to ask again.
    Refuse,
    /// It waits for the outcome, up to this long. Waiters are
    /// capped, [in all](crate::IdempotencyBuilder::waiters) and
    /// [for one key](crate::IdempotencyBuilder::waiters_per_key); one too many is refused.
    Wait {
        /// Is how long it waits.
        #[cfg_attr(feature = "serde", serde(with = "crate::config::humane"))]
        most: Duration,
    },
}

/// Says what happens when the store does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum OnOutage {
    /// Requests fail. None runs twice.
    Closed,
    /// Requests run without protection. A store that answers, and refuses, still fails them.
    Open,
}

/// Says whether a request needs a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Presence {
    /// A request without one is refused.
    Required,
    /// A request without one runs, unprotected.
    Optional,
}

/// Says what becomes of the record when the work has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Keep {
    /// The answer is stored, and replayed.
    Store,
    /// The record is forgotten: nothing happened, and the request may come again, changed or not.
    Release,
    /// Something may have happened: [`OnUnknown`] decides about the next request.
    Unknown,
}

impl Policy {
    /// Refuses after an unknown outcome: the work is done at most once. For effects that are worse
    /// twice than not at all.
    pub const fn at_most_once() -> Self {
        Self::new(OnUnknown::Refuse)
    }

    /// Retries after an unknown outcome: the work is done at least once. For effects that do no harm
    /// twice, that the next hop recognises by [`Claim::downstream_key`](crate::Claim::downstream_key),
    /// or that are in the record's own transaction.
    pub const fn at_least_once() -> Self {
        Self::new(OnUnknown::Retry)
    }

    /// Stores answers of 5xx too, and replays them; after a crash there is none, and duplicates are
    /// refused.
    pub const fn replaying_failures() -> Self {
        Self::new(OnUnknown::Replay)
    }

    const fn new(on_unknown: OnUnknown) -> Self {
        Self {
            on_unknown,
            retention: Duration::from_secs(24 * 60 * 60),
            lease: Duration::from_secs(30),
            longest: Duration::from_secs(10 * 60),
            in_flight: InFlight::Refuse,
            on_outage: OnOutage::Closed,
            presence: Presence::Optional,
            largest: 1 << 20,
            keeps: Vec::new(),
            denied: Vec::new(),
        }
    }

    /// Sets how long a record is kept, from its first request on. Default: 24 hours.
    pub fn retention(self, retention: Duration) -> Self {
        Self { retention, ..self }
    }

    /// Sets how long an attempt may give no sign of life. It is renewed when a third of it has
    /// passed. Default: 30 seconds; shorter frees the key sooner after a crash, and longer stands
    /// longer pauses of a process or its store.
    pub fn lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }

    /// Sets for how long a lease is renewed. Default: ten minutes; whatever works longer than that
    /// is taken for stuck, and [is told](crate::Claim::lost) that somebody else may take over.
    pub fn longest(self, longest: Duration) -> Self {
        Self { longest, ..self }
    }

    /// Sets what a duplicate gets while the first is being worked on. Default: [`InFlight::Refuse`],
    /// which costs nothing to hold.
    pub fn in_flight(self, in_flight: InFlight) -> Self {
        Self { in_flight, ..self }
    }

    /// Sets what happens when the store does not answer. Default: [`OnOutage::Closed`].
    pub fn on_outage(self, on_outage: OnOutage) -> Self {
        Self { on_outage, ..self }
    }

    /// Sets whether a request needs a key. Default: [`Presence::Optional`].
    pub fn presence(self, presence: Presence) -> Self {
        Self { presence, ..self }
    }

    /// Sets how many bytes an encoded outcome may have. Default: 1 MiB. One that is larger is stored
    /// without its body: the operation counts as done, and is not done again.
    pub fn largest(self, largest: usize) -> Self {
        Self { largest, ..self }
    }

    /// Sets what becomes of the record after an answer of this status. Default: [`keep`](Self::keep).
    pub fn keep_status(mut self, status: u16, keep: Keep) -> Self {
        self.keeps.retain(|(known, _)| *known != status);
        self.keeps.push((status, keep));
        self
    }

    /// Adds a header that is not stored. By default none is that belongs to a connection
    /// (`Connection` and what it names, `Transfer-Encoding`, …), to one answer (`Date`, `Age`,
    /// `Content-Length`, request and trace ids, rate limits) or to one caller's session
    /// (`Set-Cookie`, challenges of authentication).
    pub fn deny_header(mut self, name: impl Into<String>) -> Self {
        let mut name = name.into();
        name.make_ascii_lowercase();
        self.denied.push(name);
        self
    }

    /// Returns what becomes of the record after an answer of this status: 2xx, 3xx and 4xx are
    /// stored, but 401, 403, 408, 425 and 429, after which the same request may well succeed, are
    /// released. 5xx is unknown, or stored with [`replaying_failures`](Self::replaying_failures), as
    /// is everything that is no final status.
    #[must_use]
    pub fn keep(&self, status: u16) -> Keep {
        if let Some((_, keep)) = self.keeps.iter().find(|(known, _)| *known == status) {
            return *keep;
        }
        match status {
            401 | 403 | 408 | 425 | 429 => Keep::Release,
            200..=499 => Keep::Store,
            500..=599 if self.on_unknown == OnUnknown::Replay => Keep::Store,
            _ => Keep::Unknown,
        }
    }

    /// Returns whether a header is stored. `name` is in any case.
    #[must_use]
    pub fn keeps_header(&self, name: &[u8]) -> bool {
        let denied = |denied: &String| name.eq_ignore_ascii_case(denied.as_bytes());
        !header::is_denied(name) && !self.denied.iter().any(denied)
    }

    /// Returns what happens after an unknown outcome.
    #[must_use]
    pub const fn unknown(&self) -> OnUnknown {
        self.on_unknown
    }

    /// Returns whether a request needs a key.
    #[must_use]
    pub const fn key_presence(&self) -> Presence {
        self.presence
    }

    /// Returns how many bytes an encoded outcome may have: reading more of a response is in vain.
    #[must_use]
    pub const fn largest_outcome(&self) -> usize {
        self.largest
    }

    pub(crate) const fn on_lapse(&self) -> OnLapse {
        match self.on_unknown {
            OnUnknown::Retry => OnLapse::TakeOver,
            OnUnknown::Refuse | OnUnknown::Replay => OnLapse::Keep,
        }
    }

    pub(crate) const fn lease_length(&self) -> Duration {
        self.lease
    }

    pub(crate) const fn longest_work(&self) -> Duration {
        self.longest
    }

    pub(crate) const fn kept_for(&self) -> Duration {
        self.retention
    }

    pub(crate) const fn patience(&self) -> Option<Duration> {
        match self.in_flight {
            InFlight::Refuse => None,
            InFlight::Wait { most } => Some(most),
        }
    }

    pub(crate) fn fails_open(&self) -> bool {
        self.on_outage == OnOutage::Open
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.lease < Duration::from_millis(10) {
            return Err(ConfigError::new("lease", "10 ms or more"));
        }
        if self.longest < self.lease {
            return Err(ConfigError::new("longest", "at least the lease"));
        }
        // Else a record could expire, and the request run again, while it is being worked on.
        if self.retention <= self.longest.saturating_add(self.lease) {
            return Err(ConfigError::new(
                "retention",
                "more than the longest work and a lease together",
            ));
        }
        if self.retention > LONGEST_RETENTION {
            return Err(ConfigError::new("retention", "366 days at most"));
        }
        if self.patience().is_some_and(|most| most.is_zero()) {
            return Err(ConfigError::new("in_flight", "a wait of more than nothing"));
        }
        if self.largest < crate::Caps::ALWAYS_FITS {
            return Err(ConfigError::new("largest", "128 bytes or more"));
        }
        Ok(())
    }
}

/// Far from where any store's times end.
const LONGEST_RETENTION: Duration = Duration::from_secs(366 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_answers_are_kept() {
        let (once, replaying) = (Policy::at_most_once(), Policy::replaying_failures());
        for status in [200, 201, 204, 299, 300, 303, 399, 400, 404, 409, 422, 499] {
            assert_eq!(once.keep(status), Keep::Store, "{status}");
        }
        for status in [401, 403, 408, 425, 429] {
            assert_eq!(replaying.keep(status), Keep::Release, "{status}");
        }
        for status in [500, 503, 599] {
            assert_eq!(once.keep(status), Keep::Unknown, "{status}");
            assert_eq!(replaying.keep(status), Keep::Store, "{status}");
        }
        for status in [0, 101, 199, 600] {
            assert_eq!(replaying.keep(status), Keep::Unknown, "{status}");
        }
        let own = once
            .keep_status(404, Keep::Release)
            .keep_status(404, Keep::Unknown);
        assert_eq!(own.keep(404), Keep::Unknown);
    }

    #[test]
    fn what_cannot_work_is_refused_by_name() {
        let check = |policy: Policy, setting: &str| {
            assert_eq!(policy.check().unwrap_err().setting(), setting);
        };
        let base = Policy::at_least_once;
        assert_eq!(base().check(), Ok(()));
        check(base().lease(Duration::ZERO), "lease");
        check(base().longest(Duration::from_secs(1)), "longest");
        check(base().retention(Duration::from_secs(600)), "retention");
        check(base().retention(Duration::MAX), "retention");
        check(
            base().in_flight(InFlight::Wait {
                most: Duration::ZERO,
            }),
            "in_flight",
        );
        check(base().largest(10), "largest");
    }

    #[test]
    fn headers_are_denied_in_any_case() {
        let policy = Policy::at_most_once().deny_header("X-Mine");
        assert!(!policy.keeps_header(b"x-mINE"));
        assert!(!policy.keeps_header(b"Set-Cookie"));
        assert!(policy.keeps_header(b"location"));
    }
}
