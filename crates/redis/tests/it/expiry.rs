//! Keys go by themselves, when they mean nothing any more and not before.

use std::time::Duration;

use redis::Value;
use seawall_ratelimit::{Algorithm, Charge, KeyBuf, Op, Quota, Store, Verdict};
use seawall_redis::RedisStore;

use crate::support::{Server, patient, unique};

/// How long the only key of a fresh server has to live after one charge, in milliseconds.
async fn lifetime(server: &Server, charge: Charge<'_>, op: Op) -> (Verdict, i64) {
    server.command(&["FLUSHALL"]).await.unwrap();
    let store: RedisStore = patient(server.url()).connect().await.unwrap();
    let mut out = [Verdict::UNKNOWN];
    store.decide(op, &[charge], &mut out).await.unwrap();
    let script = "local k = redis.call('KEYS', '*'); assert(#k == 1); \
                  assert(#k[1] == 26); return redis.call('PTTL', k[1])";
    match server.command(&["EVAL", script, "0"]).await.unwrap() {
        Value::Int(left) => (out[0], left),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_counter_lives_until_it_is_full_again() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let scope = KeyBuf::new().push(unique()).push("p");
    let hourly = Quota::per_hour(60);
    for algorithm in [
        Algorithm::Gcra,
        Algorithm::SlidingWindow,
        Algorithm::FixedWindow,
    ] {
        let quota = hourly.with_algorithm(algorithm);
        let charge = Charge::new(scope.as_ref(), b"a", quota, 10.try_into().unwrap());
        let (verdict, left) = lifetime(&server, charge, Op::Consume).await;
        let reset = i64::try_from(verdict.reset().as_millis()).unwrap();
        // A minute for a slow machine; never longer than the counter means anything.
        assert!(
            (reset - 60_000..=reset + 2).contains(&left),
            "{quota}: {left} of {reset}"
        );
    }
}

#[tokio::test]
async fn a_block_lives_as_long_as_it_blocks() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let scope = KeyBuf::new().push(unique()).push("p");
    let charge = Charge::new(
        scope.as_ref(),
        b"a",
        Quota::per_hour(60),
        1.try_into().unwrap(),
    );
    let charge = charge.with_block_for(Some(Duration::from_secs(600)));
    let (_, left) = lifetime(&server, charge, Op::BlockFor).await;
    assert!((540_000..=600_002).contains(&left), "{left}");
}

#[tokio::test]
async fn a_denied_key_writes_nothing() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let store = patient(server.url()).connect().await.unwrap();
    let scope = KeyBuf::new().push(unique()).push("p");
    let charge = |key| {
        Charge::new(
            scope.as_ref(),
            key,
            Quota::per_hour(3),
            4.try_into().unwrap(),
        )
    };
    let charges = [charge(b"a"), charge(b"b")];
    store
        .decide(Op::Consume, &charges, &mut [Verdict::UNKNOWN; 2])
        .await
        .unwrap();
    assert_eq!(server.command(&["DBSIZE"]).await.unwrap(), Value::Int(0));
}
