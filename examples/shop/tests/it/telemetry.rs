//! What is done to the shop over HTTP is what its metrics tell.

use std::fs;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::process::{Shop, ask, ask_with};

/// The value of a series; nothing where it does not exist.
fn read(shop: &Shop, series: &str) -> Option<f64> {
    let page = ask(&shop.admin, "GET /metrics", "");
    let value = page
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    Some(value.parse().unwrap())
}

#[track_caller]
fn check(shop: &Shop, series: &str, expected: f64) {
    let value = read(shop, series);
    assert_eq!(
        value,
        Some(expected),
        "{series}\n{}",
        ask(&shop.admin, "GET /metrics", "")
    );
}

#[track_caller]
fn status(answer: &str, expected: u16) {
    assert!(
        answer.starts_with(&format!("HTTP/1.1 {expected}")),
        "{answer}"
    );
}

#[test]
fn limits_are_counted_by_policy() {
    let shop = Shop::start(&["--store", "memory"]);
    for _ in 0..12 {
        ask(&shop.api, "POST /api/expensive-operation", "");
    }
    let decisions = |policy: &str, outcome: &str, expected| {
        let labels = format!(r#"policy="{policy}",outcome="{outcome}",source="store""#);
        check(
            &shop,
            &format!("seawall_ratelimit_decisions_total{{{labels}}}"),
            expected,
        );
    };
    decisions("expensive", "allowed", 10.0);
    decisions("expensive", "denied", 2.0);
    decisions("address", "allowed", 12.0);
    let answers =
        r#"seawall_errors_answers_total{route="/api/expensive-operation",code="rate_limited"}"#;
    check(&shop, answers, 2.0);
    let requests = |class: &str, expected| {
        let labels = format!(r#"method="POST",route="/api/expensive-operation",status="{class}""#);
        check(
            &shop,
            &format!("seawall_http_requests_total{{{labels}}}"),
            expected,
        );
    };
    requests("2xx", 10.0);
    requests("4xx", 2.0);
    // A request is over when its body is dropped, which may be after its caller has read it.
    while read(&shop, "seawall_http_requests_in_flight") != Some(0.0) {
        std::thread::yield_now();
    }
}

#[test]
fn the_breaker_shows_its_state_and_counts_what_it_rejects() {
    let shop = Shop::start(&["--store", "memory"]);
    let state = |state: &str, expected| {
        let labels = format!(r#"breaker="database",state="{state}""#);
        check(
            &shop,
            &format!("seawall_breaker_state{{{labels}}}"),
            expected,
        );
    };
    state("closed", 1.0);
    status(
        &ask(&shop.admin, "PUT /faults/database", r#"{"mode":"error"}"#),
        204,
    );
    for _ in 0..7 {
        status(&ask(&shop.api, "GET /api/users/1", ""), 503);
    }
    state("closed", 0.0);
    state("open", 1.0);
    let calls = |outcome: &str, expected| {
        let labels = format!(r#"breaker="database",outcome="{outcome}""#);
        check(
            &shop,
            &format!("seawall_breaker_calls_total{{{labels}}}"),
            expected,
        );
    };
    calls("failure", 5.0);
    calls("rejected", 2.0);
    let opened =
        r#"seawall_breaker_transitions_total{breaker="database",to="open",cause="tripped"}"#;
    check(&shop, opened, 1.0);
}

#[test]
fn payments_are_counted_by_what_their_key_came_to_and_the_store_is_timed() {
    let shop = Shop::start(&[]);
    let pay = |amount: u32| {
        let body = format!(r#"{{"amount":{amount},"currency":"EUR","customer":"c1"}}"#);
        ask_with(
            &shop.api,
            "POST /api/payments",
            "idempotency-key: order-17\r\n",
            &body,
        )
    };
    status(&pay(500), 201);
    status(&pay(500), 201);
    status(&pay(900), 422);
    for outcome in ["begun", "replayed", "mismatch"] {
        let series = format!(r#"seawall_idempotency_requests_total{{outcome="{outcome}"}}"#);
        check(&shop, &series, 1.0);
    }
    let labels = r#"store="sqlite",step="reserve",outcome="ok""#;
    check(
        &shop,
        &format!("seawall_idempotency_store_seconds_count{{{labels}}}"),
        3.0,
    );
}

#[test]
fn signatures_are_counted_and_what_was_wrong_with_them() {
    let shop = Shop::start(&["--store", "memory"]);
    let send = |signature: &str| {
        let header = format!("x-signature: {signature}\r\n");
        ask_with(&shop.api, "POST /api/webhooks/payment", &header, "{}")
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(b"shop-webhook-secret-change-me").unwrap();
    mac.update(b"{}");
    let right: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    status(&send(&right), 200);
    status(&send(&"0".repeat(64)), 401);
    status(&send("none"), 401);
    status(&ask(&shop.api, "POST /api/webhooks/payment", "{}"), 401);
    check(
        &shop,
        r#"seawall_signing_verified_total{scheme="plain"}"#,
        1.0,
    );
    for kind in ["mismatch", "malformed", "missing_signature"] {
        let series = format!(r#"seawall_signing_refused_total{{scheme="plain",kind="{kind}"}}"#);
        check(&shop, &series, 1.0);
    }
}

#[test]
fn missing_parts_of_the_dashboard_are_counted() {
    let shop = Shop::start(&["--store", "memory"]);
    let broken = ask(
        &shop.admin,
        "PUT /faults/notifications",
        r#"{"mode":"error"}"#,
    );
    status(&broken, 204);
    status(&ask(&shop.api, "GET /api/dashboard", ""), 200);
    let components = |component: &str, outcome: &str| {
        let labels = format!(r#"component="{component}",outcome="{outcome}""#);
        check(
            &shop,
            &format!("seawall_degrade_components_total{{{labels}}}"),
            1.0,
        );
    };
    components("user", "served");
    components("notifications", "default");
    let failures = r#"seawall_degrade_failures_total{component="notifications",reason="error"}"#;
    check(&shop, failures, 1.0);
}

#[test]
fn checks_and_readiness_are_shown() {
    let shop = Shop::start(&["--store", "memory"]);
    while !ask(&shop.api, "GET /readyz", "").starts_with("HTTP/1.1 200") {
        std::thread::yield_now();
    }
    check(&shop, "seawall_health_ready", 1.0);
    check(&shop, r#"seawall_health_check_up{check="database"}"#, 1.0);
    let runs = r#"seawall_health_check_runs_total{check="database",outcome="pass"}"#;
    assert!(read(&shop, runs).is_some_and(|runs| runs >= 1.0));
}

#[test]
fn expired_deadlines_are_counted_by_route() {
    let folder = std::env::temp_dir().join(format!("shop-telemetry-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("shop.toml");
    fs::write(&file, "[deadlines]\nsearch = \"50ms\"\n").unwrap();
    let shop = Shop::start(&["--store", "memory", "--config", file.to_str().unwrap()]);
    status(
        &ask(&shop.admin, "PUT /faults/search", r#"{"mode":"hang"}"#),
        204,
    );
    status(&ask(&shop.api, "GET /api/search?q=lantern", ""), 504);
    let expired =
        r#"seawall_timeout_expired_total{route="/api/search",cause="total",started="true"}"#;
    check(&shop, expired, 1.0);
    let answers = r#"seawall_errors_answers_total{route="/api/search",code="deadline_exceeded"}"#;
    check(&shop, answers, 1.0);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn violations_are_counted_by_code_and_hostile_requests_make_no_series() {
    let shop = Shop::start(&["--store", "memory"]);
    let body = r#"{"email":"nobody","name":""}"#;
    status(&ask(&shop.api, "POST /api/users", body), 422);
    check(
        &shop,
        r#"seawall_validate_violations_total{code="invalid_email"}"#,
        1.0,
    );

    let hostile = |i: usize| {
        ask(
            &shop.api,
            &format!("GET /canary-{i}/%0a{{}}?canary={i}"),
            "",
        );
        ask(&shop.api, &format!("CANARY{i} /api/users"), "");
        ask(
            &shop.api,
            &format!("POST /api/projects/canary-{i}/builds"),
            "{}",
        );
        let key = format!("idempotency-key: canary-{i}\r\nx-signature: canary-{i}\r\n");
        ask_with(&shop.api, "POST /api/webhooks/payment", &key, "{}");
        let canary = format!(r#"{{"canary_{i}":1,"email":"canary-{i}","name":"x"}}"#);
        ask(&shop.api, "POST /api/users", &canary);
    };
    let series = || {
        let page = ask(&shop.admin, "GET /metrics", "").to_lowercase();
        assert!(!page.contains("canary"), "{page}");
        // Checks run on their own time.
        let of_requests = |line: &&str| line.contains('{') && !line.contains("check=");
        page.lines().filter(of_requests).count()
    };
    hostile(0);
    hostile(1);
    let before = series();
    for i in 2..20 {
        hostile(i);
    }
    assert_eq!(series(), before);
}
