//! Each leaf's real values, observed: what happens is what is counted.

use std::io;
use std::time::Duration;

use seawall_breaker::CircuitBreaker;
use seawall_degrade::{Degrade, optional, or_else};
use seawall_errors::{Answer, ApiError, Detail, Ending, Observer, codes};
use seawall_health::{Check, Health};
use seawall_idempotency::{Idempotency, IdempotencyKey, Outcome, Policy as Repeats};
use seawall_ratelimit::{KeyBuf, MemoryStore, Mode, OnStoreError, Policies, Policy, quota};
use seawall_signing::{OwnedHead, Secret, Verifier, scheme};

use crate::stores::Down;
use crate::support::metrics;

fn key() -> [Option<KeyBuf>; 1] {
    [Some(KeyBuf::new().push("203.0.113.7"))]
}

#[test]
fn decisions_are_counted_by_policy_and_shadows_apart() {
    let (metrics, page) = metrics();
    let policies = Policies::builder(MemoryStore::default())
        .policy(Policy::new("login", quota!("2/hour")).unwrap())
        .policy(
            Policy::new("trial", quota!("1/hour"))
                .unwrap()
                .mode(Mode::Shadow),
        )
        .observer(metrics)
        .build()
        .unwrap();
    let keys = [key(), key()].concat();
    for _ in 0..3 {
        let _ = policies.check_now(&keys).unwrap();
    }
    let decisions = |policy: &str, outcome: &str, expected| {
        let labels = format!(r#"policy="{policy}",outcome="{outcome}",source="store""#);
        page.check(
            &format!("seawall_ratelimit_decisions_total{{{labels}}}"),
            expected,
        );
    };
    decisions("login", "allowed", 2.0);
    decisions("login", "denied", 1.0);
    decisions("trial", "allowed", 1.0);
    decisions("trial", "shadow_denied", 2.0);
    page.check(
        r#"seawall_ratelimit_requests_total{outcome="denied",source="store",reason="over_limit"}"#,
        1.0,
    );
    page.check(
        r#"seawall_ratelimit_requests_total{outcome="allowed",source="store",reason="none"}"#,
        2.0,
    );
}

#[tokio::test]
async fn a_store_that_is_away_is_counted_with_what_was_answered_instead() {
    let (metrics, page) = metrics();
    let check = async |lost: OnStoreError| {
        let policies = Policies::builder(Down)
            .policy(
                Policy::new("login", quota!("2/hour"))
                    .unwrap()
                    .on_store_error(lost),
            )
            .observer(metrics.clone())
            .build()
            .unwrap();
        let _ = policies.check(&key()).await;
    };
    check(OnStoreError::FailOpen).await;
    check(OnStoreError::FailClosed).await;
    let local = OnStoreError::Local {
        replicas: 2.try_into().unwrap(),
    };
    check(local).await;
    page.check(
        r#"seawall_ratelimit_store_errors_total{failure="unavailable"}"#,
        3.0,
    );
    let requests = |labels: &str| {
        page.check(
            &format!("seawall_ratelimit_requests_total{{{labels}}}"),
            1.0,
        );
    };
    requests(r#"outcome="allowed",source="fail_open",reason="none""#);
    requests(r#"outcome="denied",source="fail_closed",reason="store_unavailable""#);
    requests(r#"outcome="allowed",source="local",reason="none""#);
}

#[test]
fn a_breaker_shows_its_state_and_counts_calls() {
    let (metrics, page) = metrics();
    let breaker = CircuitBreaker::consecutive(2)
        .name("database")
        .observer(metrics.clone())
        .build()
        .unwrap();
    metrics.show_breaker(&breaker);
    let state = |state: &str, expected| {
        let labels = format!(r#"breaker="database",state="{state}""#);
        page.check(&format!("seawall_breaker_state{{{labels}}}"), expected);
    };
    state("closed", 1.0);
    for _ in 0..3 {
        let _ = breaker.call(|| Err::<(), _>(io::Error::other("down")));
    }
    state("closed", 0.0);
    state("open", 1.0);
    page.check(
        r#"seawall_breaker_transitions_total{breaker="database",to="open",cause="tripped"}"#,
        1.0,
    );
    let calls = |outcome: &str, expected| {
        let labels = format!(r#"breaker="database",outcome="{outcome}""#);
        page.check(
            &format!("seawall_breaker_calls_total{{{labels}}}"),
            expected,
        );
    };
    calls("failure", 2.0);
    calls("rejected", 1.0);
}

#[tokio::test]
async fn what_became_of_requests_with_keys_is_counted() {
    let (metrics, page) = metrics();
    let store = seawall_idempotency::MemoryStore::new();
    let front = Idempotency::builder(store, Repeats::at_most_once())
        .observer(metrics)
        .build()
        .unwrap();
    let key = IdempotencyKey::new("order-17").unwrap();
    for body in [b"500", b"500", b"900"] {
        let work = |_| async { Ok::<_, io::Error>(Outcome::new("charged")) };
        let _ = front.run(&key, body, work).await.unwrap();
    }
    let requests = |outcome: &str| {
        page.check(
            &format!(r#"seawall_idempotency_requests_total{{outcome="{outcome}"}}"#),
            1.0,
        );
    };
    requests("begun");
    requests("replayed");
    requests("mismatch");
    page.check(
        r#"seawall_idempotency_finished_total{outcome="stored"}"#,
        1.0,
    );
}

#[tokio::test]
async fn signatures_are_counted_by_scheme_and_kind() {
    let (metrics, page) = metrics();
    let verifier = Verifier::builder(
        scheme::github(),
        Secret::new("It's a Secret to Everybody").unwrap(),
    )
    .observer(metrics)
    .build()
    .unwrap();
    let name = verifier.scheme().name().to_owned();
    let head = |signature: &str| {
        OwnedHead::request("POST", "/hooks").header("X-Hub-Signature-256", signature)
    };
    let right = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    assert!(
        verifier
            .verify(&head(right), b"Hello, World!")
            .await
            .is_ok()
    );
    assert!(
        verifier
            .verify(&head(right), b"Hello, World?")
            .await
            .is_err()
    );
    assert!(
        verifier
            .verify(&head("none"), b"Hello, World!")
            .await
            .is_err()
    );
    page.check(
        &format!(r#"seawall_signing_verified_total{{scheme="{name}"}}"#),
        1.0,
    );
    for kind in ["mismatch", "malformed"] {
        let labels = format!(r#"scheme="{name}",kind="{kind}""#);
        page.check(&format!("seawall_signing_refused_total{{{labels}}}"), 1.0);
    }
}

#[tokio::test]
async fn missing_components_are_counted_with_what_stood_in() {
    let (metrics, page) = metrics();
    let parts = (
        optional("user", async { Ok::<_, io::Error>("Ada") }),
        or_else(
            "news",
            async { Err(io::Error::other("refused")) },
            Vec::<u8>::new(),
        ),
    );
    let joined = Degrade::new().observer(metrics).join(parts).await.unwrap();
    assert!(joined.is_partial());
    page.check(
        r#"seawall_degrade_components_total{component="user",outcome="served"}"#,
        1.0,
    );
    page.check(
        r#"seawall_degrade_components_total{component="news",outcome="default"}"#,
        1.0,
    );
    page.check(
        r#"seawall_degrade_failures_total{component="news",reason="error"}"#,
        1.0,
    );
}

#[tokio::test(start_paused = true)]
async fn checks_are_counted_and_readiness_is_shown() {
    let (metrics, page) = metrics();
    let ok = || async { Ok::<_, io::Error>(()) };
    let health = Health::builder()
        .check(Check::new("database", ok))
        .observer(metrics)
        .build()
        .unwrap();
    health.start();
    tokio::time::sleep(Duration::from_secs(1)).await;
    page.check(
        r#"seawall_health_check_runs_total{check="database",outcome="pass"}"#,
        1.0,
    );
    page.check(r#"seawall_health_check_up{check="database"}"#, 1.0);
    page.check("seawall_health_ready", 1.0);
    health.begin_drain();
    page.check("seawall_health_draining", 1.0);
    page.check("seawall_health_ready", 0.0);
}

#[test]
fn answers_are_counted_by_route_class_and_code_and_violations_by_code() {
    let (metrics, page) = metrics();
    let detail = |code: &'static str| Detail::new(code, "Wrong");
    let error = ApiError::new(codes::VALIDATION_ERROR).details([
        detail("required"),
        detail("invalid_email"),
        detail("required"),
    ]);
    metrics.arrived();
    metrics.arrived();
    page.check("seawall_http_requests_in_flight", 2.0);
    let answer = Answer::new("POST", 422, Duration::from_millis(3)).route("/api/users");
    metrics.answered(&answer.error(&error));
    metrics.ended(Ending::Answered);
    metrics.ended(Ending::Unanswered);
    page.check("seawall_http_requests_in_flight", 0.0);
    page.check(r#"seawall_http_endings_total{ending="unanswered"}"#, 1.0);
    page.check(
        r#"seawall_http_requests_total{method="POST",route="/api/users",status="4xx"}"#,
        1.0,
    );
    page.check(
        r#"seawall_http_request_seconds_sum{method="POST",route="/api/users"}"#,
        0.003,
    );
    page.check(
        r#"seawall_errors_answers_total{route="/api/users",code="validation_error"}"#,
        1.0,
    );
    page.check(r#"seawall_validate_violations_total{code="required"}"#, 2.0);
    page.check(
        r#"seawall_validate_violations_total{code="invalid_email"}"#,
        1.0,
    );
}

#[tokio::test(start_paused = true)]
async fn an_expired_deadline_is_counted_whatever_the_answer_says() {
    let (metrics, page) = metrics();
    let never = std::future::pending::<()>();
    let elapsed = seawall_timeout::within(Duration::from_secs(1), never)
        .await
        .unwrap_err();
    let masked = ApiError::new(codes::SERVICE_UNAVAILABLE).source(elapsed);
    let answer = Answer::new("GET", 503, Duration::from_secs(1)).route("/api/users/{user_id}");
    metrics.answered(&answer.error(&masked));
    page.check(
        r#"seawall_timeout_expired_total{route="/api/users/{user_id}",cause="own",started="true"}"#,
        1.0,
    );
}
