//! Accepted messages: the laws, the second replica, what a server that is down says.

use seawall_redis::RedisStore;
use seawall_signing::conformance::{self, TimeOf};
use seawall_signing::scheme::Native;
use seawall_signing::{
    BoxNonceStore, Claim, Clock, Nonce, NonceStore, OwnedHead, RefusedKind, Secret, Signer,
    StoreFailure, SystemClock, UnixTime, Verifier,
};

use crate::support::{Cluster, Redis, Server, patient};

fn verifier(store: RedisStore) -> Verifier {
    let secret = Secret::new("between the two services").unwrap();
    let builder = Verifier::builder(Native::new(), secret);
    builder.replay(store).build().unwrap()
}

#[tokio::test]
async fn one_server_keeps_every_law() {
    let Some(redis) = Redis::find() else { return };
    let store = patient(redis.url()).connect().await.unwrap();
    conformance::laws(&store, SystemClock.now(), TimeOf::Store).await;
    let boxed = BoxNonceStore::new(store);
    conformance::laws(&boxed, SystemClock.now(), TimeOf::Store).await;
}

#[tokio::test]
async fn a_copy_sent_to_another_replica_is_a_replay() {
    let Some(redis) = Redis::find() else { return };
    let mut replicas = Vec::new();
    for _ in 0..4 {
        replicas.push(verifier(patient(redis.url()).connect().await.unwrap()));
    }
    let signer = Signer::new(
        Native::new(),
        Secret::new("between the two services").unwrap(),
    );
    for _ in 0..20 {
        let head = OwnedHead::request("POST", "http://shop.example/hooks");
        let head = head.clone().headers(signer.sign(&head, b"{}").unwrap());
        let copies = (0..16).map(|copy| {
            let (verifier, head) = (replicas[copy % 4].clone(), head.clone());
            tokio::spawn(async move { verifier.verify(&head, b"{}").await })
        });
        let copies: Vec<_> = copies.collect();
        let mut accepted = 0;
        for copy in copies {
            match copy.await.unwrap() {
                Ok(_) => accepted += 1,
                Err(refused) => assert_eq!(refused.kind(), RefusedKind::Replayed),
            }
        }
        assert_eq!(accepted, 1);
    }
}

#[tokio::test]
async fn an_entry_goes_when_the_message_can_be_fresh_nowhere() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let store = patient(server.url()).connect().await.unwrap();
    let now = SystemClock.now();
    let until = UnixTime::from_secs(now.as_secs() + 300);
    let digest = [7; 32];
    let claim = store.claim(Nonce::new(&digest, until, now)).await.unwrap();
    assert_eq!(claim, Claim::Fresh);
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<Vec<u8>> = redis::cmd("KEYS")
        .arg("*")
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!((keys.len(), keys[0].len()), (1, 26));
    let left: u64 = redis::cmd("PTTL")
        .arg(&keys[0])
        .query_async(&mut connection)
        .await
        .unwrap();
    // A second more than what is left of it, since that second is included; a busy machine takes a
    // few off.
    assert!((280_000..=301_000).contains(&left), "{left}");
}

#[tokio::test]
async fn a_full_server_refuses_and_one_that_is_down_is_unavailable() {
    let Some(server) = Server::start(&["--maxmemory", "1", "--maxmemory-policy", "noeviction"])
    else {
        return;
    };
    let store = patient(server.url()).connect().await.unwrap();
    let now = SystemClock.now();
    let nonce = Nonce::new(&[1; 32], UnixTime::from_secs(now.as_secs() + 60), now);
    let full = store.claim(nonce).await.unwrap_err();
    assert!(!StoreFailure::from(full).is_unavailable());
    drop(server);
    let down = store.claim(nonce).await.unwrap_err();
    assert!(StoreFailure::from(down).is_unavailable());
}

#[tokio::test]
async fn a_cluster_keeps_every_law() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };
    let store = cluster.store().connect().await.unwrap();
    conformance::laws(&store, SystemClock.now(), TimeOf::Store).await;
}
