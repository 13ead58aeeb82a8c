//! The same, as events.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use seawall_breaker::CircuitBreaker;
use seawall_errors::{Answer, ApiError, Observer as _, codes};
use seawall_ratelimit::{KeyBuf, MemoryStore, Policies, Policy, quota};
use seawall_telemetry::{Both, Tracing};

use crate::support::metrics;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is logged by `act`, one line an event.
fn logged(act: impl FnOnce()) -> String {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .without_time()
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, act);
    let bytes = log.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_circuit_that_opens_is_a_warning_and_is_counted_too() {
    let (metrics, page) = metrics();
    let breaker = CircuitBreaker::consecutive(1)
        .name("database")
        .observer(Both(metrics, Tracing::new()))
        .build()
        .unwrap();
    let text = logged(|| {
        let _ = breaker.call(|| Err::<(), _>(io::Error::other("down")));
    });
    let line = text
        .lines()
        .find(|line| line.contains("circuit opened"))
        .unwrap();
    assert!(line.contains("WARN seawall::breaker"), "{line}");
    for field in [
        r#"breaker="database""#,
        r#"to="open""#,
        r#"cause="tripped""#,
    ] {
        assert!(line.contains(field), "{line}");
    }
    page.check(
        r#"seawall_breaker_transitions_total{breaker="database",to="open",cause="tripped"}"#,
        1.0,
    );
}

#[test]
fn nothing_that_a_caller_wrote_is_in_an_event() {
    let policies = Policies::builder(MemoryStore::default())
        .policy(Policy::new("login", quota!("1/hour")).unwrap())
        .observer(Tracing::new())
        .build()
        .unwrap();
    let key = [Some(KeyBuf::new().push("alice@example.com"))];
    let text = logged(|| {
        for _ in 0..2 {
            let _ = policies.check_now(&key);
        }
        let error = ApiError::new(codes::NOT_FOUND);
        Tracing::new().answered(&Answer::new("BREW\u{1b}", 404, Duration::ZERO).error(&error));
    });
    assert!(
        text.contains(r#"policy="login""#) && text.contains(r#"reason="over_limit""#),
        "{text}"
    );
    assert!(
        text.contains(r#"method="other""#) && text.contains(r#"code="not_found""#),
        "{text}"
    );
    assert!(!text.contains("alice") && !text.contains("BREW"), "{text}");
}
