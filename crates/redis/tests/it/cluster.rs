//! Three masters with replicas: what holds across slots, and what a failover costs.
#![expect(clippy::disallowed_methods, reason = "real servers take real time")]

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use seawall_ratelimit::conformance::laws;
use seawall_ratelimit::{
    Charge, KeyBuf, ManualClock, Now, Op, Quota, Store, StoreFailure, Verdict,
};
use seawall_redis::{Error, HashTag, RedisStore};
use tokio::sync::Mutex;

use crate::support::{Cluster, unique};

/// Lets one call through at a time. Across slots, calls that overlap may deny each other falsely.
struct OneByOne(Mutex<RedisStore>);

impl Store for OneByOne {
    type Error = Error;

    async fn decide(
        &self,
        op: Op,
        charges: &[Charge<'_>],
        out: &mut [Verdict],
    ) -> Result<Now, Error> {
        self.0.lock().await.decide(op, charges, out).await
    }
}

fn charge<'a>(scope: &'a KeyBuf, subject: &'a str, quota: Quota) -> Charge<'a> {
    Charge::new(scope.as_ref(), subject.as_bytes(), quota, NonZeroU32::MIN)
}

async fn left(store: &RedisStore, charge: Charge<'_>) -> u32 {
    let mut out = [Verdict::UNKNOWN];
    store.decide(Op::Peek, &[charge], &mut out).await.unwrap();
    out[0].remaining()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promises_of_a_healthy_cluster() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };
    keeps_the_laws(&cluster).await;
    never_admits_more_than_the_capacity_across_slots(&cluster).await;
    finishes_a_decision_whose_caller_goes_away(&cluster).await;
    follows_a_slot_on_its_way(&cluster).await;
}

async fn keeps_the_laws(cluster: &Cluster) {
    let clock = Arc::new(ManualClock::new());
    let store = cluster.store().conformance_clock(Arc::clone(&clock));
    // In one slot every law holds, overlapping calls included.
    let together = store
        .clone()
        .hash_tag(HashTag::Namespace)
        .connect()
        .await
        .unwrap();
    laws(&together, &clock, &unique()).await;
    let spread = store.connect().await.unwrap();
    laws(&OneByOne(Mutex::new(spread)), &clock, &unique()).await;
}

