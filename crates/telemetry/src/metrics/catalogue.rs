//! What there is to measure: each metric's name, kind, labels and meaning, said once.

use ::metrics::Unit;

/// One metric, as it is registered and as the README lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    name: &'static str,
    kind: Kind,
    labels: &'static [&'static str],
    description: &'static str,
}

/// How a metric's values are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// It only grows: take its rate.
    Counter,
    /// It goes up and down.
    Gauge,
    /// A distribution of seconds.
    Histogram,
}

impl Metric {
    pub(crate) const fn counter(
        name: &'static str,
        labels: &'static [&'static str],
        description: &'static str,
    ) -> Self {
        Self {
            name,
            kind: Kind::Counter,
            labels,
            description,
        }
    }

    #[cfg(any(feature = "breaker", feature = "errors", feature = "health"))]
    pub(crate) const fn gauge(
        name: &'static str,
        labels: &'static [&'static str],
        description: &'static str,
    ) -> Self {
        Self {
            kind: Kind::Gauge,
            ..Self::counter(name, labels, description)
        }
    }

    pub(crate) const fn seconds(
        name: &'static str,
        labels: &'static [&'static str],
        description: &'static str,
    ) -> Self {
        Self {
            kind: Kind::Histogram,
            ..Self::counter(name, labels, description)
        }
    }

    /// The name, `seawall_<leaf>_<what>` and by kind `_total` or `_seconds`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The names of its labels, in order.
    #[must_use]
    pub const fn labels(&self) -> &'static [&'static str] {
        self.labels
    }

    /// What it tells, in one sentence.
    #[must_use]
    pub const fn description(&self) -> &'static str {
        self.description
    }

    pub(super) const fn unit(&self) -> Unit {
        match self.kind {
            Kind::Histogram => Unit::Seconds,
            Kind::Counter | Kind::Gauge => Unit::Count,
        }
    }
}

impl Kind {
    /// The name in lower case, as Prometheus writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Every metric of the leaves whose features are on, in the order of the README.
pub fn catalogue() -> impl Iterator<Item = &'static Metric> {
    LEAVES.iter().copied().flatten()
}

static LEAVES: &[&[Metric]] = &[
    #[cfg(feature = "errors")]
    super::errors::ALL,
    #[cfg(feature = "timeout")]
    super::timeout::ALL,
    #[cfg(feature = "ratelimit")]
    super::ratelimit::ALL,
    #[cfg(feature = "breaker")]
    super::breaker::ALL,
    #[cfg(feature = "idempotency")]
    super::idempotency::ALL,
    #[cfg(feature = "signing")]
    super::signing::ALL,
    #[cfg(feature = "degrade")]
    super::degrade::ALL,
    #[cfg(feature = "health")]
    super::health::ALL,
];

/// Bounds of buckets for every `_seconds` here: from a store in this rack to the patience of callers.
///
/// Without buckets the Prometheus exporter makes summaries, which cannot be added up over replicas.
pub const BUCKETS: [f64; 15] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];
