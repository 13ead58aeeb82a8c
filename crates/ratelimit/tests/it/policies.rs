//! Several policies in one decision, and what happens when the store is away.

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use seawall_ratelimit::{
    Charge, ConfigError, CountRule, Decision, Limiter, MemoryStore, Mode, Now, Observer,
    OnStoreError, Op, Policies, Policy, Reason, Source, Store, StoreFailure, Verdict, quota,
};

use crate::{key, n, s, store};

/// A store that can be made to fail.
#[derive(Clone)]
pub(crate) struct Flaky {
    pub(crate) store: MemoryStore,
    state: Arc<AtomicU8>,
}

#[derive(Debug)]
pub(crate) struct Broken(StoreFailure);

impl Flaky {
    pub(crate) fn new(store: MemoryStore) -> Self {
        Self {
            store,
            state: Arc::default(),
        }
    }

    pub(crate) fn fail(&self, failure: Option<StoreFailure>) {
        let state = match failure {
            None => 0,
            Some(StoreFailure::Unavailable) => 1,
            Some(StoreFailure::Refused) => 2,
        };
        self.state.store(state, Ordering::Relaxed);
    }
}

impl Store for Flaky {
    type Error = Broken;

    async fn decide(
        &self,
        op: Op,
        charges: &[Charge<'_>],
        out: &mut [Verdict],
    ) -> Result<Now, Broken> {
        match self.state.load(Ordering::Relaxed) {
            1 => Err(Broken(StoreFailure::Unavailable)),
            2 => Err(Broken(StoreFailure::Refused)),
            _ => {
                let Ok(now) = self.store.decide(op, charges, out).await;
                Ok(now)
            }
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken")
    }
}

impl Error for Broken {}

impl From<Broken> for StoreFailure {
    fn from(broken: Broken) -> Self {
        broken.0
    }
}

fn policy(name: &str, quota: seawall_ratelimit::Quota) -> Policy {
    Policy::new(name, quota).unwrap()
}

fn local(replicas: u32) -> OnStoreError {
    OnStoreError::Local {
        replicas: n(replicas),
    }
}

fn left(decision: &Decision) -> Vec<u32> {
    decision
        .reports()
        .iter()
        .map(|report| report.remaining())
        .collect()
}

#[test]
fn a_denial_charges_no_policy() {
    let (store, _) = store();
    let policies = Policies::builder(store)
        .policy(policy("wide", quota!("10/minute")))
        .policy(policy("narrow", quota!("1/minute")))
        .build()
        .unwrap();
    let both = [key("a"), key("a")];
    assert_eq!(left(&policies.check_now(&both).unwrap()), [9, 0]);
    for _ in 0..5 {
        let denied = policies.check_now(&both).unwrap();
        assert!(!denied.is_allowed());
        assert_eq!(left(&denied), [9, 0]);
    }
    assert_eq!(left(&policies.check_now(&[key("a"), None]).unwrap()), [8]);
}

#[test]
fn a_wrong_number_of_keys_is_a_denial() {
    let policies = Policies::builder(store().0)
        .policy(policy("p", quota!("10/minute")))
        .build()
        .unwrap();
    for keys in [vec![], vec![key("a"), key("b")]] {
        let Some(Decision::Deny(denied)) = policies.check_now(&keys) else {
            panic!("denied")
        };
        assert_eq!(
            (denied.reason(), denied.retry_after()),
            (Reason::StoreRefused, None)
        );
    }
}

#[test]
fn what_cannot_work_does_not_build() {
    let check = |policies: Vec<Policy>, key: &str| {
        let mut builder = Policies::builder(MemoryStore::new(1));
        for policy in policies {
            builder = builder.policy(policy);
        }
        let error: ConfigError = builder.build().unwrap_err();
        assert_eq!(error.key(), key, "{error}");
        assert!(error.to_string().contains("expected"), "{error}");
    };
    let p = || policy("p", quota!("10/minute"));
    check(vec![p(), p()], "name");
    check(vec![p().cost(n(11))], "cost");
    check(vec![p().block_for(Duration::MAX)], "block_for");
    assert_eq!(Policy::new("", quota!("1/s")).unwrap_err().key(), "name");
}

#[tokio::test]
async fn failing_open_lets_pass_and_says_so() {
    let store = Flaky::new(store().0);
    let policies = Policies::builder(store.clone())
        .policy(policy("p", quota!("1/minute")))
        .build()
        .unwrap();
    store.fail(Some(StoreFailure::Unavailable));
    for _ in 0..3 {
        let decision = policies.check(&[key("a")]).await;
        assert_eq!(
            (decision.is_allowed(), decision.source()),
            (true, Source::FailOpen)
        );
        assert!(decision.reports().is_empty());
    }
}

#[tokio::test]
async fn one_that_fails_closed_denies_for_all() {
    let store = Flaky::new(store().0);
    let guard = policy("guard", quota!("10/minute")).on_store_error(OnStoreError::FailClosed);
    let switch = guard.clone();
    let policies = Policies::builder(store.clone())
        .policy(policy("open", quota!("10/minute")))
        .policy(guard)
        .policy(policy("local", quota!("10/minute")).on_store_error(local(1)))
        .build()
        .unwrap();
    store.fail(Some(StoreFailure::Unavailable));
    let keys = [key("a"), key("a"), key("a")];
    let Decision::Deny(denied) = policies.check(&keys).await else {
        panic!("denied")
    };
    assert_eq!(
        (denied.source(), denied.reason()),
        (Source::FailClosed, Reason::StoreUnavailable)
    );
    assert_eq!(denied.retry_after(), Some(s(1)));

    // A policy that does not apply, or only watches, closes nothing.
    let decision = policies.check(&[key("a"), None, key("a")]).await;
    assert_eq!(
        (decision.is_allowed(), decision.source()),
        (true, Source::Local)
    );
    switch.set_mode(Mode::Shadow);
    assert!(policies.check(&keys).await.is_allowed());
}

#[tokio::test]
async fn local_counting_divides_the_quota() {
    let (memory, clock) = store();
    let store = Flaky::new(memory);
    let policies = Policies::builder(store.clone())
        .policy(policy("p", quota!("9/minute")).on_store_error(local(3)))
        .local_store(MemoryStore::builder().clock(Arc::clone(&clock)).build())
        .build()
        .unwrap();
    store.fail(Some(StoreFailure::Unavailable));
    let mut admitted = 0;
    for _ in 0..20 {
        let decision = policies.check(&[key("a")]).await;
        assert_eq!(decision.source(), Source::Local);
        admitted += usize::from(decision.is_allowed());
    }
    assert_eq!(admitted, 3);
    store.fail(None);
    let decision = policies.check(&[key("a")]).await;
    assert_eq!(
        (decision.is_allowed(), decision.source()),
        (true, Source::Store)
    );
    assert_eq!(left(&decision), [8]);
}

#[tokio::test]
async fn a_refusal_never_opens() {
    let store = Flaky::new(store().0);
    let policies = Policies::builder(store.clone())
        .policy(policy("open", quota!("10/minute")))
        .policy(policy("local", quota!("10/minute")).on_store_error(local(1)))
        .build()
        .unwrap();
    store.fail(Some(StoreFailure::Refused));
    let Decision::Deny(denied) = policies.check(&[key("a"), key("a")]).await else {
        panic!("denied")
    };
    assert_eq!(
        (denied.reason(), denied.retry_after()),
        (Reason::StoreRefused, None)
    );
}

#[tokio::test]
async fn a_store_that_decides_nothing_is_no_permission() {
    struct Silent;
    impl Store for Silent {
        type Error = StoreFailure;
        async fn decide(
            &self,
            _: Op,
            _: &[Charge<'_>],
            _: &mut [Verdict],
        ) -> Result<Now, StoreFailure> {
            Ok(Now::default())
        }
    }
    let policies = Policies::builder(Silent)
        .policy(policy("p", quota!("1/s")))
        .build()
        .unwrap();
    let Decision::Deny(denied) = policies.check(&[key("a")]).await else {
        panic!("denied")
    };
    assert_eq!(denied.reason(), Reason::StoreRefused);
    let limiter = Limiter::new(Silent, quota!("1/s"));
    assert!(!limiter.check("a").await.unwrap().is_allowed());
}

#[tokio::test]
async fn what_does_not_count_is_refunded_after_the_response() {
    let (store, _) = store();
    let policies = Policies::builder(store)
        .policy(policy("all", quota!("10/minute")))
        .policy(policy("failures", quota!("10/minute")).count(CountRule::Failures))
        .policy(policy("sales", quota!("10/minute")).count(CountRule::Successes))
        .policy(policy("409", quota!("10/minute")).count(CountRule::OnlyIf(|s| s == 409)))
        .build()
        .unwrap();
    assert!(policies.needs_settling());
    let keys = [key("a"), key("a"), key("a"), key("a")];
    let decision = policies.check(&keys).await;
    policies.settle(&keys, &decision, 200).await;
    let decision = policies.check(&keys).await;
    assert_eq!(left(&decision), [8, 9, 8, 9]);
    policies.settle(&keys, &decision, 409).await;
    let decision = policies.check(&keys).await;
    assert_eq!(left(&decision), [7, 8, 8, 8]);
    policies.refund(&keys, &decision).await;
    assert_eq!(left(&policies.check(&keys).await), [7, 8, 8, 8]);
}

#[tokio::test]
async fn a_local_grant_is_refunded_locally() {
    let (memory, _) = store();
    let store = Flaky::new(memory);
    let policies = Policies::builder(store.clone())
        .policy(policy("p", quota!("5/minute")).on_store_error(local(1)))
        .local_store(crate::store().0)
        .build()
        .unwrap();
    let remote = policies.check(&[key("a")]).await;
    store.fail(Some(StoreFailure::Unavailable));
    let here = policies.check(&[key("a")]).await;
    assert_eq!((left(&remote), left(&here)), (vec![4], vec![4]));
    policies.refund(&[key("a")], &here).await;
    policies.refund(&[key("a")], &remote).await;
    assert_eq!(
        left(&policies.check(&[key("a")]).await),
        [4],
        "the local grant came back"
    );
    store.fail(None);
    assert_eq!(
        left(&policies.check(&[key("a")]).await),
        [3],
        "the remote one could not"
    );
}

#[tokio::test]
async fn an_observer_hears_of_failures_and_of_shadows() {
    #[derive(Default)]
    struct Log(Mutex<Vec<String>>);
    impl Observer for Log {
        fn decided(&self, decision: &Decision) {
            let shadows = decision
                .reports()
                .iter()
                .filter(|r| r.is_shadow() && r.is_denied());
            let line = format!("{} {}", decision.is_allowed(), shadows.count());
            self.0.lock().unwrap().push(line);
        }
        fn store_failed(&self, failure: StoreFailure, error: &(dyn Error + 'static)) {
            self.0.lock().unwrap().push(format!("{failure:?}: {error}"));
        }
    }
    let store = Flaky::new(store().0);
    let log = Arc::new(Log::default());
    let policies = Policies::builder(store.clone())
        .policy(policy("shadow", quota!("1/minute")).mode(Mode::Shadow))
        .observer(Arc::clone(&log))
        .build()
        .unwrap();
    let _ = policies.check(&[key("a")]).await;
    let _ = policies.check(&[key("a")]).await;
    store.fail(Some(StoreFailure::Unavailable));
    let _ = policies.check(&[key("a")]).await;
    assert_eq!(
        *log.0.lock().unwrap(),
        ["true 0", "true 1", "Unavailable: broken", "true 0"]
    );
}

#[test]
fn nothing_to_ask_is_a_yes() {
    let off = policy("p", quota!("0/minute")).mode(Mode::Off);
    let policies = Policies::builder(store().0).policy(off).build().unwrap();
    assert!(policies.check_now(&[key("a")]).unwrap().is_allowed());
    assert!(policies.check_now(&[None]).unwrap().is_allowed());
}

#[test]
fn admitting_decides_as_checking_does() {
    let all = |names: &[&str]| {
        let (store, clock) = store();
        let policies = names.iter().fold(Policies::builder(store), |all, name| {
            all.policy(match *name {
                "small" => policy(name, quota!("2/minute")),
                "sliding" => policy(name, quota!("3/minute; algorithm=sliding_window")),
                "shadow" => policy(name, quota!("1/minute")).mode(Mode::Shadow),
                "off" => policy(name, quota!("1/minute")).mode(Mode::Off),
                "blocks" => policy(name, quota!("3/minute")).block_for(s(90)),
                _ => policy(name, quota!("4/minute")).cost(n(2)),
            })
        });
        (policies.build().unwrap(), clock)
    };
    for names in [
        &[][..],
        &["small"],
        &["small", "double"],
        &["double", "small", "sliding"],
        &["small", "shadow", "off"],
        &["blocks", "double"],
    ] {
        let ((admits, clock), (checks, other)) = (all(names), all(names));
        for step in 0..40_usize {
            // One of three keys a policy, some of them absent now and then.
            let keys: Vec<_> = (0..names.len())
                .map(|place| match (step + place) % 7 {
                    6 => None,
                    other => key(["a", "b", "c"][other % 3]),
                })
                .collect();
            let short = admits.admit(&keys);
            let long = checks.check_now(&keys).unwrap();
            assert_eq!(short.is_ok(), long.is_allowed(), "{names:?} {step}");
            if let (Err(not_now), Decision::Deny(denied)) = (short, &long) {
                assert_eq!(
                    not_now.retry_after(),
                    denied.retry_after(),
                    "{names:?} {step}"
                );
            }
            let pause = s([0, 4, 8, 12, 16][step % 5]);
            clock.advance(pause);
            other.advance(pause);
        }
        let wrong = vec![key("a"); names.len() + 1];
        assert_eq!(admits.admit(&wrong).unwrap_err().retry_after(), None);
    }
}

#[test]
fn more_policies_than_the_stack_has_room_for_are_admitted_all_the_same() {
    let (store, _clock) = store();
    let policies = (0..12)
        .fold(Policies::builder(store), |all, number| {
            all.policy(policy(&format!("p{number}"), quota!("2/minute")))
        })
        .build()
        .unwrap();
    let keys = vec![key("a"); 12];
    let admitted = (0..5).filter(|_| policies.admit(&keys).is_ok()).count();
    assert_eq!(admitted, 2);
}

/// Each is admitted once before it matters: who is new goes the long way in any case.
#[test]
fn who_only_admits_keeps_to_all_that_a_policy_says() {
    let build = |policy| {
        let (store, clock) = store();
        let policies = Policies::builder(store).policy(policy).build().unwrap();
        (policies, clock)
    };
    let admitted = |policies: &Policies<MemoryStore>, times| {
        let tries = (0..times).map(|_| policies.admit(&[key("a")]));
        tries.filter(Result::is_ok).count()
    };
    // A quota of the key.
    let by_key = policy("p", quota!("1/minute")).quota_by_key(|_| quota!("3/minute"));
    assert_eq!(admitted(&build(by_key).0, 5), 3);

    // A penalty.
    let (blocks, clock) = build(policy("p", quota!("1/minute")).block_for(s(90)));
    assert_eq!(admitted(&blocks, 2), 1);
    clock.advance(s(89));
    let not_now = blocks.admit(&[key("a")]).unwrap_err();
    assert_eq!(not_now.retry_after(), Some(s(1)));

    // A mode.
    let (watches, _) = build(policy("p", quota!("1/minute")).mode(Mode::Shadow));
    assert_eq!(admitted(&watches, 4), 4);

    // Windows, though there is a count by GCRA from before.
    let (before, _) = build(policy("p", quota!("9/minute")));
    assert_eq!(admitted(&before, 1), 1);
    let window = policy("p", quota!("9/minute; algorithm=fixed_window"));
    let after = before.adjusted([window]).unwrap();
    assert_eq!(admitted(&after, 4), 4);
    assert_eq!(left(&after.check_now(&[key("a")]).unwrap()), [4]);
}

#[tokio::test]
async fn a_request_is_charged_what_its_policy_says_that_it_costs() {
    let policies = Policies::builder(store().0)
        .policy(policy("p", quota!("10/minute")).cost(n(3)))
        .build()
        .unwrap();
    assert_eq!(left(&policies.check(&[key("a")]).await), [7]);
}

#[tokio::test]
async fn a_denial_gives_nothing_back() {
    let policies = Policies::builder(store().0)
        .policy(policy("wide", quota!("10/minute")))
        .policy(policy("narrow", quota!("1/minute")))
        .build()
        .unwrap();
    let both = [key("a"), key("a")];
    let _ = policies.check(&both).await;
    let denied = policies.check(&both).await;
    assert!(!denied.is_allowed());
    policies.refund(&both, &denied).await;
    assert_eq!(left(&policies.check(&both).await), [9, 0]);
}

#[tokio::test]
async fn a_refund_with_the_keys_of_another_check_gives_nothing_back() {
    let policies = Policies::builder(store().0)
        .policy(policy("p", quota!("10/minute")))
        .build()
        .unwrap();
    let decision = policies.check(&[key("a")]).await;
    policies.refund(&[], &decision).await;
    policies.refund(&[key("a"), key("a")], &decision).await;
    assert_eq!(left(&policies.check(&[key("a")]).await), [8]);
}

#[tokio::test]
async fn a_grant_of_the_store_is_refunded_there_though_there_is_a_local_one() {
    let policies = Policies::builder(store().0)
        .policy(policy("p", quota!("5/minute")).on_store_error(local(1)))
        .build()
        .unwrap();
    let decision = policies.check(&[key("a")]).await;
    policies.refund(&[key("a")], &decision).await;
    assert_eq!(left(&policies.check(&[key("a")]).await), [4]);
}

#[test]
fn nothing_is_settled_where_all_responses_count() {
    let of = |count| {
        let policies = Policies::builder(store().0);
        let policies = policies.policy(policy("p", quota!("5/minute")).count(count));
        policies.build().unwrap().needs_settling()
    };
    assert!(!of(CountRule::Always));
    assert!(of(CountRule::Failures));
}
