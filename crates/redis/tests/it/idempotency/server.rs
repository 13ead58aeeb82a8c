//! What the server does for a record: its expiry, its scripts, what it allows, and how often it is asked.

use std::time::Duration;

use redis::Value;
use seawall_idempotency::{
    Caps, Durability, Idempotency, IdempotencyKey, Outcome, Policy, Reach, Run, Settled, Store,
};

use super::{ask, complete, completed, start, token};
use crate::support::{Server, patient, text};

/// How long the only key of a server has to live, in milliseconds.
async fn life(server: &Server) -> i64 {
    let script = "local k = redis.call('KEYS', '*'); assert(#k == 1); assert(#k[1] == 26); \
                  return redis.call('PTTL', k[1])";
    match server.command(&["EVAL", script, "0"]).await.unwrap() {
        Value::Int(left) => left,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_record_is_one_key_that_lives_as_long_as_it_is_kept_however_it_ends() {
    let Some((server, store)) = start().await else {
        return;
    };
    let day = 24 * 60 * 60 * 1000;
    let (minute, hour) = (60_000, 60 * 60 * 1000);
    let token = token(&store, ask(1, 1)).await;
    let mut before = life(&server).await;
    assert!((day - minute..=day + 2).contains(&before), "{before}");
    let lease = Duration::from_secs(1);
    assert_eq!(store.renew(token, lease).await.unwrap(), Settled::Done);
    // Up to two milliseconds by rounding.
    let renewed = life(&server).await;
    assert!(renewed <= before + 2, "a renewal moves no expiry");
    assert_eq!(store.release(token).await.unwrap(), Settled::Done);
    let released = life(&server).await;
    assert!((hour - minute..=hour + 2).contains(&released), "{released}");
    let token = super::token(&store, ask(1, 2)).await;
    before = life(&server).await;
    assert!((day - minute..=day + 2).contains(&before), "{before}");
    assert_eq!(complete(&store, token, b"done").await, Settled::Done);
    let after = life(&server).await;
    assert!(
        (day - minute..=before + 2).contains(&after),
        "completing moves no expiry"
    );
}

#[tokio::test]
async fn a_user_may_do_no_more_than_the_front_page_says() {
    let Some((server, admin)) = start().await else {
        return;
    };
    let mut words = vec!["ACL", "SETUSER", "records", "on", ">word", "~sw1:*"];
    words.extend("+ping +evalsha +eval +time +getrange +strlen +set +setrange +pexpire".split(' '));
    words.push("+config|get");
    server.command(&words).await.unwrap();
    let url = server.url().replace("//", "//records:word@");
    let store = patient(url).connect().await.unwrap();
    for nonce in 1..3 {
        let held = token(&store, ask(1, nonce)).await;
        let lease = Duration::from_secs(60);
        assert_eq!(store.renew(held, lease).await.unwrap(), Settled::Done);
        assert_eq!(store.release(held).await.unwrap(), Settled::Done);
    }
    let held = token(&store, ask(1, 3)).await;
    for _ in 0..2 {
        assert_eq!(complete(&store, held, b"done").await, Settled::Done);
    }
    assert_eq!(admin.reserve(ask(1, 4)).await.unwrap(), completed(b"done"));
    assert_eq!(store.eviction().await.unwrap().suits_records(), Ok(()));
    let set = ["CONFIG", "SET", "maxmemory-policy", "noeviction"];
    let url = server.url().replace("//", "//records:word@");
    assert!(crate::support::command(&url, &set).await.is_err());
}

#[tokio::test]
async fn a_first_execution_is_two_calls_and_a_replay_is_one() {
    let Some((server, store)) = start().await else {
        return;
    };
    let front = Idempotency::new(store, Policy::at_most_once()).unwrap();
    let run = async |name: &str| {
        let key = IdempotencyKey::new(name).unwrap();
        let work = front.run(&key, b"", |_| async {
            Ok::<_, std::io::Error>(Outcome::new("done"))
        });
        work.await.unwrap()
    };
    // The scripts are known then.
    assert!(matches!(run("warm").await, Run::Executed(_)));
    let mut calls = calls_of_scripts(&server).await;
    for nth in 0..5 {
        let name = format!("k{nth}");
        assert!(matches!(run(&name).await, Run::Executed(_)));
        let now = calls_of_scripts(&server).await;
        assert_eq!(now - calls, 2, "a first execution");
        assert!(matches!(run(&name).await, Run::Replayed(_)));
        calls = calls_of_scripts(&server).await;
        assert_eq!(calls - now, 1, "a replay");
    }
}

/// How often the server was asked by script; nothing else is asked by the store, as the list of all
/// commands shows.
async fn calls_of_scripts(server: &Server) -> u64 {
    let stats = text(server.command(&["INFO", "commandstats"]).await.unwrap());
    let mut sum = 0;
    for line in stats.lines().filter(|line| line.starts_with("cmdstat_")) {
        let (name, rest) = line["cmdstat_".len()..].split_once(":calls=").unwrap();
        let calls: u64 = rest.split(',').next().unwrap().parse().unwrap();
        match name {
            "evalsha" | "eval" => sum += calls,
            // Connecting and this test; then what the scripts do.
            "client|setinfo" | "hello" | "info" | "ping" => {}
            "getrange" | "set" | "time" => {}
            other => panic!("{other} was asked"),
        }
    }
    sum
}

#[tokio::test]
async fn forgotten_scripts_are_brought_along_again() {
    let Some((server, store)) = start().await else {
        return;
    };
    let forget = async || {
        server.command(&["SCRIPT", "FLUSH", "SYNC"]).await.unwrap();
    };
    for nth in 0..2 {
        forget().await;
        let first = token(&store, ask(nth, 1)).await;
        forget().await;
        let renewed = store.renew(first, Duration::from_secs(1)).await.unwrap();
        assert_eq!(renewed, Settled::Done);
        forget().await;
        assert_eq!(store.release(first).await.unwrap(), Settled::Done);
        let second = token(&store, ask(nth, 2)).await;
        forget().await;
        assert_eq!(complete(&store, second, b"done").await, Settled::Done);
        forget().await;
        let answer = store.reserve(ask(nth, 3)).await.unwrap();
        assert_eq!(answer, completed(b"done"));
    }
}

#[tokio::test]
async fn what_is_no_record_is_refused_and_left_alone() {
    let Some((server, store)) = start().await else {
        return;
    };
    let held = token(&store, ask(1, 1)).await;
    let spoil = "local k = redis.call('KEYS', '*'); return redis.call('SET', k[1], 'r???')";
    server.command(&["EVAL", spoil, "0"]).await.unwrap();
    let error = store.reserve(ask(1, 2)).await.unwrap_err();
    assert!(!error.is_unavailable(), "{error}");
    assert!(!store.release(held).await.unwrap_err().is_unavailable());
    let look = "local k = redis.call('KEYS', '*'); return redis.call('GET', k[1])";
    let value = server.command(&["EVAL", look, "0"]).await.unwrap();
    assert_eq!(value, Value::BulkString(b"r???".to_vec()));
}

#[tokio::test]
async fn a_payload_beyond_the_bound_is_not_sent() {
    let Some((server, store)) = start().await else {
        return;
    };
    let caps = store.caps();
    assert_eq!(
        caps,
        Caps::new(Durability::Process, Reach::Network).largest(64 << 20)
    );
    let held = token(&store, ask(1, 1)).await;
    let large = seawall_idempotency::Completion::new(held, vec![1; caps.largest + 1].into());
    drop(server);
    // Nobody is there any more, and nobody is asked.
    assert_eq!(store.complete(&large).await.unwrap(), Settled::TooLarge);
}
