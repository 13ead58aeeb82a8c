//! A recorder of one test's own, and its page.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use seawall_telemetry::Metrics;

pub(crate) struct Page(PrometheusHandle);

pub(crate) fn metrics() -> (Metrics, Page) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let page = Page(recorder.handle());
    (Metrics::on(recorder), page)
}

impl Page {
    pub(crate) fn text(&self) -> String {
        self.0.render()
    }

    /// The value of a series, written as Prometheus writes it.
    #[track_caller]
    pub(crate) fn check(&self, series: &str, expected: f64) {
        let text = self.text();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        let value: Option<f64> = line.map(|value| value.parse().unwrap());
        assert_eq!(value, Some(expected), "{series} in\n{text}");
    }

    /// How many series there are whose name begins so.
    pub(crate) fn series(&self, name: &str) -> usize {
        let text = self.text();
        text.lines().filter(|line| line.starts_with(name)).count()
    }
}
