//! Wrappers of stores.

use std::sync::Arc;
use std::time::Duration;

use seawall_ratelimit::{
    BoxStore, Decision, DenyCache, Fallback, Limiter, ManualClock, MemoryStore, Policy, Reason,
    Source, StoreFailure, quota,
};

use crate::policies::Flaky;
use crate::{n, s, store};

fn cached(clock: &Arc<ManualClock>, inner: Flaky) -> DenyCache<Flaky> {
    DenyCache::new(inner).clock(Arc::clone(clock))
}

async fn source<S: seawall_ratelimit::Store>(limiter: &Limiter<S>) -> Source {
    limiter.check("a").await.unwrap().source()
}

#[tokio::test]
async fn a_denial_is_remembered_until_waiting_would_help() {
    let (memory, clock) = store();
    let limiter = Limiter::new(cached(&clock, Flaky::new(memory)), quota!("2/second"));
    let _ = limiter.check_n("a", n(2)).await.unwrap();
    assert_eq!(source(&limiter).await, Source::Store);
    clock.advance(Duration::from_millis(200));
    let Ok(Decision::Deny(denied)) = limiter.check("a").await else {
        panic!("denied")
    };
    assert_eq!(denied.source(), Source::DenyCache);
    assert_eq!(
        denied.retry_after(),
        Some(Duration::from_millis(300)),
        "time has passed"
    );
    clock.advance(Duration::from_millis(300));
    assert!(limiter.check("a").await.unwrap().is_allowed());
}

#[tokio::test]
async fn a_denial_is_believed_for_a_second_at_most() {
    let (memory, clock) = store();
    let limiter = Limiter::new(cached(&clock, Flaky::new(memory)), quota!("1/hour"));
    let _ = limiter.check("a").await.unwrap();
    assert_eq!(source(&limiter).await, Source::Store);
    clock.advance(Duration::from_millis(999));
    assert_eq!(source(&limiter).await, Source::DenyCache);
    clock.advance(Duration::from_millis(1));
    assert_eq!(source(&limiter).await, Source::Store);
}

#[tokio::test]
async fn other_costs_and_keys_are_asked_for() {
    let (memory, clock) = store();
    let limiter = Limiter::new(cached(&clock, Flaky::new(memory)), quota!("10/minute"));
    let _ = limiter.check_n("a", n(7)).await.unwrap();
    assert!(!limiter.check_n("a", n(4)).await.unwrap().is_allowed());
    assert!(limiter.check_n("a", n(3)).await.unwrap().is_allowed());
    assert!(limiter.check_n("b", n(4)).await.unwrap().is_allowed());
}

#[tokio::test]
async fn a_refund_or_a_reset_is_noticed() {
    let (memory, clock) = store();
    let limiter = Limiter::new(cached(&clock, Flaky::new(memory)), quota!("1/minute"));
    let Ok(charged) = limiter.check("a").await else {
        panic!()
    };
    source(&limiter).await;
    assert_eq!(source(&limiter).await, Source::DenyCache);
    limiter.refund("a", &charged).await.unwrap();
    assert!(limiter.check("a").await.unwrap().is_allowed());
    source(&limiter).await;
    assert_eq!(source(&limiter).await, Source::DenyCache);
    limiter.reset("a").await.unwrap();
    assert!(limiter.check("a").await.unwrap().is_allowed());
}

#[tokio::test]
async fn a_denial_outlives_the_store() {
    let (memory, clock) = store();
    let inner = Flaky::new(memory);
    let limiter = Limiter::new(cached(&clock, inner.clone()), quota!("1/minute"));
    let _ = limiter.check("a").await.unwrap();
    source(&limiter).await;
    inner.fail(Some(StoreFailure::Unavailable));
    assert_eq!(source(&limiter).await, Source::DenyCache);
    assert!(limiter.check("b").await.is_err());
}

#[tokio::test]
async fn penalties_are_remembered_too() {
    let (memory, clock) = store();
    let policy = Policy::new("p", quota!("1/second"))
        .unwrap()
        .block_for(s(60));
    let store = cached(&clock, Flaky::new(memory));
    let limiter = Limiter::with_policy(store, "", policy).unwrap();
    let _ = limiter.check("a").await.unwrap();
    source(&limiter).await;
    let Ok(Decision::Deny(denied)) = limiter.check("a").await else {
        panic!("denied")
    };
    let seen = (denied.source(), denied.reason(), denied.retry_after());
    assert_eq!(seen, (Source::DenyCache, Reason::Blocked, Some(s(60))));
}

fn with_fallback(replicas: u32) -> (Limiter<Fallback<Flaky>>, Flaky) {
    let inner = Flaky::new(store().0);
    let local = store().0;
    let fallback = Fallback::new(inner.clone(), local, n(replicas));
    (Limiter::new(fallback, quota!("10/minute")), inner)
}

