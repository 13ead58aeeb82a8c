//! Two decisions about one request become one answer.

use seawall_ratelimit::{
    Allowed, Decision, Denied, Limiter, MemoryStore, Mode, OnStoreError, Policies, Policy, Quota,
    Reason, Source, StoreFailure, quota,
};

use crate::policies::Flaky;
use crate::{key, n, s, store};

fn decide(store: &MemoryStore, name: &str, quota: Quota, times: u32) -> Decision {
    let policy = Policy::new(name, quota).unwrap();
    let limiter = Limiter::with_policy(store.clone(), "", policy).unwrap();
    for _ in 1..times {
        let _ = limiter.check_local("a");
    }
    limiter.check_local("a")
}

fn allowed(decision: Decision) -> Allowed {
    match decision {
        Decision::Allow(allowed) => allowed,
        Decision::Deny(denied) => panic!("{denied:?}"),
    }
}

fn denied(decision: Decision) -> Denied {
    match decision {
        Decision::Allow(allowed) => panic!("{allowed:?}"),
        Decision::Deny(denied) => denied,
    }
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

#[test]
fn of_two_waits_as_long_the_outer_gives_the_reason() {
    let (store, _) = store();
    let never = || decide(&store, "never", quota!("0/minute"), 1);
    let keys = Policies::builder(store.clone()).policy(Policy::new("p", quota!("1/s")).unwrap());
    let refused = keys.build().unwrap().check_now(&[]).unwrap();
    let reason = |outer, inner| denied(Decision::merge(outer, inner)).reason();
    assert_eq!(reason(never(), refused.clone()), Reason::OverLimit);
    assert_eq!(reason(refused, never()), Reason::StoreRefused);
}

#[tokio::test]
async fn a_merged_permission_says_that_the_store_did_not_give_all_of_it() {
    let flaky = Flaky::new(store().0);
    flaky.fail(Some(StoreFailure::Unavailable));
    let away = Policies::builder(flaky)
        .policy(
            Policy::new("away", quota!("1/s"))
                .unwrap()
                .on_store_error(OnStoreError::FailOpen),
        )
        .build()
        .unwrap();
    let open = away.check(&[key("a")]).await;
    let asked = decide(&store().0, "asked", quota!("1/s"), 1);
    for merged in [
        Decision::merge(open.clone(), asked.clone()),
        Decision::merge(asked, open),
    ] {
        assert_eq!(merged.source(), Source::FailOpen);
    }
}

#[test]
fn a_permission_taken_out_tells_the_same() {
    let (store, _) = store();
    let whole = Decision::merge(
        decide(&store, "wide", quota!("100/minute"), 1),
        decide(&store, "narrow", quota!("10/minute"), 1),
    );
    let part = allowed(whole.clone());
    assert_eq!(part.reports(), whole.reports());
    assert_eq!(part.reports().len(), 2);
    assert_eq!(part.binding().unwrap().policy().as_str(), "narrow");
    assert_eq!(Decision::from(part), whole);
}

#[test]
fn a_denial_taken_out_names_who_denies() {
    let policies = Policies::builder(store().0)
        .policy(Policy::new("wide", quota!("100/minute")).unwrap())
        .policy(Policy::new("narrow", quota!("1/minute")).unwrap())
        .policy(
            Policy::new("watching", quota!("1/hour"))
                .unwrap()
                .mode(Mode::Shadow),
        )
        .build()
        .unwrap();
    let keys = [key("a"), key("a"), key("a")];
    let _ = policies.check_now(&keys);
    let whole = policies.check_now(&keys).unwrap();
    let part = denied(whole.clone());
    assert_eq!(part.reports(), whole.reports());
    assert_eq!(part.reports().len(), 3);
    let violated: Vec<_> = part.violated().map(|r| r.policy().as_str()).collect();
    assert_eq!(violated, ["narrow"]);
    assert_eq!(part.retry_after(), Some(s(60)), "a shadow keeps nobody");
    assert_eq!(Decision::from(part), whole);
}

#[test]
fn decisions_of_other_figures_are_not_equal() {
    let policy = || Policy::new("p", quota!("10/minute")).unwrap();
    let limiter = Limiter::with_policy(store().0, "", policy()).unwrap();
    let (first, second) = (limiter.check_local("a"), limiter.check_local("a"));
    assert_ne!(first, second);
}

#[test]
fn of_policies_as_near_to_their_end_the_first_binds() {
    let decide = |names: [&str; 2], times| {
        let policies = names
            .iter()
            .fold(Policies::builder(store().0), |all, name| {
                all.policy(Policy::new(name, quota!("2/minute")).unwrap())
            })
            .build()
            .unwrap();
        let keys = [key("a"), key("a")];
        for _ in 1..times {
            let _ = policies.check_now(&keys);
        }
        policies.check_now(&keys).unwrap()
    };
    for (times, is_allowed) in [(1, true), (3, false)] {
        for names in [["a", "b"], ["b", "a"]] {
            let decision = decide(names, times);
            assert_eq!(decision.is_allowed(), is_allowed);
            assert_eq!(decision.binding().unwrap().policy().as_str(), names[0]);
        }
    }
}

#[tokio::test]
async fn a_report_says_what_was_asked_and_when() {
    let (store, clock) = store();
    let limiter = Limiter::new(store, quota!("10/10s"));
    let Ok(decision) = limiter.check_n("a", n(4)).await;
    let report = decision.reports()[0];
    assert_eq!((report.cost(), report.remaining()), (4, 6));
    assert_eq!((report.next(), report.reset()), (s(1), s(4)));
    assert_eq!(report.at(), seawall_ratelimit::Clock::now(&clock));
}