async fn never_admits_more_than_the_capacity_across_slots(cluster: &Cluster) {
    let store = cluster.store().connect().await.unwrap();
    let scope = KeyBuf::new().push(unique()).push("p");
    let (tight, wide) = (Quota::per_day(40), Quota::per_day(1_000));
    let admitted = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let (store, scope, admitted) = (store.clone(), scope.clone(), Arc::clone(&admitted));
            tokio::spawn(async move {
                let charges = [charge(&scope, "tight", tight), charge(&scope, "wide", wide)];
                let mut out = [Verdict::UNKNOWN; 2];
                store.decide(Op::Consume, &charges, &mut out).await.unwrap();
                // Relaxed: joined before it is read.
                let all = out.iter().all(Verdict::is_allowed);
                admitted.fetch_add(usize::from(all), Ordering::Relaxed);
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    // One group never runs out here, so nobody denies falsely, and every denial is refunded.
    assert_eq!(admitted.load(Ordering::Relaxed), 40);
    assert_eq!(left(&store, charge(&scope, "tight", tight)).await, 0);
    assert_eq!(left(&store, charge(&scope, "wide", wide)).await, 960);
}

async fn finishes_a_decision_whose_caller_goes_away(cluster: &Cluster) {
    let store = cluster.store().connect().await.unwrap();
    let scope = KeyBuf::new().push(unique()).push("p");
    let (none, wide) = (Quota::per_day(0), Quota::per_day(100));
    let charges = [charge(&scope, "none", none), charge(&scope, "wide", wide)];
    for _ in 0..10 {
        let mut out = [Verdict::UNKNOWN; 2];
        let decision = store.decide(Op::Consume, &charges, &mut out);
        // Polled once, so that it is under way; then dropped.
        let _ = futures::poll!(std::pin::pin!(decision));
    }
    let mut units = 0;
    for _ in 0..500 {
        units = left(&store, charges[1]).await;
        tokio::time::sleep(Duration::from_millis(2)).await;
        if units == 100 {
            break;
        }
    }
    assert_eq!(units, 100, "what a denied decision took, it gave back");
}

async fn follows_a_slot_on_its_way(cluster: &Cluster) {
    let store = cluster.store().connect().await.unwrap();
    let scope = KeyBuf::new().push(unique()).push("p");
    let quota = Quota::per_day(10);
    // A subject of the first master.
    let (subject, slot) = (0..)
        .map(|i| format!("subject-{i}"))
        .map(|subject| (slot_of(&subject), subject))
        .find_map(|(slot, subject)| (slot < 5_461).then_some((subject, slot.to_string())))
        .unwrap();
    assert_eq!(left(&store, charge(&scope, &subject, quota)).await, 10);
    let (from, to) = (cluster.id(0).await, cluster.id(1).await);
    let set_slot = async |node: usize, state: &str, id: &str| {
        cluster
            .node(node)
            .command(&["CLUSTER", "SETSLOT", &slot, state, id])
            .await
            .unwrap();
    };
    set_slot(1, "IMPORTING", &from).await;
    set_slot(0, "MIGRATING", &to).await;

    let mut out = [Verdict::UNKNOWN];
    for expected in [9, 8] {
        store
            .decide(Op::Consume, &[charge(&scope, &subject, quota)], &mut out)
            .await
            .unwrap();
        assert_eq!(out[0].remaining(), expected, "counted where the slot goes");
    }
    for node in [1, 0, 2] {
        set_slot(node, "NODE", &to).await;
    }
    store
        .decide(Op::Consume, &[charge(&scope, &subject, quota)], &mut out)
        .await
        .unwrap();
    assert_eq!(out[0].remaining(), 7, "and where it has gone");
}

/// The slot of a subject, by the format of keys: `sw1:{tag}`, four letters of a SHA-256.
fn slot_of(subject: &str) -> u16 {
    use sha2::Digest as _;
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let hash = sha2::Sha256::digest(subject);
    let bits = u32::from_be_bytes([0, hash[0], hash[1], hash[2]]);
    let tag = [18, 12, 6, 0].map(|shift| LETTERS[(bits >> shift & 63) as usize]);
    let crc = tag.iter().fold(0_u16, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| {
            if crc & 0x8000 == 0 {
                crc << 1
            } else {
                crc << 1 ^ 0x1021
            }
        })
    });
    crc % 16_384
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_killed_under_load_is_replaced_and_nothing_hangs() {
    let Some(mut cluster) = Cluster::start().await else {
        return;
    };
    let limit = Duration::from_millis(500);
    let store = cluster
        .store()
        .operation_timeout(limit)
        .connect()
        .await
        .unwrap();
    let scope = KeyBuf::new().push(unique()).push("p");
    let quota = Quota::per_day(50);
    let stop = Arc::new(AtomicBool::new(false));

    let tasks: Vec<_> = (0..16)
        .map(|task| {
            let (store, scope, stop) = (store.clone(), scope.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let (mut admitted, mut last_error, mut ran) = (vec![0; 30], None, 0);
                while !stop.load(Ordering::Relaxed) {
                    let number = (task + ran) % 30;
                    let subject = format!("subject-{number}");
                    let mut out = [Verdict::UNKNOWN];
                    let before = Instant::now();
                    let charges = [charge(&scope, &subject, quota)];
                    match store.decide(Op::Consume, &charges, &mut out).await {
                        Ok(_) => admitted[number] += u32::from(out[0].is_allowed()),
                        Err(error) => {
                            assert_eq!(StoreFailure::from(error), StoreFailure::Unavailable);
                            last_error = Some(Instant::now());
                        }
                    }
                    assert!(before.elapsed() < limit * 8, "{:?}", before.elapsed());
                    ran += 1;
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                (admitted, last_error)
            })
        })
        .collect();

    tokio::time::sleep(Duration::from_millis(500)).await;
    cluster.kill(0);
    // Until every subject has an answer again, from the promoted replica where need be.
    let begin = Instant::now();
    let mut well = 0;
    while well < 30 {
        assert!(begin.elapsed() < Duration::from_secs(20), "no failover");
        let subject = format!("subject-{well}");
        let mut out = [Verdict::UNKNOWN];
        match store
            .decide(Op::Peek, &[charge(&scope, &subject, quota)], &mut out)
            .await
        {
            Ok(_) => well += 1,
            Err(error) => assert_eq!(error.failure(), StoreFailure::Unavailable, "{error}"),
        }
    }
    println!("every slot answers {:?} after the kill", begin.elapsed());
    tokio::time::sleep(Duration::from_millis(300)).await;
    stop.store(true, Ordering::Relaxed);

    let (mut admitted, mut failed) = (vec![0; 30], 0);
    for task in tasks {
        let (counts, last_error) = task.await.unwrap();
        failed += usize::from(last_error.is_some());
        for (sum, count) in admitted.iter_mut().zip(counts) {
            *sum += count;
        }
    }
    println!("{failed} of 16 tasks saw an error; admitted {admitted:?}");
    // A failover may forget what was not replicated yet: at most a burst for each key.
    assert!(admitted.iter().all(|count| *count <= 100), "{admitted:?}");
}
