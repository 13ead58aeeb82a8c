//! Whose clock decides, and what it does when it jumps.

use std::sync::Arc;
use std::time::Duration;

use redis::Value;
use seawall_idempotency::{Lost, OnLapse, Reserved, Settled, Store};
use seawall_ratelimit::{ManualClock, Now};

use super::{ask, complete, completed, start, token};
use crate::support::{Proxy, Server, patient};

#[tokio::test]
async fn leases_and_records_run_out_by_the_server_s_clock() {
    let Some((server, store)) = start().await else {
        return;
    };
    // Long enough for a busy machine to ask twice in.
    let (lease, retention) = (Duration::from_millis(600), Duration::from_secs(3));
    let ask = |nonce| ask(1, nonce).lease(lease).retention(retention);
    let first = token(&store, ask(1)).await;
    let answer = store.reserve(ask(2)).await.unwrap();
    let is_live = matches!(answer, Reserved::InProgress { lease_left } if lease_left <= lease);
    assert!(is_live, "{answer:?}");
    tokio::time::sleep(lease).await;
    let answer = store.reserve(ask(2)).await.unwrap();
    assert_eq!(answer, Reserved::Unknown { attempt: 1 });
    let taking = ask(3).on_lapse(OnLapse::TakeOver);
    let second = token(&store, taking).await;
    assert!(second.fence > first.fence);
    let lost = Settled::Lost(Lost::TakenOver);
    assert_eq!(complete(&store, first, b"first").await, lost);
    assert_eq!(complete(&store, second, b"second").await, Settled::Done);
    assert_eq!(store.reserve(ask(4)).await.unwrap(), completed(b"second"));
    // Redis counts in whole milliseconds, and some of them are over already.
    tokio::time::sleep(retention + Duration::from_millis(50)).await;
    let keys = server.command(&["KEYS", "*"]).await.unwrap();
    assert_eq!(keys, Value::Array(Vec::new()));
    let third = store.reserve(ask(5)).await.unwrap();
    let Reserved::Acquired { fence, attempt: 1 } = third else {
        panic!("{third:?}")
    };
    assert!(fence > second.fence, "nobody remembers, and it is higher");
}

#[tokio::test]
async fn a_question_has_no_time_in_it_so_no_clock_of_ours_matters() {
    let Some((server, store)) = start().await else {
        return;
    };
    let proxy = Proxy::before(&server).await;
    let through = patient(proxy.url()).connect().await.unwrap();
    // The script is known then, and the connection made.
    let warm = token(&store, ask(1, 1)).await;
    assert_eq!(store.release(warm).await.unwrap(), Settled::Done);
    through.reserve(ask(1, 2)).await.unwrap();
    let mut asked = Vec::new();
    for _ in 0..2 {
        proxy.heard();
        through.reserve(ask(1, 2)).await.unwrap();
        asked.push(proxy.heard());
        // Two moments, as far apart for what is asked as two clocks an hour apart.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
    }
    assert!(asked[0].starts_with(b"*") && asked[0].len() > 100);
    assert_eq!(asked[0], asked[1]);
}

#[tokio::test]
async fn a_server_clock_that_goes_back_leaves_nothing_stuck_and_fences_increase() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let clock = Arc::new(ManualClock::new());
    let (start, hour) = (
        Duration::from_secs(1_800_000_000),
        Duration::from_secs(3600),
    );
    let set = |to| clock.set(Now::at(to));
    set(start);
    let store = patient(server.url()).conformance_clock(Arc::clone(&clock));
    let store = store.connect().await.unwrap();
    let (left, done) = (
        token(&store, ask(1, 1)).await,
        token(&store, ask(2, 1)).await,
    );
    assert_eq!(complete(&store, done, b"done").await, Settled::Done);
    let released = token(&store, ask(3, 1)).await;
    assert_eq!(store.release(released).await.unwrap(), Settled::Done);
    set(start - hour / 2);
    let lease = Duration::from_secs(30);
    let answer = store.reserve(ask(1, 2)).await.unwrap();
    assert_eq!(
        answer,
        Reserved::InProgress { lease_left: lease },
        "a lease, and not half an hour"
    );
    set(start - hour / 2 + lease);
    let answer = store.reserve(ask(1, 2)).await.unwrap();
    assert_eq!(answer, Reserved::Unknown { attempt: 1 });
    assert_eq!(store.reserve(ask(2, 2)).await.unwrap(), completed(b"done"));
    let second = token(&store, ask(1, 3).on_lapse(OnLapse::TakeOver)).await;
    assert!(second.fence > left.fence);
    assert!(token(&store, ask(3, 2)).await.fence > released.fence);
}

#[tokio::test]
async fn no_lease_is_longer_than_its_record() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let store = patient(server.url()).conformance_clock(ManualClock::new());
    let store = store.connect().await.unwrap();
    let retention = Duration::from_secs(10);
    for lease in [retention * 2, Duration::MAX] {
        let ask = |nonce| ask(1, nonce).lease(lease).retention(retention);
        let held = token(&store, ask(1)).await;
        let left = Reserved::InProgress {
            lease_left: retention,
        };
        assert_eq!(store.reserve(ask(2)).await.unwrap(), left);
        assert_eq!(store.renew(held, lease).await.unwrap(), Settled::Done);
        assert_eq!(store.reserve(ask(2)).await.unwrap(), left);
        assert_eq!(store.release(held).await.unwrap(), Settled::Done);
    }
}
