//! A check over memory leaves the heap alone, but for a list of several reports.

use allocation_counter::measure;
use seawall_ratelimit::{Algorithm, BoxStore, Limiter, Policies, Policy, Quota, quota};

use crate::{key, store};

fn allocations(act: impl FnOnce()) -> u64 {
    measure(act).count_total
}

#[test]
fn four_policies_are_decided_with_one_allocation() {
    for algorithm in [
        Algorithm::Gcra,
        Algorithm::SlidingWindow,
        Algorithm::FixedWindow,
    ] {
        let mut builder = Policies::builder(store().0);
        for name in ["one", "two", "three", "four"] {
            let quota = Quota::per_minute(3).with_algorithm(algorithm);
            builder = builder.policy(Policy::new(name, quota).unwrap());
        }
        let policies = builder.build().unwrap();
        let keys = [key("a"), key("b"), key("c"), key("d")];
        // The first sets aside room for windows.
        let _ = policies.check_now(&keys);
        let count = allocations(|| {
            let allowed = (0..6)
                .filter(|_| policies.check_now(&keys).unwrap().is_allowed())
                .count();
            assert_eq!(allowed, 2);
        });
        assert_eq!(count, 6, "{algorithm:?}");
    }
}

#[test]
fn a_limiter_and_a_new_key_allocate_nothing() {
    let limiter = Limiter::new(store().0, quota!("2/minute"));
    let erased = Limiter::new(BoxStore::new(store().0), quota!("2/minute"));
    let count = allocations(|| {
        for key in ["a", "b", "a", "a", "b"] {
            let _ = limiter.check_local(key);
            let _ = erased.check_now(key);
        }
    });
    assert_eq!(count, 0);
}
