//! Accepted messages: the laws, the second replica, a server that dies, what is swept.

use std::num::NonZeroU32;

use seawall_postgres::PostgresStore;
use seawall_signing::conformance::{self, TimeOf};
use seawall_signing::scheme::Native;
use seawall_signing::{
    BoxNonceStore, Claim, Clock, Nonce, NonceStore, OwnedHead, RefusedKind, Secret, Signer,
    StoreFailure, SystemClock, UnixTime, Verifier,
};

use crate::support::{Postgres, Server, migrated, patient};

fn verifier(store: PostgresStore) -> Verifier {
    let secret = Secret::new("between the two services").unwrap();
    let builder = Verifier::builder(Native::new(), secret);
    builder.replay(store).build().unwrap()
}

fn later(now: UnixTime, seconds: u64) -> UnixTime {
    UnixTime::from_secs(now.as_secs() + seconds)
}

async fn claim(store: &PostgresStore, name: u8) -> Claim {
    let now = SystemClock.now();
    let digest = [name; 32];
    store
        .claim(Nonce::new(&digest, later(now, 300), now))
        .await
        .unwrap()
}

async fn sql(server: &Server) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(&server.url(), tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test]
async fn one_database_keeps_every_law() {
    let Some(postgres) = Postgres::find() else {
        return;
    };
    let store = migrated(postgres.url()).await;
    conformance::laws(&store, SystemClock.now(), TimeOf::Store).await;
    let boxed = BoxNonceStore::new(store);
    conformance::laws(&boxed, SystemClock.now(), TimeOf::Store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_sent_to_another_replica_is_a_replay() {
    let Some(postgres) = Postgres::find() else {
        return;
    };
    let mut replicas = Vec::new();
    for _ in 0..4 {
        replicas.push(verifier(migrated(postgres.url()).await));
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
async fn a_killed_server_is_unavailable_and_comes_back_with_what_it_accepted() {
    let Some(mut server) = Server::start() else {
        return;
    };
    let store = migrated(server.url()).await;
    for name in 0..40 {
        assert_eq!(claim(&store, name).await, Claim::Fresh);
    }
    server.kill();
    let now = SystemClock.now();
    let nonce = Nonce::new(&[41; 32], later(now, 300), now);
    let down = store.claim(nonce).await.unwrap_err();
    assert!(down.is_unavailable(), "{down:?}");
    assert!(StoreFailure::from(down).is_unavailable());

    server.restart();
    // A logged table: the counters of rate limits are gone now, these are not.
    let fresh = migrated(server.url()).await;
    for name in 0..40 {
        assert_eq!(claim(&fresh, name).await, Claim::Replayed);
    }
    assert_eq!(claim(&fresh, 41).await, Claim::Fresh);
}

#[tokio::test]
async fn a_server_that_hangs_refuses_the_message_within_the_timeout() {
    let Some(server) = Server::start() else {
        return;
    };
    migrated(server.url()).await;
    let limit = std::time::Duration::from_millis(300);
    let store = patient(server.url()).operation_timeout(limit);
    let store = store.connect().await.unwrap();
    assert_eq!(claim(&store, 1).await, Claim::Fresh);
    server.freeze();
    let now = SystemClock.now();
    let late = store
        .claim(Nonce::new(&[2; 32], later(now, 300), now))
        .await
        .unwrap_err();
    assert!(late.is_timeout(), "{late}");
    server.thaw();
    // Claimed or not, it was not accepted; and the first is still known.
    let store = migrated(server.url()).await;
    assert_eq!(claim(&store, 1).await, Claim::Replayed);
}

#[tokio::test]
async fn without_its_table_it_refuses_and_says_why() {
    let Some(server) = Server::start() else {
        return;
    };
    let store = patient(server.url()).connect().await.unwrap();
    let now = SystemClock.now();
    let missing = store
        .claim(Nonce::new(&[1; 32], later(now, 60), now))
        .await
        .unwrap_err();
    assert!(missing.to_string().contains("migrate"), "{missing}");
    assert!(!StoreFailure::from(missing).is_unavailable());
}

#[tokio::test]
async fn what_has_expired_is_swept_and_stays_refused() {
    let Some(server) = Server::start() else {
        return;
    };
    let store = migrated(server.url()).await;
    let client = sql(&server).await;
    client
        .batch_execute(
            "INSERT INTO seawall_nonce (digest, expires)
             SELECT decode(lpad(to_hex(i), 64, '0'), 'hex'),
                    extract(epoch FROM clock_timestamp())::bigint
                    + CASE WHEN i % 10 = 0 THEN 3600 ELSE -3600 END
               FROM generate_series(1, 5000) i",
        )
        .await
        .unwrap();
    let rows = async || -> i64 {
        let count = "SELECT count(*) FROM seawall_nonce";
        client.query_one(count, &[]).await.unwrap().get(0)
    };
    // At most 4,000 at a time.
    assert_eq!((store.sweep().await.unwrap(), rows().await), (4_000, 1_000));
    assert_eq!((store.sweep().await.unwrap(), rows().await), (500, 500));
    assert_eq!(store.sweep().await.unwrap(), 0);

    // As if the clock had run an hour ahead when these were swept, and was set back since.
    client
        .batch_execute(
            "UPDATE seawall_nonce_forgotten
                SET until = extract(epoch FROM clock_timestamp())::bigint + 3600",
        )
        .await
        .unwrap();
    assert_eq!(claim(&store, 200).await, Claim::Expired);
}

#[tokio::test]
async fn claims_sweep_by_themselves() {
    let Some(server) = Server::start() else {
        return;
    };
    let store = patient(server.url()).sweep_every(NonZeroU32::new(10));
    let store = store.connect().await.unwrap();
    store.migrate().await.unwrap();
    let client = sql(&server).await;
    client
        .batch_execute("INSERT INTO seawall_nonce VALUES (decode('00', 'hex'), 1)")
        .await
        .unwrap();
    for name in 0..10 {
        assert_eq!(claim(&store, name).await, Claim::Fresh);
    }
    let old = "SELECT count(*) FROM seawall_nonce WHERE expires = 1";
    for _ in 0..1_000 {
        let left: i64 = client.query_one(old, &[]).await.unwrap().get(0);
        if left == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("nothing is swept");
}
