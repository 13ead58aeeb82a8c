//! Memory that is full, and what the server would do about it.

use std::time::Duration;

use redis::Value;
use seawall_idempotency::{
    Completion, Idempotency, IdempotencyKey, OnLapse, Outcome, Policy, Refused, Reserved, Run,
    Settled, Store,
};
use seawall_redis::RedisStore;

use super::{ask, complete, completed, token};
use crate::support::{Cluster, Server, patient};

const LEASE: Duration = Duration::from_millis(200);

async fn set(server: &Server, name: &str, value: &str) {
    let words = ["CONFIG", "SET", name, value];
    let answer = server.command(&words).await.unwrap();
    assert_eq!(answer, Value::Okay);
}

async fn start(policy: &str) -> Option<(Server, RedisStore)> {
    let server = Server::start(&["--maxmemory-policy", policy])?;
    let store = patient(server.url()).connect().await.unwrap();
    Some((server, store))
}

#[tokio::test]
async fn a_full_server_takes_nothing_new_and_whoever_is_at_work_can_end() {
    let Some((server, store)) = start("noeviction").await else {
        return;
    };
    let kept = token(&store, ask(1, 1)).await;
    assert_eq!(complete(&store, kept, b"kept").await, Settled::Done);
    let [small, large, freed] = [
        token(&store, ask(2, 1)).await,
        token(&store, ask(3, 1)).await,
        token(&store, ask(4, 1)).await,
    ];
    let lapsing = token(&store, ask(5, 1).lease(LEASE)).await;
    set(&server, "maxmemory", "1").await;

    for nonce in 0..3 {
        let answer = store.reserve(ask(6, nonce)).await.unwrap();
        assert_eq!(answer, Reserved::Full);
    }
    assert_eq!(store.reserve(ask(1, 2)).await.unwrap(), completed(b"kept"));
    for held in [small, large, freed] {
        let renewed = store.renew(held, Duration::from_secs(60)).await.unwrap();
        assert_eq!(renewed, Settled::Done, "nobody loses a lease by it");
    }
    let always: Completion = Completion::new(small, vec![1; 128].into());
    assert_eq!(store.complete(&always).await.unwrap(), Settled::Done);
    let too_large = Completion::new(large, vec![1; 129].into());
    assert_eq!(store.complete(&too_large).await.unwrap(), Settled::TooLarge);
    assert_eq!(complete(&store, large, b"short").await, Settled::Done);
    assert_eq!(store.release(freed).await.unwrap(), Settled::Done);
    tokio::time::sleep(LEASE).await;
    let second = token(&store, ask(5, 2).on_lapse(OnLapse::TakeOver)).await;
    assert!(second.fence > lapsing.fence, "it has its room already");
    assert_eq!(complete(&store, second, b"second").await, Settled::Done);

    set(&server, "maxmemory", "0").await;
    for (id, payload) in [(1, &b"kept"[..]), (2, &[1; 128]), (3, b"short")] {
        let answer = store.reserve(ask(id, 9)).await.unwrap();
        assert_eq!(answer, Reserved::Completed(payload.into()));
    }
    token(&store, ask(4, 9)).await;
    token(&store, ask(6, 9)).await;
}

#[tokio::test]
async fn an_answer_for_which_there_is_no_room_is_kept_without_its_body() {
    let Some((server, store)) = start("noeviction").await else {
        return;
    };
    let front = Idempotency::new(store, Policy::at_most_once()).unwrap();
    let key = IdempotencyKey::new("k").unwrap();
    let work = async |full: bool| {
        let run = front.run(&key, b"", |_| async {
            if full {
                set(&server, "maxmemory", "1").await;
            }
            Ok::<_, std::io::Error>(Outcome::new(vec![1; 10_000]).status(201))
        });
        run.await.unwrap()
    };
    assert!(matches!(work(true).await, Run::Executed(_)));
    let Run::Replayed(outcome) = work(false).await else {
        panic!("it has run once")
    };
    assert!(outcome.is_omitted() && outcome.status_code() == 201);
    let other = IdempotencyKey::new("l").unwrap();
    let refused = front.run(&other, b"", |_| async {
        Ok::<_, std::io::Error>(Outcome::new("never"))
    });
    assert_eq!(refused.await.unwrap(), Run::Refused(Refused::Full));
}

#[tokio::test]
async fn a_server_that_evicts_suits_limits_and_no_records() {
    let Some((server, store)) = start("noeviction").await else {
        return;
    };
    let eviction = store.eviction().await.unwrap();
    assert_eq!(eviction.policies().collect::<Vec<_>>(), ["noeviction"]);
    assert_eq!(eviction.suits_records(), Ok(()));
    let unsuited = eviction.suits_limits().unwrap_err();
    assert_eq!(unsuited.policy(), "noeviction");
    for policy in ["allkeys-lru", "volatile-ttl", "volatile-lru"] {
        set(&server, "maxmemory-policy", policy).await;
        let eviction = store.eviction().await.unwrap();
        assert_eq!(eviction.suits_limits(), Ok(()), "{policy}");
        assert_eq!(eviction.suits_records().unwrap_err().policy(), policy);
    }
}

#[tokio::test]
async fn a_server_that_forbids_config_is_asked_for_its_figures() {
    let Some((server, store)) = start("volatile-ttl").await else {
        return;
    };
    let forbid = async |command: &str| {
        let words = ["ACL", "SETUSER", "default", command];
        server.command(&words).await.unwrap();
    };
    forbid("-config").await;
    let eviction = store.eviction().await.unwrap();
    assert_eq!(eviction.policies().collect::<Vec<_>>(), ["volatile-ttl"]);
    forbid("-info").await;
    let error = store.eviction().await.unwrap_err();
    assert!(!error.is_unavailable(), "{error}");
    drop(server);
    let error = store.eviction().await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");
}

#[tokio::test]
async fn every_master_of_a_cluster_is_asked() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };
    let store = cluster.store().connect().await.unwrap();
    assert_eq!(store.eviction().await.unwrap().suits_records(), Ok(()));
    set(cluster.node(2), "maxmemory-policy", "allkeys-lfu").await;
    let eviction = store.eviction().await.unwrap();
    let policies: Vec<_> = eviction.policies().collect();
    assert_eq!(policies, ["allkeys-lfu", "noeviction"]);
    let unsuited = eviction.suits_records().unwrap_err();
    assert_eq!(unsuited.policy(), "allkeys-lfu");
}
