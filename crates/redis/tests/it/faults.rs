//! Servers that die, hang, forget, and are full.
#![expect(clippy::disallowed_methods, reason = "real servers take real time")]

use std::time::{Duration, Instant};

use seawall_ratelimit::{Limiter, Quota, Store, StoreFailure};
use seawall_redis::{Error, RedisStore};

use crate::support::{Server, patient, unique};

fn limiter(store: RedisStore) -> Limiter<RedisStore> {
    Limiter::new(store, Quota::per_day(5))
}

/// Calls until one is answered, as a busy service does.
async fn until_answered(limiter: &Limiter<RedisStore>, key: &str) -> u32 {
    for _ in 0..1_000 {
        match limiter.peek(key).await {
            Ok(decision) => return decision.binding().unwrap().remaining(),
            Err(error) => assert_eq!(error.failure(), StoreFailure::Unavailable, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the store does not come back");
}

#[tokio::test]
async fn a_killed_server_is_unavailable_and_its_successor_is_found() {
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    let limiter = limiter(patient(server.url()).connect().await.unwrap());
    let key = unique();
    assert!(limiter.check(&key).await.unwrap().is_allowed());

    server.kill();
    for _ in 0..3 {
        let before = Instant::now();
        let error = limiter.check(&key).await.unwrap_err();
        assert_eq!(error.failure(), StoreFailure::Unavailable, "{error}");
        // Refused, not waited for: the timeout of this store is many times as long.
        assert!(before.elapsed() < Duration::from_secs(5), "{error}");
    }

    server.restart();
    // What it kept in memory is gone, as the front page says.
    assert_eq!(until_answered(&limiter, &key).await, 5);
    assert!(limiter.check(&key).await.unwrap().is_allowed());
}

#[tokio::test]
async fn a_server_that_hangs_is_unavailable_within_the_timeout() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let limit = Duration::from_millis(300);
    let store = patient(server.url())
        .operation_timeout(limit)
        .connect()
        .await
        .unwrap();
    let limiter = limiter(store);
    let key = unique();
    until_answered(&limiter, &key).await;

    server.freeze();
    let before = Instant::now();
    let error = limiter.check(&key).await.unwrap_err();
    let took = before.elapsed();
    assert!(error.is_timeout(), "{error}");
    assert_eq!(StoreFailure::from(error), StoreFailure::Unavailable);
    assert!(took >= limit && took < limit * 10, "{took:?}");

    server.thaw();
    // The charge that nobody waited for was made all the same: a timeout is perhaps charged.
    assert_eq!(until_answered(&limiter, &key).await, 4);
}

#[tokio::test]
async fn a_forgotten_script_is_brought_along_again() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let limiter = limiter(patient(server.url()).connect().await.unwrap());
    let key = unique();
    for left in (0..5).rev() {
        server.command(&["SCRIPT", "FLUSH", "SYNC"]).await.unwrap();
        let decision = limiter.check(&key).await.unwrap();
        assert_eq!(decision.binding().unwrap().remaining(), left);
    }
}

#[tokio::test]
async fn a_server_without_memory_refuses_and_so_never_opens_the_gate() {
    let Some(server) = Server::start(&["--maxmemory", "1mb", "--maxmemory-policy", "noeviction"])
    else {
        return;
    };
    let limiter = limiter(patient(server.url()).connect().await.unwrap());
    server
        .command(&["CONFIG", "SET", "maxmemory", "1"])
        .await
        .unwrap();
    let error = limiter.check("anybody").await.unwrap_err();
    assert_eq!(error.failure(), StoreFailure::Refused, "{error}");
}

#[tokio::test]
async fn a_service_starts_while_its_server_is_down() {
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    server.kill();
    let error = patient(server.url()).connect().await.unwrap_err();
    assert!(error.is_unreachable(), "{error}");

    let limiter = limiter(patient(server.url()).build().unwrap());
    let error = limiter.check("a").await.unwrap_err();
    assert_eq!(error.failure(), StoreFailure::Unavailable, "{error}");
    server.restart();
    assert_eq!(until_answered(&limiter, "a").await, 5);
}

#[tokio::test]
async fn an_unusable_address_is_told_apart_from_an_unreachable_server() {
    for url in ["", "not a url", "http://127.0.0.1/"] {
        let error = RedisStore::connect(url).await.unwrap_err();
        assert!(!error.is_unreachable(), "{url:?}: {error}");
        assert!(
            error.to_string().starts_with("expected the address"),
            "{error}"
        );
    }
}

#[test]
fn outside_a_runtime_nothing_is_built() {
    let error = RedisStore::builder("redis://127.0.0.1/")
        .build()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected to be called within a tokio runtime"
    );
}

const _: fn(Error) -> StoreFailure = <StoreFailure as From<<RedisStore as Store>::Error>>::from;
