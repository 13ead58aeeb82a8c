//! What the shop tells about itself: one observer for everything, and the page that it fills.

use std::fmt;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use seawall_telemetry::{BUCKETS, Both, Metrics, Tracing};
use tokio::time;

/// What every guard of the shop is given.
pub type Observer = Both<Metrics, Tracing>;

/// The shop's own counts, on a recorder of its own, so that two shops in one process do not meet.
#[derive(Clone)]
pub struct Telemetry {
    metrics: Metrics,
    page: PrometheusHandle,
}

impl Telemetry {
    pub(crate) fn new() -> Self {
        let seconds = Matcher::Suffix("_seconds".to_owned());
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(seconds, &BUCKETS)
            .expect("there are buckets")
            .build_recorder();
        Self {
            page: recorder.handle(),
            metrics: Metrics::on(recorder).gathered(),
        }
    }

    /// Counts, and writes to the log.
    #[must_use]
    pub fn observer(&self) -> Observer {
        Both(self.metrics.clone(), Tracing::new())
    }

    /// Counts only: for what is timed or shown once.
    #[must_use]
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Everything counted so far, in Prometheus' text format.
    #[must_use]
    pub fn page(&self) -> String {
        self.metrics.flush();
        self.page.render()
    }

    /// Sorts measured times into their buckets now and then. The recorder would otherwise keep each
    /// until somebody asks for the page, and perhaps nobody ever does.
    pub(crate) async fn upkeep(self) {
        let mut every = time::interval(UPKEEP);
        loop {
            every.tick().await;
            self.page.run_upkeep();
        }
    }
}

const UPKEEP: Duration = Duration::from_secs(5);

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Telemetry")
    }
}
