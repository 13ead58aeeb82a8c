//! Trip rules and verdicts as they stand in a configuration file: one flat table each, whose `kind`
//! or `mode` says which of the keys belong.
//!
//! Serde could read tagged enums by itself, by way of a buffer; but numbers do not survive that
//! buffer when somebody in the dependency tree turns on `serde_json/arbitrary_precision`. It also
//! would not say which key is missing, or which one belongs to another kind.

use crate::config::DEFAULT_BUCKETS;
use crate::{Rates, Ratio};
use serde::Deserialize;
use std::time::Duration;

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Consecutive,
    Count,
    Time,
    KOfN,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trip {
    kind: Kind,
    failures: Option<u32>,
    size: Option<u32>,
    #[serde(
        default,
        deserialize_with = "crate::humane::some_duration::deserialize"
    )]
    window: Option<Duration>,
    buckets: Option<u32>,
    rates: Option<Rates>,
}

impl TryFrom<Trip> for crate::Trip {
    type Error = String;

    fn try_from(trip: Trip) -> Result<Self, String> {
        let Trip {
            kind,
            failures,
            size,
            window,
            buckets,
            rates,
        } = trip;
        let none_of = |keys: &[(&str, bool)]| none_of("kind", kind, keys);
        match kind {
            Kind::Consecutive => {
                none_of(&[
                    ("size", size.is_some()),
                    ("window", window.is_some()),
                    ("buckets", buckets.is_some()),
                    ("rates", rates.is_some()),
                ])?;
                Ok(Self::consecutive(want("failures", failures)?))
            }
            Kind::KOfN => {
                none_of(&[
                    ("window", window.is_some()),
                    ("buckets", buckets.is_some()),
                    ("rates", rates.is_some()),
                ])?;
                Ok(Self::k_of_n(
                    want("failures", failures)?,
                    want("size", size)?,
                ))
            }
            Kind::Count => {
                none_of(&[
                    ("failures", failures.is_some()),
                    ("window", window.is_some()),
                    ("buckets", buckets.is_some()),
                ])?;
                Ok(Self::count(want("size", size)?, rates.unwrap_or_default()))
            }
            Kind::Time => {
                none_of(&[("failures", failures.is_some()), ("size", size.is_some())])?;
                let buckets = buckets.unwrap_or(DEFAULT_BUCKETS);
                Ok(Self::time(
                    want("window", window)?,
                    buckets,
                    rates.unwrap_or_default(),
                ))
            }
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    AllOf,
    Sample,
    KOfN,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Verdict {
    mode: Mode,
    probes: Option<u32>,
    size: Option<u32>,
    failures: Option<Ratio>,
    strict: Option<bool>,
    successes: Option<u32>,
}

impl TryFrom<Verdict> for crate::Verdict {
    type Error = String;

    fn try_from(verdict: Verdict) -> Result<Self, String> {
        let Verdict {
            mode,
            probes,
            size,
            failures,
            strict,
            successes,
        } = verdict;
        let none_of = |keys: &[(&str, bool)]| none_of("mode", mode, keys);
        match mode {
            Mode::AllOf => {
                none_of(&[
                    ("size", size.is_some()),
                    ("failures", failures.is_some()),
                    ("strict", strict.is_some()),
                    ("successes", successes.is_some()),
                ])?;
                Ok(Self::AllOf {
                    probes: want("probes", probes)?,
                })
            }
            Mode::Sample => {
                none_of(&[
                    ("probes", probes.is_some()),
                    ("successes", successes.is_some()),
                ])?;
                Ok(Self::Sample {
                    size: want("size", size)?,
                    failures: want("failures", failures)?,
                    strict: strict.unwrap_or(false),
                })
            }
            Mode::KOfN => {
                none_of(&[
                    ("probes", probes.is_some()),
                    ("failures", failures.is_some()),
                    ("strict", strict.is_some()),
                ])?;
                Ok(Self::KOfN {
                    successes: want("successes", successes)?,
                    size: want("size", size)?,
                })
            }
        }
    }
}

fn want<T>(key: &str, value: Option<T>) -> Result<T, String> {
    value.ok_or_else(|| format!("missing field `{key}`"))
}

fn none_of(tag: &str, kind: impl std::fmt::Debug, keys: &[(&str, bool)]) -> Result<(), String> {
    match keys.iter().find(|(_, given)| *given) {
        Some((key, _)) => Err(format!("field `{key}` does not belong to {tag} {kind:?}")),
        None => Ok(()),
    }
}
