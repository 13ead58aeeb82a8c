//! Settings that make no sense, and settings as text.

use crate::ms;
use seawall_breaker::{Builder, CircuitBreaker, Config, HalfOpen, OpenTime, Rates, Ratio, Trip};
use std::time::Duration;

#[track_caller]
fn refused(builder: Builder, key: &str) {
    assert_eq!(builder.build().unwrap_err().key(), key);
}

#[test]
fn nonsense_is_refused_and_the_key_is_named() {
    let count = CircuitBreaker::count_window;
    let time = |millis| CircuitBreaker::time_window(ms(millis));
    let one = CircuitBreaker::consecutive;
    refused(one(0), "trip.failures");
    refused(CircuitBreaker::k_of_n(0, 5), "trip.failures");
    refused(CircuitBreaker::k_of_n(6, 5), "trip.failures");
    refused(CircuitBreaker::k_of_n(1, 0), "trip.size");
    refused(count(0), "trip.size");
    refused(count(1_000_001), "trip.size");
    refused(count(10).min_calls(0), "trip.rates.min_calls");
    refused(count(10).min_calls(11), "trip.rates.min_calls");
    refused(count(10).failure_rate(None), "trip.rates");
    refused(count(10).failure_rate(Ratio::ZERO), "trip.rates.failures");
    refused(
        count(10).slow_calls(ms(1), Ratio::ZERO),
        "trip.rates.slow.rate",
    );
    refused(
        count(10).slow_calls(ms(0), Ratio::ONE),
        "trip.rates.slow.after",
    );
    refused(time(1_000).buckets(0), "trip.buckets");
    refused(time(1_000).buckets(129), "trip.buckets");
    refused(time(9), "trip.window");
    refused(time(1_001), "trip.window");
    refused(CircuitBreaker::time_window(Duration::MAX), "trip.window");
    refused(one(1).reset_timeout(ms(0)), "open.base");
    refused(one(1).reset_timeout(Duration::MAX), "open.base");
    refused(one(1).backoff(0.9, ms(100)), "open.factor");
    refused(one(1).backoff(2.0, ms(100)), "open.max");
    refused(one(1).jitter(Ratio::ONE), "open.jitter");
    refused(one(1).half_open(HalfOpen::all_of(0)), "half_open.verdict");
    refused(
        one(1).half_open(HalfOpen::all_of(1_024)),
        "half_open.verdict",
    );
    refused(
        one(1).half_open(HalfOpen::k_of_n(3, 2)),
        "half_open.verdict.successes",
    );
    refused(
        one(1).half_open(HalfOpen::sample(3, Ratio::ZERO)),
        "half_open.verdict.failures",
    );
    refused(
        one(1).half_open(HalfOpen::all_of(1).permits(0)),
        "half_open.permits",
    );
    let hurried = HalfOpen::all_of(1).max_wait(ms(0), seawall_breaker::AfterWait::Open);
    refused(one(1).half_open(hurried), "half_open.max_wait");
}

#[test]
fn a_setting_of_another_rule_is_refused_rather_than_ignored() {
    refused(
        CircuitBreaker::consecutive(5).failure_rate(Ratio::ONE),
        "failure_rate",
    );
    refused(CircuitBreaker::consecutive(5).min_calls(3), "min_calls");
    refused(
        CircuitBreaker::k_of_n(1, 5).slow_calls(ms(1), Ratio::ONE),
        "slow_calls",
    );
    refused(CircuitBreaker::count_window(5).buckets(3), "buckets");
}

#[test]
fn the_largest_settings_build() {
    CircuitBreaker::count_window(1_000_000).build().unwrap();
    CircuitBreaker::time_window(ms(1_280))
        .buckets(128)
        .build()
        .unwrap();
    let probes = HalfOpen::sample(1_023, Ratio::ONE);
    let year = Duration::from_secs(366 * 24 * 3600);
    let at_its_cap = CircuitBreaker::consecutive(1)
        .reset_timeout(ms(100))
        .backoff(2.0, ms(100));
    at_its_cap.build().unwrap();
    CircuitBreaker::time_window(year).build().unwrap();
    let patient = CircuitBreaker::consecutive(1)
        .reset_timeout(year)
        .backoff(1_000.0, year);
    patient.upstream_max(year).build().unwrap();
    CircuitBreaker::consecutive(u32::MAX)
        .half_open(probes)
        .build()
        .unwrap();
}

#[test]
fn a_fixed_open_time_may_be_longer_than_the_cap_of_a_growing_one() {
    let breaker = CircuitBreaker::consecutive(1)
        .reset_timeout(ms(600_000))
        .clock(|| ms(0));
    let breaker = breaker.build().unwrap();
    crate::fail(&breaker);
    assert_eq!(breaker.retry_after(), Some(ms(600_000)));
}

#[test]
fn the_defaults_are_those_of_the_documentation() {
    let config = Config::default();
    assert_eq!(config.trip, Trip::consecutive(5));
    assert_eq!(config.open.base, Duration::from_secs(30));
    assert_eq!(config.half_open, HalfOpen::all_of(1));
    CircuitBreaker::from_config(config).build().unwrap();
}

#[test]
fn settings_can_be_put_together_by_hand() {
    let mut config = Config::default();
    config.trip = Trip::count(4, Rates::default());
    config.open = OpenTime::default();
    config.open.base = ms(50);
    let breaker = CircuitBreaker::from_config(config).build().unwrap();
    for _ in 0..4 {
        crate::fail(&breaker);
    }
    assert!(breaker.retry_after().unwrap() <= ms(50));
}

#[cfg(feature = "serde")]
mod text {
    use super::*;
    use seawall_breaker::{AfterWait, DropPolicy, EvaluateOn, SlowCalls, Snapshot, Verdict};

