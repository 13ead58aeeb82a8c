//! What a decision and an event pay for being counted on a Prometheus recorder.

use std::hint::black_box;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use seawall_breaker::{Counts, Observer as _};
use seawall_ratelimit::{KeyBuf, MemoryStore, Observer, Policies, Policy, quota};
use seawall_telemetry::Metrics;

use crate::{
    area::{Area, Case},
    work::{Work, repeat},
};

/// The cases.
#[must_use]
pub fn area() -> Area {
    Area::new("telemetry")
        .case(
            Case::new("decision", || decision(Metrics::on(recorder())))
                .peer("no-op-observer", || decision(Nobody)),
        )
        .case(Case::new("event", event).peer("by-name", event_by_name))
}

fn recorder() -> PrometheusRecorder {
    PrometheusBuilder::new().build_recorder()
}

struct Nobody;

impl Observer for Nobody {}

/// One policy over memory that allows: two series.
fn decision(observer: impl Observer) -> Work {
    let policy = Policy::new("login", quota!("1000000/second")).expect("it is a policy");
    let policies = Policies::builder(MemoryStore::default())
        .policy(policy)
        .observer(observer)
        .build()
        .expect("one policy goes together with itself");
    let key = [Some(KeyBuf::new().push("203.0.113.7"))];
    repeat(move || policies.check_now(black_box(&key)))
}

/// One counter with one label whose value is not known to the compiler.
fn event() -> Work {
    let metrics = Metrics::on(recorder());
    repeat(move || metrics.threshold_reached(black_box("database"), &Counts::default()))
}

fn event_by_name() -> Work {
    let recorder = recorder();
    repeat(move || {
        metrics::with_local_recorder(&recorder, || {
            let breaker = black_box("database").to_owned();
            metrics::counter!("seawall_breaker_thresholds_total", "breaker" => breaker)
                .increment(1);
        });
    })
}
