//! One quota over one store.

use std::sync::Mutex;
use std::time::Duration;

use seawall_ratelimit::{
    Decision, KeyBuf, Limiter, MemoryStore, Mode, Observer, Policies, Policy, Quota, Reason, quota,
};

use crate::{key, n, s, store};

fn remaining(decision: &Decision) -> u32 {
    decision.binding().unwrap().remaining()
}

#[tokio::test]
async fn memory_cannot_fail() {
    let limiter = Limiter::new(store().0, quota!("1/minute"));
    let Ok(first) = limiter.check("a").await;
    let Ok(second) = limiter.check("a").await;
    assert!(first.is_allowed() && !second.is_allowed());
}

#[tokio::test]
async fn peeking_charges_nothing_and_tells_the_same() {
    let limiter = Limiter::new(store().0, quota!("2/minute"));
    let Ok(peeked) = limiter.peek("a").await;
    assert_eq!((peeked.is_allowed(), remaining(&peeked)), (true, 2));
    let _ = limiter.check_n("a", n(2)).await.unwrap();
    let Ok(peeked) = limiter.peek("a").await;
    let Ok(checked) = limiter.check("a").await;
    assert_eq!(peeked, checked);
}

#[tokio::test]
async fn a_refund_gives_back_what_has_not_come_back() {
    let (store, clock) = store();
    let limiter = Limiter::new(store, quota!("10/10s"));
    let Ok(charged) = limiter.check_n("a", n(6)).await;
    clock.advance(s(4));
    limiter.refund("a", &charged).await.unwrap();
    assert_eq!(remaining(&limiter.peek("a").await.unwrap()), 10);

    let _ = limiter.check_n("a", n(10)).await.unwrap();
    limiter.refund("a", &charged).await.unwrap();
    let left = remaining(&limiter.peek("a").await.unwrap());
    assert_eq!(
        left, 2,
        "the rest of the first charge, once more: nobody can know better"
    );
    clock.advance(s(2));
    let _ = limiter.check_n("a", n(4)).await.unwrap();
    limiter.refund("a", &charged).await.unwrap();
    assert_eq!(
        remaining(&limiter.peek("a").await.unwrap()),
        0,
        "all of it has come back by now"
    );
}

#[tokio::test]
async fn a_denial_is_refunded_with_nothing() {
    let limiter = Limiter::new(store().0, quota!("2/minute"));
    let _ = limiter.check_n("a", n(2)).await.unwrap();
    let Ok(denied) = limiter.check("a").await;
    limiter.refund("a", &denied).await.unwrap();
    assert!(!limiter.check("a").await.unwrap().is_allowed());
}

#[tokio::test]
async fn a_reset_forgets_a_key() {
    let limiter = Limiter::new(store().0, quota!("1/minute"));
    let _ = limiter.check("a").await.unwrap();
    limiter.reset("a").await.unwrap();
    assert!(limiter.check("a").await.unwrap().is_allowed());
}

#[tokio::test]
async fn a_block_by_hand_needs_a_policy_that_looks() {
    let (store, clock) = store();
    let blind = Limiter::new(store.clone(), quota!("5/minute"));
    assert!(!blind.block("a", s(60)).await.unwrap());

    let policy = Policy::new("api", quota!("5/minute"))
        .unwrap()
        .block_for(Duration::ZERO);
    let looking = Limiter::with_policy(store, "", policy).unwrap();
    assert!(looking.block("a", s(60)).await.unwrap());
    let Ok(Decision::Deny(denied)) = looking.check("a").await else {
        panic!("blocked")
    };
    assert_eq!(
        (denied.reason(), denied.retry_after()),
        (Reason::Blocked, Some(s(60)))
    );
    clock.advance(s(60));
    assert!(looking.check("a").await.unwrap().is_allowed());
}