    #[test]
    fn a_full_configuration_reads_as_it_looks() {
        let config: Config = serde_json::from_str(
            r#"{
                "trip": { "kind": "time", "window": "10s", "buckets": 20,
                          "rates": { "min_calls": 20, "failures": 0.25,
                                     "slow": { "after": "1s 500ms", "rate": 0.8 } } },
                "evaluate_on": "failure",
                "open": { "base": "30s", "factor": 2, "max": "5m", "jitter": 0.1 },
                "half_open": { "verdict": { "mode": "k_of_n", "successes": 2, "size": 3 },
                               "permits": 2, "max_wait": "1m", "after_wait": "open" },
                "on_drop": { "failure_if_older": "2s" }
            }"#,
        )
        .unwrap();
        let mut rates = Rates::default();
        rates.min_calls = Some(20);
        rates.failures = Some(Ratio::percent(25));
        rates.slow = Some(SlowCalls::new(ms(1_500), Ratio::percent(80)));
        assert_eq!(config.trip, Trip::time(ms(10_000), 20, rates));
        assert_eq!(config.evaluate_on, EvaluateOn::Failure);
        assert_eq!(config.open.max, ms(300_000));
        assert_eq!(config.open.jitter, Ratio::percent(10));
        let half_open = HalfOpen::k_of_n(2, 3)
            .permits(2)
            .max_wait(ms(60_000), AfterWait::Open);
        assert_eq!(config.half_open, half_open);
        assert_eq!(config.on_drop, DropPolicy::FailureIfOlder(ms(2_000)));
        CircuitBreaker::from_config(config).build().unwrap();
    }

    #[test]
    fn what_is_not_said_is_the_default() {
        assert_eq!(
            serde_json::from_str::<Config>("{}").unwrap(),
            Config::default()
        );
        let never: HalfOpen = serde_json::from_str(r#"{"max_wait": "never"}"#).unwrap();
        assert_eq!(
            never,
            HalfOpen::all_of(1).max_wait(None, AfterWait::Reprobe)
        );
    }

    #[test]
    fn unknown_keys_and_bad_values_are_refused_with_a_reason() {
        let reason = |text: &str| {
            serde_json::from_str::<Config>(text)
                .unwrap_err()
                .to_string()
        };
        assert!(reason(r#"{"tripp": {}}"#).contains("tripp"));
        assert!(reason(r#"{"trip": {"kind": "consecutive", "failure": 5}}"#).contains("failure"));
        assert!(reason(r#"{"open": {"base": "soon"}}"#).contains("such as \"30s\""));
        assert!(reason(r#"{"open": {"jitter": 1.5}}"#).contains("a number from 0 to 1"));
    }

    #[test]
    fn every_rule_and_verdict_survives_text() {
        let rates = Rates::default;
        for trip in [
            Trip::consecutive(3),
            Trip::count(50, rates()),
            Trip::time(ms(10_000), 10, rates()),
            Trip::k_of_n(3, 5),
        ] {
            let text = serde_json::to_string(&trip).unwrap();
            assert_eq!(serde_json::from_str::<Trip>(&text).unwrap(), trip, "{text}");
        }
        for half_open in [
            HalfOpen::all_of(3),
            HalfOpen::sample(4, Ratio::percent(50)),
            HalfOpen::strict_sample(4, Ratio::percent(50)),
            HalfOpen::k_of_n(2, 3),
        ] {
            let text = serde_json::to_string(&half_open).unwrap();
            assert_eq!(
                serde_json::from_str::<HalfOpen>(&text).unwrap(),
                half_open,
                "{text}"
            );
        }
    }

    #[test]
    fn a_key_of_another_kind_is_refused_and_a_missing_one_named() {
        let reason = |text: &str| serde_json::from_str::<Trip>(text).unwrap_err().to_string();
        let stray = reason(r#"{"kind": "consecutive", "failures": 5, "window": "10s"}"#);
        assert!(
            stray.contains("`window` does not belong to kind Consecutive"),
            "{stray}"
        );
        assert!(reason(r#"{"kind": "k_of_n", "failures": 5}"#).contains("missing field `size`"));
        assert!(reason(r#"{"kind": "count", "size": 5, "buckets": 5}"#).contains("`buckets`"));
        assert!(reason(r#"{"kind": "time", "window": "5s", "size": 5}"#).contains("`size`"));
        let reason = |text: &str| {
            serde_json::from_str::<Verdict>(text)
                .unwrap_err()
                .to_string()
        };
        assert!(reason(r#"{"mode": "all_of", "size": 5}"#).contains("`size`"));
        assert!(reason(r#"{"mode": "sample", "size": 5, "probes": 1}"#).contains("`probes`"));
        assert!(reason(r#"{"mode": "k_of_n", "size": 5, "failures": 0.5}"#).contains("`failures`"));
    }

    #[test]
    fn configurations_and_snapshots_survive_text() {
        let mut config = Config::default();
        config.trip = Trip::count(50, Rates::default());
        config.half_open = HalfOpen::sample(4, Ratio::percent(50));
        let text = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<Config>(&text).unwrap(), config);

        let breaker = CircuitBreaker::consecutive(1)
            .clock(|| Duration::ZERO)
            .build()
            .unwrap();
        breaker.open_for(ms(1_500));
        let text = serde_json::to_string(&breaker.snapshot()).unwrap();
        assert!(text.contains(r#""retry_after":"1s 500ms""#), "{text}");
        assert_eq!(
            serde_json::from_str::<Snapshot>(&text).unwrap(),
            breaker.snapshot()
        );
    }
}
