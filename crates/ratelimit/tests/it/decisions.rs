//! Two decisions about one request become one answer.

use seawall_ratelimit::{
    Decision, Limiter, MemoryStore, Policies, Policy, Quota, Reason, Source, quota,
};

use crate::{s, store};

fn decide(store: &MemoryStore, name: &str, quota: Quota, times: u32) -> Decision {
    let policy = Policy::new(name, quota).unwrap();
    let limiter = Limiter::with_policy(store.clone(), "", policy).unwrap();
    for _ in 1..times {
        let _ = limiter.check_local("a");
    }
    limiter.check_local("a")
}

#[test]
fn both_must_allow() {
    let (store, _) = store();
    let allowed = || decide(&store, "outer", quota!("100/minute"), 1);
    let denied = || decide(&store, "inner", quota!("1/minute"), 2);
    assert!(Decision::merge(allowed(), allowed()).is_allowed());
    assert!(!Decision::merge(allowed(), denied()).is_allowed());
    assert!(!Decision::merge(denied(), allowed()).is_allowed());
}

#[test]
fn reports_stand_in_order_and_one_binds() {
    let (store, _) = store();
    let outer = decide(&store, "outer", quota!("100/minute"), 1);
    let inner = decide(&store, "inner", quota!("10/minute"), 6);
    let merged = Decision::merge(outer, inner);
    let names: Vec<_> = merged
        .reports()
        .iter()
        .map(|r| r.policy().to_string())
        .collect();
    assert_eq!(names, ["outer", "inner"]);
    // 4 of 10 is less than 99 of 100.
    assert_eq!(merged.binding().unwrap().policy().as_str(), "inner");
    assert_eq!(merged.source(), Source::Store);
}

#[test]
fn the_longest_wait_binds_among_denials() {
    let (store, _) = store();
    let short = decide(&store, "short", quota!("1/second"), 2);
    let long = decide(&store, "long", quota!("1/minute"), 2);
    let never = decide(&store, "never", quota!("0/minute"), 1);

    let Decision::Deny(denied) = Decision::merge(short.clone(), long.clone()) else {
        panic!()
    };
    assert_eq!(denied.binding().unwrap().policy().as_str(), "long");
    assert_eq!(denied.retry_after(), Some(s(60)));
    assert_eq!(denied.reason(), Reason::OverLimit);
    assert_eq!(denied.violated().count(), 2);

    let Decision::Deny(denied) = Decision::merge(never, Decision::merge(long, short)) else {
        panic!()
    };
    assert_eq!(denied.binding().unwrap().policy().as_str(), "never");
    assert_eq!(
        denied.retry_after(),
        None,
        "no wait helps against one of them"
    );
}

#[test]
fn an_allowed_policy_never_binds_beside_one_that_denies() {
    let (store, _) = store();
    let empty = decide(&store, "empty", quota!("1/hour"), 1);
    let denied = decide(&store, "denied", quota!("5/second"), 6);
    let merged = Decision::merge(empty, denied);
    assert_eq!(merged.binding().unwrap().policy().as_str(), "denied");
}

#[test]
fn a_merged_denial_gives_the_reason_of_the_longer_wait() {
    let (store, _) = store();
    let keys = Policies::builder(store.clone())
        .policy(Policy::new("p", quota!("1/minute")).unwrap())
        .build()
        .unwrap();
    let refused = keys.check_now(&[]).unwrap();
    let denied = decide(&store, "denied", quota!("1/minute"), 2);
    for merged in [
        Decision::merge(refused.clone(), denied.clone()),
        Decision::merge(denied, refused),
    ] {
        let Decision::Deny(merged) = merged else {
            panic!()
        };
        assert_eq!(
            (merged.reason(), merged.retry_after()),
            (Reason::StoreRefused, None)
        );
    }
}