#[tokio::test]
async fn a_reservation_is_settled_by_what_was_used() {
    let (store, clock) = store();
    let limiter = Limiter::new(store, quota!("100/100s"));
    let reserve = async |estimate| limiter.reserve("a", n(estimate)).await.unwrap();
    let left = async || remaining(&limiter.peek("a").await.unwrap());

    reserve(40).await.unwrap().settle(10).await.unwrap();
    assert_eq!(left().await, 90);
    reserve(10).await.unwrap().settle(30).await.unwrap();
    assert_eq!(left().await, 60);
    reserve(10).await.unwrap().cancel().await.unwrap();
    assert_eq!(left().await, 60);
    drop(reserve(10).await.unwrap());
    assert_eq!(left().await, 50, "who does not settle pays the estimate");
    reserve(50).await.unwrap().settle(1_000_000).await.unwrap();
    assert_eq!(left().await, 0, "no debt is kept");
    assert_eq!(reserve(1).await.unwrap_err().retry_after(), Some(s(1)));

    clock.advance(s(100));
    let slow = reserve(100).await.unwrap();
    clock.advance(s(99));
    slow.cancel().await.unwrap();
    assert_eq!(left().await, 100);
}

#[tokio::test]
async fn quotas_may_depend_on_the_key() {
    let policy = Policy::new("api", quota!("1/minute"))
        .unwrap()
        .quota_by_key(|key| match seawall_ratelimit::key_parts(key).next() {
            Some(b"gold") => Quota::per_minute(100),
            _ => Quota::per_minute(1),
        });
    let limiter = Limiter::with_policy(store().0, "", policy).unwrap();
    let left = |plan: &str| remaining(&limiter.check_local(KeyBuf::new().push(plan).push("alice")));
    assert_eq!((left("gold"), left("free")), (99, 0));
}

#[test]
fn limiters_of_different_quotas_count_apart() {
    let (store, _) = store();
    let minute = Limiter::new(store.clone(), quota!("1/minute"));
    let hour = Limiter::new(store.clone(), quota!("5/hour"));
    let again = Limiter::new(store, quota!("1/minute"));
    assert!(minute.check_local("a").is_allowed());
    assert!(hour.check_local("a").is_allowed());
    assert!(!again.check_local("a").is_allowed());
}

#[test]
fn a_limiter_shares_counters_with_policies_of_its_namespace() {
    let (store, _) = store();
    let policy = || Policy::new("login", quota!("1/minute")).unwrap();
    let policies = Policies::builder(store.clone())
        .namespace("shop")
        .policy(policy())
        .build()
        .unwrap();
    assert!(policies.check_now(&[key("a")]).unwrap().is_allowed());
    let shop = Limiter::with_policy(store.clone(), "shop", policy()).unwrap();
    assert!(!shop.check_local(key("a").unwrap()).is_allowed());
    let blog = Limiter::with_policy(store, "blog", policy()).unwrap();
    assert!(blog.check_local(key("a").unwrap()).is_allowed());
}

#[test]
fn a_mode_is_switched_at_run_time() {
    let policy = Policy::new("p", quota!("1/minute")).unwrap();
    let switch = policy.clone();
    let limiter = Limiter::with_policy(store().0, "", policy).unwrap();
    let _ = limiter.check_local("a");
    assert!(!limiter.check_local("a").is_allowed());
    switch.set_mode(Mode::Shadow);
    let shadow = limiter.check_local("a");
    assert!(shadow.is_allowed() && shadow.reports()[0].is_denied());
    assert!(shadow.binding().is_none());
    switch.set_mode(Mode::Off);
    assert!(limiter.check_local("a").reports().is_empty());
    switch.set_mode(Mode::Enforce);
    assert!(!limiter.check_local("a").is_allowed());
}

#[test]
fn an_observer_is_told_every_decision() {
    #[derive(Default)]
    struct Seen(Mutex<Vec<bool>>);
    impl Observer for Seen {
        fn decided(&self, decision: &Decision) {
            self.0.lock().unwrap().push(decision.is_allowed());
        }
    }
    let seen = std::sync::Arc::new(Seen::default());
    let limiter =
        Limiter::new(store().0, quota!("1/minute")).observed_by(std::sync::Arc::clone(&seen));
    let _ = limiter.check_local("a");
    let _ = limiter.check_local("a");
    assert_eq!(*seen.0.lock().unwrap(), [true, false]);
}

#[test]
fn a_default_store_works_on_the_real_clock() {
    let limiter = Limiter::new(MemoryStore::default(), quota!("3/hour"));
    let allowed = (0..10)
        .filter(|_| limiter.check_local("a").is_allowed())
        .count();
    assert_eq!(allowed, 3);
}
