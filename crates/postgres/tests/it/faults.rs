//! Servers that die, hang, and forget.
#![expect(clippy::disallowed_methods, reason = "real servers take real time")]

use std::time::{Duration, Instant};

use seawall_postgres::PostgresStore;
use seawall_ratelimit::{Limiter, Quota, StoreFailure};

use crate::support::{Server, migrated, patient, unique};

fn limiter(store: PostgresStore) -> Limiter<PostgresStore> {
    Limiter::new(store, Quota::per_day(5))
}

/// Calls until one is answered, as a busy service does.
async fn until_answered(limiter: &Limiter<PostgresStore>, key: &str) -> u32 {
    for _ in 0..1_000 {
        match limiter.peek(key).await {
            Ok(decision) => return decision.binding().unwrap().remaining(),
            Err(error) => assert_eq!(error.failure(), StoreFailure::Unavailable, "{error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the store does not come back");
}

#[tokio::test]
async fn a_killed_server_is_unavailable_and_comes_back_without_its_counts() {
    let Some(mut server) = Server::start() else {
        return;
    };
    let limiter = limiter(migrated(server.url()).await);
    let key = unique();
    assert!(limiter.check(&key).await.unwrap().is_allowed());

    server.kill();
    for _ in 0..3 {
        let before = Instant::now();
        let error = limiter.check(&key).await.unwrap_err();
        assert_eq!(error.failure(), StoreFailure::Unavailable, "{error:?}");
        // Refused, not waited for: the timeout of this store is many times as long.
        assert!(before.elapsed() < Duration::from_secs(5), "{error}");
    }

    server.restart();
    // An unlogged table is empty after a crash, as the front page says; the schema is still there.
    assert_eq!(until_answered(&limiter, &key).await, 5);
    assert!(limiter.check(&key).await.unwrap().is_allowed());
}

#[tokio::test]
async fn a_server_that_hangs_is_unavailable_within_the_timeout() {
    let Some(server) = Server::start() else {
        return;
    };
    let limit = Duration::from_millis(300);
    migrated(server.url()).await;
    let store = patient(server.url())
        .operation_timeout(limit)
        .connect()
        .await
        .unwrap();
    let limiter = limiter(store);
    let key = unique();
    until_answered(&limiter, &key).await;

    server.freeze();
    for _ in 0..3 {
        let before = Instant::now();
        let error = limiter.check(&key).await.unwrap_err();
        let took = before.elapsed();
        assert!(error.is_timeout(), "{error}");
        assert_eq!(StoreFailure::from(error), StoreFailure::Unavailable);
        assert!(took >= limit && took < limit * 10, "{took:?}");
    }

    server.thaw();
    // A charge that nobody waited for may have been made all the same: at most the one that was sent.
    let left = until_answered(&limiter, &key).await;
    assert!((4..=5).contains(&left), "{left}");
}

#[tokio::test]
async fn a_service_starts_while_its_server_is_down() {
    let Some(mut server) = Server::start() else {
        return;
    };
    migrated(server.url()).await;
    server.kill();
    let error = patient(server.url()).connect().await.unwrap_err();
    assert!(error.is_unreachable(), "{error:?}");

    let limiter = limiter(patient(server.url()).build().unwrap());
    let error = limiter.check("a").await.unwrap_err();
    assert_eq!(error.failure(), StoreFailure::Unavailable, "{error}");
    server.restart();
    assert_eq!(until_answered(&limiter, "a").await, 5);
}

#[tokio::test]
async fn an_abandoned_lock_is_waited_for_no_longer_than_the_timeout() {
    let Some(server) = Server::start() else {
        return;
    };
    migrated(server.url()).await;
    let limit = Duration::from_millis(300);
    let store = patient(server.url())
        .operation_timeout(limit)
        .connect()
        .await
        .unwrap();
    let limiter = limiter(store);
    let _ = limiter.check("a").await.unwrap();

    let (client, connection) = tokio_postgres::connect(&server.url(), tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
        .batch_execute("BEGIN; LOCK TABLE seawall_ratelimit")
        .await
        .unwrap();
    let error = limiter.check("a").await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    // The server gives up as well, while the lock is still held by somebody else.
    let mut waiting = 1_i64;
    for _ in 0..1_000 {
        let count = "SELECT count(*) FROM pg_locks WHERE NOT granted";
        waiting = client.query_one(count, &[]).await.unwrap().get(0);
        if waiting == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(
        waiting, 0,
        "nobody stands in line for a caller who has gone"
    );
    client.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(until_answered(&limiter, "a").await, 4);
}

#[tokio::test]
async fn an_unusable_address_is_told_apart_from_an_unreachable_server() {
    for url in ["not a url", "http://127.0.0.1/"] {
        let error = PostgresStore::connect(url).await.unwrap_err();
        assert!(!error.is_unreachable(), "{url:?}: {error}");
    }
}
