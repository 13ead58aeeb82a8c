//! The bound of the memory store, and threads.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use seawall_ratelimit::{
    Algorithm, Decision, Limiter, MemoryStore, Policies, Policy, Quota, Reason, WhenFull, quota,
};

use crate::{key, s, store};

fn small(when_full: WhenFull) -> (MemoryStore, std::sync::Arc<seawall_ratelimit::ManualClock>) {
    let (_, clock) = store();
    let store = MemoryStore::builder().capacity(64).when_full(when_full);
    (store.clock(std::sync::Arc::clone(&clock)).build(), clock)
}

#[test]
fn threads_admit_exactly_the_capacity() {
    for algorithm in [
        Algorithm::Gcra,
        Algorithm::SlidingWindow,
        Algorithm::FixedWindow,
    ] {
        let (store, _) = store();
        let limiter = Limiter::new(store, Quota::per_hour(1_000).with_algorithm(algorithm));
        let admitted = AtomicUsize::new(0);
        let together = Barrier::new(4);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    together.wait();
                    let mine = (0..1_000)
                        .filter(|_| limiter.check_local("a").is_allowed())
                        .count();
                    admitted.fetch_add(mine, Ordering::Relaxed);
                });
            }
        });
        assert_eq!(admitted.into_inner(), 1_000, "{algorithm:?}");
    }
}

#[test]
fn threads_over_several_policies_charge_all_or_none() {
    let (store, _) = store();
    let policies = Policies::builder(store)
        .policy(Policy::new("global", quota!("500/hour")).unwrap())
        .policy(Policy::new("user", quota!("200/hour;algorithm=fixed_window")).unwrap())
        .build()
        .unwrap();
    let admitted: Vec<_> = std::thread::scope(|scope| {
        let count = |user: &'static str| {
            let policies = &policies;
            scope.spawn(move || {
                let keys = [key("all"), key(user)];
                let check = |_: &u32| policies.check_now(&keys).unwrap().is_allowed();
                (0..1_000_u32).filter(check).count()
            })
        };
        let threads = [count("a"), count("b"), count("c"), count("c")];
        threads.map(|thread| thread.join().unwrap()).into()
    });
    let [a, b, c] = [admitted[0], admitted[1], admitted[2] + admitted[3]];
    assert!(a <= 200 && b <= 200 && c <= 200, "{a} {b} {c}");
    // What one loses to the other's give-back is an error on the strict side, and cannot be much.
    assert!(a + b + c <= 500, "{a} {b} {c}");
    // Nothing is left behind: what is admitted is what is charged.
    let rest = policies.check_now(&[key("all"), None]).unwrap();
    let charged = 500 - rest.reports()[0].remaining() as usize - usize::from(rest.is_allowed());
    assert_eq!(charged, a + b + c);
}

#[test]
fn a_flood_of_keys_costs_no_memory() {
    let (store, clock) = small(WhenFull::EvictNearestFull);
    let limiter = Limiter::new(store.clone(), quota!("5/minute"));
    let before = store.memory();
    for i in 0..10_000_u32 {
        let _ = limiter.check_local(i.to_be_bytes());
    }
    assert_eq!(store.memory(), before);
    assert!(before <= 64 * 24 + 256, "{before}");
    assert!(store.live_evictions() > 9_000);

    // As keys expire there is room again, without anybody sweeping.
    clock.advance(s(60));
    let evictions = store.live_evictions();
    for i in 0..64_u32 {
        let _ = limiter.check_local(i.to_be_bytes());
    }
    assert_eq!(store.live_evictions(), evictions);
}

#[test]
fn a_heavy_user_outlives_a_flood() {
    let (store, _) = small(WhenFull::EvictNearestFull);
    let limiter = Limiter::new(store, quota!("5/minute"));
    while limiter.check_local("heavy").is_allowed() {}
    for i in 0..10_000_u32 {
        let _ = limiter.check_local(i.to_be_bytes());
    }
    assert!(
        !limiter.check_local("heavy").is_allowed(),
        "new keys evict each other instead"
    );
}

#[test]
fn a_strict_store_denies_new_keys_until_there_is_room() {
    let (store, clock) = small(WhenFull::Deny);
    for quota in [
        quota!("5/minute"),
        quota!("5/minute;algorithm=sliding_window"),
    ] {
        let limiter = Limiter::new(store.clone(), quota);
        let known = limiter.check_local("known");
        let denied = (0..1_000_u32).find_map(|i| match limiter.check_local(i.to_be_bytes()) {
            Decision::Deny(denied) => Some((i, denied)),
            Decision::Allow(_) => None,
        });
        let (late, denied) = denied.unwrap();
        assert!((64..200).contains(&late), "{late}");
        assert_eq!(denied.reason(), Reason::StoreFull);
        let wait = denied.retry_after().unwrap();
        assert!(wait > Duration::ZERO && wait <= s(121), "{wait:?}");
        assert!(known.is_allowed() && limiter.check_local("known").is_allowed());
        assert_eq!(store.live_evictions(), 0);
        clock.advance(wait);
        assert!(
            limiter.check_local(late.to_be_bytes()).is_allowed(),
            "the wait is true"
        );
        clock.advance(s(3_600));
    }
}

#[test]
fn new_keys_may_share_what_is_left() {
    let (store, _) = small(WhenFull::ShareOverflow);
    let limiter = Limiter::new(store.clone(), quota!("50/minute"));
    let known = limiter.check_local("known").is_allowed();
    let admitted = (0..10_000_u32).filter(|i| limiter.check_local(i.to_be_bytes()).is_allowed());
    let admitted = admitted.count();
    assert!(
        (100..300).contains(&admitted),
        "{admitted}: one each, then 50 for all others"
    );
    // The counter of the others needs a slot as well. Where none was free it took one, at most once;
    // whose, the seed of the process decides.
    let evicted = store.live_evictions();
    assert!(evicted <= 1, "{evicted}");
    assert!(known && (limiter.check_local("known").is_allowed() || evicted == 1));
}

#[tokio::test]
async fn what_the_overflow_granted_can_be_refunded() {
    let (store, _) = small(WhenFull::ShareOverflow);
    let flood = Limiter::new(store.clone(), quota!("50/minute"));
    for i in 0..10_000_u32 {
        let _ = flood.check_local(i.to_be_bytes());
    }
    // Another policy, whose keys share its overflow counter from the first of them.
    let late = Limiter::new(store, quota!("2/minute"));
    assert!(late.check_local("a").is_allowed());
    let granted = late.check_local("b");
    assert!(granted.is_allowed());
    assert!(!late.check_local("c").is_allowed());
    let Ok(()) = late.refund("b", &granted).await;
    assert!(late.check_local("d").is_allowed());
    assert!(!late.check_local("e").is_allowed());
}

#[test]
fn windows_get_their_room_with_the_first_of_them() {
    let store = MemoryStore::new(1_000);
    let before = store.memory();
    assert!(before < 1_000 * 22 + 300, "{before}");
    let quota = Quota::per_hour(5).with_algorithm(Algorithm::FixedWindow);
    let _ = Limiter::new(store.clone(), quota).check_local("a");
    assert!(store.memory() > 2 * before && store.memory() < 4 * before);
}
