//! Exactness while many call at once, over several pools.

use std::num::NonZeroU32;
use std::sync::Arc;

use seawall_ratelimit::{
    Algorithm, Charge, KeyBuf, Limiter, Op, Policies, Policy, Quota, Store, Verdict,
};

use crate::support::{Postgres, migrated, unique};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_tasks_on_two_replicas_admit_exactly_the_capacity() {
    let Some(postgres) = Postgres::find() else {
        return;
    };
    // Nothing comes back while the test runs.
    let hundred = Quota::per_day(100);
    for algorithm in [
        Algorithm::Gcra,
        Algorithm::SlidingWindow,
        Algorithm::FixedWindow,
    ] {
        let namespace = unique();
        let mut replicas = Vec::new();
        for _ in 0..2 {
            let store = migrated(postgres.url()).await;
            let tight = Policy::new("tight", hundred.with_algorithm(algorithm)).unwrap();
            let wide = Policy::new("wide", Quota::per_day(1_000)).unwrap();
            let policies = Policies::builder(store)
                .namespace(&namespace)
                .policy(tight)
                .policy(wide);
            replicas.push(Arc::new(policies.build().unwrap()));
        }
        let keys = || {
            [
                Some(KeyBuf::new().push("alice")),
                Some(KeyBuf::new().push("alice")),
            ]
        };
        let tasks: Vec<_> = (0..64)
            .map(|task| {
                let policies = Arc::clone(&replicas[task % 2]);
                tokio::spawn(async move {
                    let mut admitted = 0;
                    for _ in 0..4 {
                        admitted += usize::from(policies.check(&keys()).await.is_allowed());
                    }
                    admitted
                })
            })
            .collect();
        let mut admitted = 0;
        for task in tasks {
            admitted += task.await.unwrap();
        }
        assert_eq!(admitted, 100, "{algorithm:?}");

        // The 156 denials charged the wide policy nothing.
        let last = replicas[0]
            .check(&[None, Some(KeyBuf::new().push("alice"))])
            .await;
        assert_eq!(last.binding().unwrap().remaining(), 899, "{algorithm:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_plain_statement_for_one_charge_is_as_exact() {
    let Some(postgres) = Postgres::find() else {
        return;
    };
    let limiter = Arc::new(Limiter::new(
        migrated(postgres.url()).await,
        Quota::per_day(100),
    ));
    let key = unique();
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let (limiter, key) = (Arc::clone(&limiter), key.clone());
            tokio::spawn(async move {
                let mut admitted = 0;
                for _ in 0..4 {
                    admitted += usize::from(limiter.check(&key).await.unwrap().is_allowed());
                }
                admitted
            })
        })
        .collect();
    let mut admitted = 0;
    for task in tasks {
        admitted += task.await.unwrap();
    }
    assert_eq!(admitted, 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overlapping_sets_in_any_order_do_not_deadlock() {
    let Some(postgres) = Postgres::find() else {
        return;
    };
    let store = migrated(postgres.url()).await;
    let scope = KeyBuf::new().push(unique()).push("p");
    let tasks: Vec<_> = (0..32_usize)
        .map(|task| {
            let (store, scope) = (store.clone(), scope.clone());
            tokio::spawn(async move {
                for round in 0..16 {
                    // Some of ten keys, in an order of its own, new ones among them.
                    let names: Vec<_> = (0..5)
                        .map(|i| format!("{}", (task * 7 + round + i * (1 + task % 4)) % 10))
                        .collect();
                    let charges: Vec<_> = names
                        .iter()
                        .map(|name| {
                            let (scope, name) = (scope.as_ref(), name.as_bytes());
                            let quota = Quota::per_day(20);
                            Charge::new(scope, name, quota, NonZeroU32::MIN)
                                .with_block_for(Some(std::time::Duration::from_millis(1)))
                        })
                        .collect();
                    let op = [Op::Consume, Op::Consume, Op::Refund, Op::Reset][(task + round) % 4];
                    let mut out = [Verdict::UNKNOWN; 5];
                    if round % 8 == 0 {
                        store.sweep().await.unwrap();
                    }
                    // A deadlock is an error, after one second.
                    store.decide(op, &charges, &mut out).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}
