//! Whatever comes in, the number of series is bounded, and what clients write makes none.

use std::time::Duration;

use seawall_errors::{Answer, ApiError, Detail, Observer, codes};

use crate::support::metrics;

#[test]
fn what_clients_write_makes_no_series() {
    let (metrics, page) = metrics();
    let told = |method: &str| metrics.answered(&Answer::new(method, 404, Duration::ZERO));
    told("GET");
    told("BREW");
    let before = page.text().lines().count();
    for i in 0..500 {
        told(&format!("BREW-{i}"));
    }
    assert_eq!(page.text().lines().count(), before);
    page.check(
        r#"seawall_http_requests_total{method="other",route="unmatched",status="4xx"}"#,
        501.0,
    );
    assert!(!page.text().contains("BREW"));
}

#[test]
fn names_without_end_are_other_from_some_number_on() {
    let (metrics, page) = metrics();
    for i in 0..5_000 {
        let detail = Detail::new(
            format!("made_up_{i}"),
            "as if a rule named it after its input",
        );
        let error = ApiError::new(codes::VALIDATION_ERROR).detail(detail);
        let route = format!("/as/if/a/router/made/it/up/{i}");
        let answer = Answer::new("GET", 422, Duration::ZERO)
            .route(&*route)
            .error(&error);
        metrics.answered(&answer);
        seawall_breaker::Observer::threshold_reached(
            &metrics,
            &format!("host-{i}"),
            &seawall_breaker::Counts::default(),
        );
    }
    // The places, and one for all others.
    let check = |name: &str, most: usize| {
        let series = page.series(name);
        assert!(
            (most / 2..=most + 1).contains(&series),
            "{series} of {name}"
        );
    };
    check("seawall_http_requests_total{", 1024);
    check("seawall_errors_answers_total{", 1024);
    check("seawall_validate_violations_total{", 256);
    check("seawall_breaker_thresholds_total{", 256);
    assert!(
        page.text()
            .contains(r#"seawall_breaker_thresholds_total{breaker="other"}"#)
    );
}

#[test]
fn two_recorders_do_not_meet() {
    let (one, page) = metrics();
    let (other, others) = metrics();
    one.answered(&Answer::new("GET", 200, Duration::ZERO));
    other.answered(&Answer::new("GET", 200, Duration::ZERO));
    other.answered(&Answer::new("GET", 200, Duration::ZERO));
    let series = r#"seawall_http_requests_total{method="GET",route="unmatched",status="2xx"}"#;
    page.check(series, 1.0);
    others.check(series, 2.0);
}
