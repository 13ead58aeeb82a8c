//! A master that gives slots away, and one that dies with what its replica had not heard: the loss
//! that the front page admits.

use std::time::Duration;

use redis::{FromRedisValue, Value};
use seawall_idempotency::{Lost, Reserved, Settled, Store};
use seawall_redis::RedisStore;

use super::{ask, complete, token};
use crate::support::{Cluster, text};

/// The operations of the first master, `count` of them, each reserved and released.
async fn of_the_first_master(cluster: &Cluster, store: &RedisStore, count: usize) -> Vec<u64> {
    let mut found = Vec::new();
    let size = async || cluster.node(0).command(&["DBSIZE"]).await.unwrap();
    for id in 0.. {
        let before = size().await;
        let held = token(store, ask(id, 1)).await;
        if size().await != before {
            found.push(id);
        }
        assert_eq!(store.release(held).await.unwrap(), Settled::Done);
        if found.len() == count {
            break;
        }
    }
    found
}

async fn offset(cluster: &Cluster, node: usize) -> Option<String> {
    let words = ["INFO", "replication"];
    let info = text(cluster.node(node).command(&words).await.unwrap());
    let name = if node < 3 {
        "master_repl_offset:"
    } else {
        "slave_repl_offset:"
    };
    let line = info.lines().find_map(|line| line.strip_prefix(name));
    line.map(str::to_owned)
}

/// Waits until the replica of the first master has heard all that this knows.
async fn replicated(cluster: &Cluster) {
    for _ in 0..1_000 {
        if offset(cluster, 0).await == offset(cluster, 3).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the replica does not catch up");
}

/// Asks until the cluster has come to terms with its new master. A first answer is no sign of that: the
/// others may still call it down for a moment.
async fn once_up(store: &RedisStore, id: u64, nonce: u64) -> Reserved {
    for _ in 0..1_000 {
        match store.reserve(ask(id, nonce)).await {
            Ok(answer) => return answer,
            Err(error) => assert!(error.is_unavailable(), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the cluster does not come back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_replica_has_heard_is_forgotten_by_a_failover_and_may_run_again() {
    let Some(mut cluster) = Cluster::start().await else {
        return;
    };
    let store = cluster.store().connect().await.unwrap();
    let ids = of_the_first_master(&cluster, &store, 3).await;
    let [heard, open, unheard] = ids[..] else {
        panic!("three were asked for")
    };
    let kept = token(&store, ask(heard, 2)).await;
    assert_eq!(complete(&store, kept, b"heard").await, Settled::Done);
    let held = token(&store, ask(open, 2)).await;
    replicated(&cluster).await;

    // The replica hangs, and its connection is cut: the master is alone, and does not mind.
    cluster.node(3).freeze();
    let cut = ["CLIENT", "KILL", "TYPE", "replica"];
    cluster.node(0).command(&cut).await.unwrap();
    let set = async |value: &str| {
        let words = ["CONFIG", "SET", "min-replicas-to-write", value];
        cluster.node(0).command(&words).await.unwrap();
    };
    set("1").await;
    let error = store.reserve(ask(unheard, 2)).await.unwrap_err();
    assert!(error.is_unavailable(), "told to mind, it does: {error}");
    set("0").await;
    let lost = token(&store, ask(unheard, 2)).await;
    assert_eq!(complete(&store, lost, b"unheard").await, Settled::Done);
    assert_eq!(complete(&store, held, b"unheard").await, Settled::Done);
    cluster.kill(0);
    cluster.node(3).thaw();

    let answer = once_up(&store, heard, 3).await;
    assert_eq!(answer, super::completed(b"heard"), "it was heard");
    // A completion that was not: the operation looks as if it were being worked on, and then as of
    // unknown outcome.
    let answer = once_up(&store, open, 3).await;
    assert!(matches!(answer, Reserved::InProgress { .. }), "{answer:?}");
    // A record that was not: as if it had never been. This is where work is done twice.
    let Reserved::Acquired { fence, .. } = once_up(&store, unheard, 3).await else {
        panic!("nobody knows of it");
    };
    assert!(fence > lost.fence);
    let stale = complete(&store, lost, b"unheard").await;
    assert_eq!(stale, Settled::Lost(Lost::TakenOver));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_is_found_before_while_and_after_its_slot_goes_to_another_master() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };
    let store = cluster.store().connect().await.unwrap();
    let id = of_the_first_master(&cluster, &store, 1).await[0];
    let held = token(&store, ask(id, 2)).await;

    let keys = cluster.node(0).command(&["KEYS", "*"]).await.unwrap();
    let keys = Vec::<Vec<u8>>::from_redis_value(keys).unwrap();
    let [key] = &keys[..] else { panic!("{keys:?}") };
    let tag = std::str::from_utf8(&key[4..10]).unwrap();
    let slot = cluster.node(0).command(&["CLUSTER", "KEYSLOT", tag]).await;
    let slot = u16::from_redis_value(slot.unwrap()).unwrap().to_string();
    let (from, to) = (cluster.id(0).await, cluster.id(1).await);
    let set_slot = async |node: usize, state: &str, id: &str| {
        let words = ["CLUSTER", "SETSLOT", &slot, state, id];
        cluster.node(node).command(&words).await.unwrap();
    };
    set_slot(1, "IMPORTING", &from).await;
    set_slot(0, "MIGRATING", &to).await;
    let answer = store.reserve(ask(id, 3)).await.unwrap();
    assert!(matches!(answer, Reserved::InProgress { .. }), "{answer:?}");
    let client = redis::Client::open(cluster.node(0).url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let moved: Value = redis::cmd("MIGRATE")
        .arg(("127.0.0.1", cluster.node(1).port(), key, 0, 5_000))
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(moved, Value::Okay);
    assert_eq!(complete(&store, held, b"there").await, Settled::Done);
    for node in [1, 0, 2] {
        set_slot(node, "NODE", &to).await;
    }
    let answer = store.reserve(ask(id, 3)).await.unwrap();
    assert_eq!(answer, super::completed(b"there"));
    assert_eq!(complete(&store, held, b"there").await, Settled::Done);
}
