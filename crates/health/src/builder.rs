//! What a [`Health`] is made of, checked before it runs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::check::Pace;
use crate::observer::OnChange;
use crate::{Change, Check, ConfigError, Details, Health, Observer};

/// Builds a [`Health`]. Every setter states its default.
#[must_use = "nothing happens before `build`"]
pub struct Builder {
    pub(crate) service: Option<(String, String)>,
    pub(crate) checks: Vec<Check>,
    pub(crate) heartbeat: Option<Heartbeat>,
    pub(crate) details: Details,
    pub(crate) observers: Vec<Arc<dyn Observer>>,
}

/// How it is noticed that the runtime does not move: a task beats, and a probe looks for the last beat.
///
/// It finds what a probe cannot find by being answered: a worker that is blocked while others answer, or
/// a stalled runtime seen from a listener on another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    pub(crate) every: Duration,
    pub(crate) stall_after: Duration,
}

impl Heartbeat {
    /// A beat `every` so often; a runtime without one for `stall_after` has stalled.
    #[must_use]
    pub const fn new(every: Duration, stall_after: Duration) -> Self {
        Self { every, stall_after }
    }
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            service: None,
            checks: Vec::new(),
            heartbeat: Some(Heartbeat::new(
                Duration::from_secs(1),
                Duration::from_secs(10),
            )),
            details: Details::Hidden,
            observers: Vec::new(),
        }
    }

    /// The service's name and version, which only full details show. Default: none.
    pub fn service(mut self, id: impl Into<String>, version: impl Into<String>) -> Self {
        self.service = Some((id.into(), version.into()));
        self
    }

    /// One more check. Without any, the service is ready as long as it runs.
    pub fn check(mut self, check: Check) -> Self {
        self.checks.push(check);
        self
    }

    /// How a stalled runtime is noticed. Default: a beat a second, stalled after 10 s without. A much
    /// shorter limit restarts processes because their host was busy, which makes it busier.
    pub fn heartbeat(mut self, heartbeat: Heartbeat) -> Self {
        self.heartbeat = Some(heartbeat);
        self
    }

    /// Does without a heartbeat. `/livez` then fails only when the process says that it is broken, and
    /// stale checks are noticed by the next probe and not before.
    pub fn without_heartbeat(mut self) -> Self {
        self.heartbeat = None;
        self
    }

    /// What everybody may see. Default: nothing but the state.
    pub fn details(mut self, details: Details) -> Self {
        self.details = details;
        self
    }

    /// Who learns of runs and changes. Default: nobody.
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observers.push(Arc::new(observer));
        self
    }

    /// A closure that learns of changes.
    pub fn on_change(self, told: impl Fn(&Change) + Send + Sync + 'static) -> Self {
        self.observer(OnChange(told))
    }

    /// Checks the settings. Nothing runs yet: see [`Health::start`].
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for a name that is empty, long, used twice, or made of anything but
    /// `A-Z a-z 0-9 . _ : -`; for an interval or limit of zero; for a jitter that is not from 0 to 1;
    /// and for an age at which every result would be stale, or every runtime stalled.
    pub fn build(self) -> Result<Health, ConfigError> {
        for (index, check) in self.checks.iter().enumerate() {
            examine(check)?;
            if self.checks[..index]
                .iter()
                .any(|other| other.name == check.name)
            {
                return Err(ConfigError::new(Some(&check.name), "name", "unique"));
            }
        }
        if let Some(Heartbeat { every, stall_after }) = self.heartbeat {
            let positive = |key, span: Duration| match span.is_zero() {
                true => Err(ConfigError::new(None, key, "longer than zero")),
                false => Ok(()),
            };
            positive("heartbeat.every", every)?;
            if stall_after < every.saturating_mul(2) {
                let expected = "at least two beats long, or every runtime would have stalled";
                return Err(ConfigError::new(None, "heartbeat.stall_after", expected));
            }
        }
        Ok(Health::new(self))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("checks", &self.checks)
            .field("heartbeat", &self.heartbeat)
            .field("details", &self.details)
            .finish_non_exhaustive()
    }
}

