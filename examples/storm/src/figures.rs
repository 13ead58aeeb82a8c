//! What a scenario found out: figures, checks, specimens.

use std::time::Duration;

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

/// Named figures in the order in which they were added. Durations are in milliseconds and say so in
/// their name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures(Vec<(&'static str, Value)>);

impl Figures {
    pub(crate) fn add(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.push((name, value.into()));
    }

    /// Adds a duration; the name ends in `_ms`.
    pub(crate) fn add_ms(&mut self, name: &'static str, value: Duration) {
        debug_assert!(name.ends_with("_ms"), "{name} says its unit");
        self.add(name, in_ms(value));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }
}

impl Serialize for Figures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Milliseconds with two decimals.
pub(crate) fn in_ms(value: Duration) -> f64 {
    (value.as_secs_f64() * 100_000.0).round() / 100.0
}

/// One promise, and whether it was kept.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Check {
    pub(crate) what: String,
    pub(crate) expected: String,
    pub(crate) got: String,
    pub(crate) ok: bool,
}

impl Check {
    pub(crate) fn new(
        what: impl Into<String>,
        expected: impl Into<String>,
        got: impl Into<String>,
        ok: bool,
    ) -> Self {
        Self {
            what: what.into(),
            expected: expected.into(),
            got: got.into(),
            ok,
        }
    }

    /// Checks that something never happened; `got` tells the first time it did.
    pub(crate) fn none(what: impl Into<String>, tally: &Tally) -> Self {
        Self::new(what, "none", tally.to_string(), tally.count == 0)
    }
}

/// How often something happened, and what it looked like the first times.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) count: u64,
    examples: Vec<String>,
}

impl Tally {
    const EXAMPLES: usize = 3;

    pub(crate) fn note(&mut self, what: impl FnOnce() -> String) {
        self.count += 1;
        if self.examples.len() < Self::EXAMPLES {
            let what = what();
            if !self.examples.contains(&what) {
                self.examples.push(what);
            }
        }
    }

    /// Counts what another tally counted.
    pub(crate) fn add(&mut self, other: &Self) {
        self.count += other.count;
        let room = Self::EXAMPLES - self.examples.len();
        self.examples
            .extend(other.examples.iter().take(room).cloned());
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.count {
            0 => f.write_str("none"),
            count => write!(f, "{count}: {}", self.examples.join("; ")),
        }
    }
}

/// A request with its answer, to be looked at.
#[derive(Clone, Debug)]
pub(crate) struct Specimen {
    pub(crate) request: String,
    pub(crate) answer: String,
}

/// What one strike of a scenario at one service showed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Strike {
    pub(crate) requests: u64,
    pub(crate) figures: Figures,
    /// What the hardened service promises.
    pub(crate) checks: Vec<Check>,
    /// That the strike has teeth: what it does to a service without guards. A scenario that the bare
    /// service survives shows nothing about the hardened one.
    pub(crate) controls: Vec<Check>,
    pub(crate) specimens: Vec<Specimen>,
    /// One short phrase for the table.
    pub(crate) headline: String,
}

/// The nearest-rank percentile; zero of nothing.
pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let sorted: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(percentile(&sorted, 50), Duration::from_millis(100));
        assert_eq!(percentile(&sorted, 99), Duration::from_millis(198));
        assert_eq!(percentile(&sorted[..1], 99), Duration::from_millis(1));
        assert_eq!(percentile(&[], 50), Duration::ZERO);
    }

    #[test]
    fn a_tally_counts_all_and_tells_the_first_few() {
        let mut tally = Tally::default();
        assert_eq!(tally.to_string(), "none");
        for what in ["a", "b", "a", "c", "d"] {
            tally.note(|| what.to_owned());
        }
        assert_eq!(tally.to_string(), "5: a; b; c");
    }
}
