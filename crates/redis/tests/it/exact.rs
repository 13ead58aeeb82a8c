//! Exactness while many call at once, over several connections.

use std::sync::Arc;

use seawall_ratelimit::{Algorithm, KeyBuf, Policies, Policy, Quota};

use crate::support::{Redis, patient, unique};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_tasks_on_two_replicas_admit_exactly_the_capacity() {
    let Some(redis) = Redis::find() else { return };
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
            let store = patient(redis.url()).connect().await.unwrap();
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
                    for _ in 0..5 {
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

        // The 220 denials charged the wide policy nothing.
        let last = replicas[0]
            .check(&[None, Some(KeyBuf::new().push("alice"))])
            .await;
        assert_eq!(last.binding().unwrap().remaining(), 899, "{algorithm:?}");
    }
}
