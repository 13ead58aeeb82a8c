//! The leaves' observers as metrics.

#[cfg(feature = "breaker")]
mod breaker;
mod catalogue;
mod count;
#[cfg(feature = "degrade")]
mod degrade;
#[cfg(feature = "errors")]
mod errors;
mod family;
#[cfg(feature = "health")]
mod health;
#[cfg(feature = "idempotency")]
mod idempotency;
#[cfg(feature = "ratelimit")]
mod ratelimit;
#[cfg(feature = "signing")]
mod signing;
#[cfg(feature = "timeout")]
mod timeout;

use std::fmt;
use std::sync::Arc;

use family::Target;

pub use catalogue::{BUCKETS, Kind, Metric, catalogue};
#[cfg(feature = "degrade")]
pub(crate) use degrade::served_of;
#[cfg(feature = "errors")]
pub(crate) use errors::{UNMATCHED, known_method};
#[cfg(feature = "idempotency")]
pub(crate) use idempotency::failure_of as record_failure_of;
#[cfg(feature = "ratelimit")]
pub(crate) use ratelimit::{failure_of as count_failure_of, reason_of, source_of};

/// Counts what the leaves do, through the [`metrics`] facade.
///
/// It is every leaf's `Observer`: give a clone to each builder. Clones share their series, which are
/// registered at their first event and kept.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "breaker")]
/// # fn main() -> Result<(), seawall_breaker::ConfigError> {
/// use metrics_exporter_prometheus::PrometheusBuilder;
/// use seawall_breaker::CircuitBreaker;
/// use seawall_telemetry::Metrics;
///
/// let recorder = PrometheusBuilder::new().build_recorder();
/// let page = recorder.handle();
/// let metrics = Metrics::on(recorder);
///
/// let breaker = CircuitBreaker::consecutive(5).name("database").observer(metrics.clone()).build()?;
/// metrics.show_breaker(&breaker);
/// assert!(page.render().contains(r#"seawall_breaker_state{breaker="database",state="closed"} 1"#));
/// # Ok(()) }
/// # #[cfg(not(feature = "breaker"))]
/// # fn main() {}
/// ```
#[derive(Clone)]
pub struct Metrics {
    inner: Arc<Inner>,
}

struct Inner {
    target: Target,
    #[cfg(feature = "breaker")]
    breaker: breaker::Families,
    #[cfg(feature = "degrade")]
    degrade: degrade::Families,
    #[cfg(feature = "errors")]
    errors: errors::Families,
    #[cfg(feature = "health")]
    health: health::Families,
    #[cfg(feature = "idempotency")]
    idempotency: idempotency::Families,
    #[cfg(feature = "ratelimit")]
    ratelimit: ratelimit::Families,
    #[cfg(feature = "signing")]
    signing: signing::Families,
    #[cfg(feature = "timeout")]
    timeout: timeout::Families,
}

impl Metrics {
    /// Counts on the recorder that the process has installed.
    ///
    /// Install it first: what is counted before goes nowhere, and so does everything after it in the
    /// same series.
    #[must_use]
    pub fn new() -> Self {
        Self::at(&Target::global())
    }

    /// Counts on this recorder, whatever the process has installed: two services in one process, or
    /// two tests, do not meet.
    #[must_use]
    pub fn on(recorder: impl ::metrics::Recorder + Send + Sync + 'static) -> Self {
        Self::at(&Target::own(recorder))
    }

    /// The same, on the same recorder, but what is counted is gathered by core, and passed on by
    /// [`flush`](Self::flush). Choose it first, then hand out clones.
    ///
    /// A counter that every request adds to is one cache line which all cores want: where they serve some
    /// hundred thousand requests a second, that is felt. Durations are passed on at once all the
    /// same, and so is what seldom happens to gauges.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "errors")] {
    /// use metrics_exporter_prometheus::PrometheusBuilder;
    /// use seawall_errors::Observer;
    /// use seawall_telemetry::Metrics;
    ///
    /// let recorder = PrometheusBuilder::new().build_recorder();
    /// let page = recorder.handle();
    /// let metrics = Metrics::on(recorder).gathered();
    ///
    /// metrics.arrived();
    /// // In the handler that is asked for the page.
    /// metrics.flush();
    /// assert!(page.render().contains("seawall_http_requests_in_flight 1"));
    /// # }
    /// ```
    #[must_use]
    pub fn gathered(self) -> Self {
        Self::at(&self.inner.target.gathered())
    }

    /// Passes on what has been gathered. Does nothing unless [`gathered`](Self::gathered) was chosen.
    ///
    /// To be called before somebody looks: by the handler that renders the page, or by a timer where the
    /// exporter itself serves it. The last clone of `Metrics` does it, too.
    pub fn flush(&self) {
        self.inner.target.pass_on();
    }

    fn at(target: &Target) -> Self {
        Self {
            inner: Arc::new(Inner {
                target: target.clone(),
                #[cfg(feature = "breaker")]
                breaker: breaker::Families::new(target),
                #[cfg(feature = "degrade")]
                degrade: degrade::Families::new(target),
                #[cfg(feature = "errors")]
                errors: errors::Families::new(target),
                #[cfg(feature = "health")]
                health: health::Families::new(target),
                #[cfg(feature = "idempotency")]
                idempotency: idempotency::Families::new(target),
                #[cfg(feature = "ratelimit")]
                ratelimit: ratelimit::Families::new(target),
                #[cfg(feature = "signing")]
                signing: signing::Families::new(target),
                #[cfg(feature = "timeout")]
                timeout: timeout::Families::new(target),
            }),
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}