#[tokio::test]
async fn memory_stands_in_with_its_share() {
    let (limiter, inner) = with_fallback(5);
    inner.fail(Some(StoreFailure::Unavailable));
    let mut admitted = 0;
    for _ in 0..20 {
        let decision = limiter.check("a").await.unwrap();
        assert_eq!(decision.source(), Source::Local);
        admitted += usize::from(decision.is_allowed());
    }
    assert_eq!(admitted, 2);
    inner.fail(None);
    assert_eq!(source(&limiter).await, Source::Store);
}

#[tokio::test]
async fn nobody_stands_in_for_a_refusal() {
    let (limiter, inner) = with_fallback(1);
    inner.fail(Some(StoreFailure::Refused));
    let error = limiter.check("a").await.unwrap_err();
    assert_eq!(error.to_string(), "broken");
    assert_eq!(StoreFailure::from(error), StoreFailure::Refused);
}

#[tokio::test]
async fn a_grant_goes_back_to_who_granted() {
    let (limiter, inner) = with_fallback(2);
    let left = async || {
        limiter
            .peek("a")
            .await
            .unwrap()
            .binding()
            .unwrap()
            .remaining()
    };
    let remote = limiter.check("a").await.unwrap();
    inner.fail(Some(StoreFailure::Unavailable));
    let here = limiter.check("a").await.unwrap();
    assert_eq!(left().await, 4);
    assert!(
        limiter.refund("a", &remote).await.is_err(),
        "the store is away"
    );
    inner.fail(None);
    limiter.refund("a", &here).await.unwrap();
    assert_eq!(left().await, 9, "the stand-in's grant is not the store's");
    limiter.refund("a", &remote).await.unwrap();
    assert_eq!(left().await, 10);
    inner.fail(Some(StoreFailure::Unavailable));
    assert_eq!(left().await, 5);
}

#[tokio::test]
async fn a_reset_during_an_outage_is_not_claimed_to_be_done() {
    let (limiter, inner) = with_fallback(10);
    inner.fail(Some(StoreFailure::Unavailable));
    assert!(limiter.check("a").await.unwrap().is_allowed());
    assert!(!limiter.check("a").await.unwrap().is_allowed());
    assert!(limiter.reset("a").await.is_err());
    assert!(
        limiter.check("a").await.unwrap().is_allowed(),
        "but the stand-in has done it"
    );
}

#[tokio::test]
async fn an_erased_store_keeps_meaning_text_and_the_short_cut() {
    let erased = Limiter::new(BoxStore::new(store().0), quota!("1/minute"));
    assert!(erased.check_now("a").unwrap().unwrap().is_allowed());

    let inner = Flaky::new(MemoryStore::new(1));
    inner.fail(Some(StoreFailure::Unavailable));
    let erased = Limiter::new(BoxStore::new(inner), quota!("1/minute"));
    assert!(erased.check_now("a").is_none());
    let error = erased.check("a").await.unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.failure()),
        ("broken", StoreFailure::Unavailable)
    );
}

#[cfg(feature = "conformance")]
#[tokio::test]
async fn wrappers_keep_the_laws() {
    use seawall_ratelimit::conformance::laws;
    let clock = Arc::new(ManualClock::new());
    let memory = || MemoryStore::builder().clock(Arc::clone(&clock)).build();
    laws(&Fallback::new(memory(), memory(), n(1)), &clock, "fallback").await;
}

#[cfg(feature = "tokio")]
#[tokio::test(start_paused = true)]
async fn a_late_store_is_an_unavailable_store() {
    use seawall_ratelimit::{Charge, Now, Op, Store, TimedOut, Verdict, WithTimeout};
    struct Stuck;
    impl Store for Stuck {
        type Error = StoreFailure;
        async fn decide(
            &self,
            _: Op,
            _: &[Charge<'_>],
            _: &mut [Verdict],
        ) -> Result<Now, StoreFailure> {
            std::future::pending().await
        }
    }
    let limit = Duration::from_millis(50);
    let limiter = Limiter::new(WithTimeout::new(Stuck, limit), quota!("1/minute"));
    let error = limiter.check("a").await.unwrap_err();
    assert_eq!(error, TimedOut::After(limit));
    assert_eq!(error.to_string(), "rate limit store took longer than 50ms");
    assert_eq!(StoreFailure::from(error), StoreFailure::Unavailable);

    let memory = Limiter::new(WithTimeout::new(store().0, limit), quota!("1/minute"));
    assert!(memory.check_now("a").unwrap().unwrap().is_allowed());
}
