//! Stores that are timed, and stay the stores that they are.

use std::fmt;
use std::time::Duration;

use seawall_ratelimit::{
    Charge, KeyBuf, MemoryStore, Now, Op, Policies, Policy, Store, StoreFailure, Verdict, quota,
};
use seawall_signing::{Claim, MemoryNonceStore, Nonce, NonceStore, UnixTime};
use seawall_telemetry::Timed;

use crate::support::metrics;

/// A store that never answers anything but that it cannot.
pub(crate) struct Down;

#[derive(Debug)]
pub(crate) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken")
    }
}

impl std::error::Error for Broken {}

impl From<Broken> for StoreFailure {
    fn from(_: Broken) -> Self {
        Self::Unavailable
    }
}

impl Store for Down {
    type Error = Broken;

    async fn decide(&self, _: Op, _: &[Charge<'_>], _: &mut [Verdict]) -> Result<Now, Broken> {
        Err(Broken)
    }
}

/// Memory behind a network, as far as its callers can tell.
struct Far(MemoryStore);

impl Store for Far {
    type Error = Broken;

    async fn decide(
        &self,
        op: Op,
        charges: &[Charge<'_>],
        out: &mut [Verdict],
    ) -> Result<Now, Broken> {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let Ok(now) = self.0.decide(op, charges, out).await;
        Ok(now)
    }
}

fn policies<S: Store>(store: S) -> Policies<S> {
    let login = Policy::new("login", quota!("5/hour")).unwrap();
    Policies::builder(store).policy(login).build().unwrap()
}

fn key() -> [Option<KeyBuf>; 1] {
    [Some(KeyBuf::new().push("a"))]
}

#[tokio::test(start_paused = true)]
async fn calls_that_wait_are_timed_by_how_they_ended() {
    let (metrics, page) = metrics();
    let count = |outcome: &str, expected| {
        let labels = format!(r#"store="far",op="consume",outcome="{outcome}""#);
        page.check(
            &format!("seawall_ratelimit_store_seconds_count{{{labels}}}"),
            expected,
        );
    };
    let far = policies(metrics.timed("far", Far(MemoryStore::default())));
    assert!(far.check_now(&key()).is_none());
    assert!(far.check(&key()).await.is_allowed());
    count("ok", 1.0);

    let down = policies(metrics.timed("far", Down));
    let _ = down.check(&key()).await;
    count("error", 1.0);

    let left = tokio::time::timeout(Duration::from_millis(1), far.check(&key())).await;
    assert!(left.is_err());
    count("dropped", 1.0);
}

#[test]
fn what_answers_at_once_still_does_and_is_not_timed() {
    let (metrics, page) = metrics();
    let near = policies(metrics.timed("memory", MemoryStore::default()));
    assert!(near.check_now(&key()).unwrap().is_allowed());
    assert_eq!(page.series("seawall_ratelimit_store_seconds"), 0);

    let nonces = metrics.timed("memory", MemoryNonceStore::with_capacity(1));
    let nonce = Nonce::new(&[0; 32], UnixTime::from_secs(9), UnixTime::from_secs(1));
    assert!(matches!(nonces.claim_now(nonce), Some(Ok(Claim::Fresh))));
    assert!(matches!(nonces.claim_now(nonce), Some(Ok(Claim::Replayed))));
}

#[tokio::test]
async fn every_step_of_a_record_store_passes_through() {
    use seawall_idempotency::{
        Idempotency, IdempotencyKey, MemoryStore, Outcome, Policy, Run, Store,
    };

    let (metrics, page) = metrics();
    let store: Timed<MemoryStore> = metrics.timed("records", MemoryStore::new());
    assert_eq!(store.caps(), store.store().caps());
    let front = Idempotency::new(store, Policy::at_most_once()).unwrap();
    let key = IdempotencyKey::new("a").unwrap();
    let ask = || {
        front.run(&key, b"", |_| async {
            Ok::<_, Broken>(Outcome::new("done"))
        })
    };
    assert!(matches!(ask().await.unwrap(), Run::Executed(_)));
    assert!(matches!(ask().await.unwrap(), Run::Replayed(_)));
    let count = |step: &str, expected| {
        let labels = format!(r#"store="records",step="{step}",outcome="ok""#);
        page.check(
            &format!("seawall_idempotency_store_seconds_count{{{labels}}}"),
            expected,
        );
    };
    count("reserve", 2.0);
    count("complete", 1.0);
}