fn examine(check: &Check) -> Result<(), ConfigError> {
    let wrong = |key, expected| Err(ConfigError::new(Some(&check.name), key, expected));
    let fits = |c: u8| c.is_ascii_alphanumeric() || b"._:-".contains(&c);
    if check.name.is_empty() || check.name.len() > 64 || !check.name.bytes().all(fits) {
        return wrong("name", "1 to 64 of A-Z a-z 0-9 . _ : -");
    }
    if !(0.0..=1.0).contains(&check.jitter) {
        return wrong("jitter", "from 0 to 1");
    }
    for (key, span) in [
        ("timeout", Some(check.timeout)),
        ("stale_after", check.stale_after),
        ("every", check.pace.interval()),
    ] {
        if span.is_some_and(|span| span.is_zero()) {
            return wrong(key, "longer than zero");
        }
    }
    for (key, runs) in [
        ("fail_after", check.fail_after),
        ("recover_after", check.recover_after),
    ] {
        if runs == 0 {
            return wrong(key, "at least 1");
        }
    }
    if let (Some(age), Some(interval)) = (check.stale_after, check.pace.interval()) {
        let between_results = interval
            .mul_f64(1.0 + check.jitter)
            .saturating_add(check.timeout);
        if age <= between_results {
            return wrong(
                "stale_after",
                "more than interval, jitter and timeout together, or good results would be stale",
            );
        }
    }
    Ok(())
}

impl Pace {
    fn interval(self) -> Option<Duration> {
        match self {
            Self::Every(interval) => Some(interval),
            Self::OnDemand(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn named(name: &str) -> Check {
        Check::new(name, async || Ok::<_, String>(()))
    }

    fn refused(builder: Builder, expected: &str) {
        assert_eq!(builder.build().unwrap_err().to_string(), expected);
    }

    #[test]
    fn names_are_short_plain_and_unique() {
        let longest = "x".repeat(64);
        for good in ["db", "a.b_c:d-9", &longest] {
            assert!(Health::builder().check(named(good)).build().is_ok());
        }
        for bad in ["", "a b", "a\"b", "ä", &"x".repeat(65)] {
            assert_eq!(
                Health::builder()
                    .check(named(bad))
                    .build()
                    .unwrap_err()
                    .key(),
                "name"
            );
        }
        refused(
            Health::builder().check(named("db")).check(named("db")),
            "check \"db\": `name` must be unique",
        );
    }

    #[test]
    fn settings_that_make_no_sense_are_named() {
        type Set = fn(Check) -> Check;
        let cases: [(Set, &str); 8] = [
            (|c| c.timeout(Duration::ZERO), "timeout"),
            (|c| c.every(Duration::ZERO), "every"),
            (|c| c.stale_after(Duration::ZERO), "stale_after"),
            (|c| c.fail_after(0), "fail_after"),
            (|c| c.recover_after(0), "recover_after"),
            (|c| c.jitter(1.1), "jitter"),
            (|c| c.jitter(f64::NAN), "jitter"),
            (
                |c| {
                    c.every(5 * SECOND)
                        .timeout(SECOND)
                        .jitter(0.2)
                        .stale_after(7 * SECOND)
                },
                "stale_after",
            ),
        ];
        for (set, key) in cases {
            let error = Health::builder()
                .check(set(named("db")))
                .build()
                .unwrap_err();
            assert_eq!((error.check(), error.key()), (Some("db"), key));
        }
        let just_enough = |c: Check| {
            c.every(5 * SECOND)
                .timeout(SECOND)
                .jitter(0.2)
                .stale_after(8 * SECOND)
        };
        assert!(
            Health::builder()
                .check(just_enough(named("db")))
                .build()
                .is_ok()
        );
    }

    #[test]
    fn a_runtime_is_not_stalled_between_two_beats() {
        refused(
            Health::builder().heartbeat(Heartbeat::new(2 * SECOND, 3 * SECOND)),
            "`heartbeat.stall_after` must be at least two beats long, or every runtime would have stalled",
        );
        refused(
            Health::builder().heartbeat(Heartbeat::new(Duration::ZERO, SECOND)),
            "`heartbeat.every` must be longer than zero",
        );
    }
}
