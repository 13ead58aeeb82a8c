//! Servers that are killed, that hang, and that come back with or without what they knew.
#![expect(clippy::disallowed_methods, reason = "real servers take real time")]

use std::time::{Duration, Instant};

use seawall_idempotency::{Completion, Reserve, Reserved, Settled, Store, StoreFailure, Token};
use seawall_redis::RedisStore;

use super::{ask, complete, completed, token};
use crate::support::{Server, patient};

/// Asks until there is an answer, as a busy service does.
async fn until_answered(store: &RedisStore, ask: Reserve) -> Reserved {
    for _ in 0..1_000 {
        match store.reserve(ask).await {
            Ok(answer) => return answer,
            Err(error) => assert!(error.is_unavailable(), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the store does not come back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_every_write_on_disk_no_answered_completion_is_lost_to_a_kill() {
    let args = ["--appendonly", "yes", "--appendfsync", "always"];
    let Some(mut server) = Server::start(&args) else {
        return;
    };
    let store = patient(server.url()).connect().await.unwrap();
    let open = token(&store, ask(1, 1)).await;
    let tasks: Vec<_> = (1..=8)
        .map(|task: u64| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut done = Vec::new();
                for nth in 0.. {
                    let id = task * 1_000_000 + nth;
                    let Ok(Reserved::Acquired { fence, .. }) = store.reserve(ask(id, 1)).await
                    else {
                        break;
                    };
                    let held = Token::new(ask(id, 1).id, fence, ask(id, 1).nonce);
                    let completion = Completion::new(held, id.to_string().into());
                    match store.complete(&completion).await {
                        Ok(settled) => assert_eq!(settled, Settled::Done),
                        Err(_) => break,
                    }
                    done.push(id);
                }
                done
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(400)).await;
    server.kill();
    let mut done = Vec::new();
    for task in tasks {
        done.extend(task.await.unwrap());
    }
    server.restart();
    let answer = until_answered(&store, ask(1, 2)).await;
    assert!(matches!(answer, Reserved::InProgress { .. }), "{answer:?}");
    assert_eq!(complete(&store, open, b"late").await, Settled::Done);
    println!("{} records were completed before the kill", done.len());
    assert!(done.len() > 20, "{} before the kill", done.len());
    for id in done {
        let answer = store.reserve(ask(id, 2)).await.unwrap();
        assert_eq!(answer, Reserved::Completed(id.to_string().into()));
    }
}

#[tokio::test]
async fn without_persistence_a_restart_forgets_and_stale_owners_are_still_refused() {
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    let store = patient(server.url()).connect().await.unwrap();
    let done = token(&store, ask(1, 1)).await;
    assert_eq!(complete(&store, done, b"done").await, Settled::Done);
    let stale = token(&store, ask(2, 1)).await;
    server.kill();
    let error = store.reserve(ask(1, 2)).await.unwrap_err();
    assert!(StoreFailure::from(error).is_unavailable());
    server.restart();
    // As the front page says: both can be had again, and the work is done again.
    let again = until_answered(&store, ask(1, 2)).await;
    let Reserved::Acquired { fence, attempt: 1 } = again else {
        panic!("{again:?}")
    };
    assert!(fence > done.fence);
    let owner = token(&store, ask(2, 2)).await;
    assert!(owner.fence > stale.fence);
    let lost = Settled::Lost(seawall_idempotency::Lost::TakenOver);
    assert_eq!(complete(&store, stale, b"stale").await, lost);
    assert_eq!(complete(&store, owner, b"owner").await, Settled::Done);
    assert_eq!(store.reserve(ask(2, 3)).await.unwrap(), completed(b"owner"));
}

#[tokio::test]
async fn a_server_that_hangs_is_unavailable_within_the_timeout_of_every_step() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let limit = Duration::from_millis(300);
    let builder = patient(server.url()).operation_timeout(limit);
    let store = builder.connect().await.unwrap();
    // The script is known then: a server that has to ask for it finds that nobody listens.
    let warm = token(&store, ask(0, 1)).await;
    assert_eq!(complete(&store, warm, b"warm").await, Settled::Done);
    let ready = until_answered(&store, ask(1, 1)).await;
    let Reserved::Acquired { fence, .. } = ready else {
        panic!("{ready:?}")
    };
    let held = Token::new(ask(1, 1).id, fence, ask(1, 1).nonce);
    let done = Completion::new(held, "done".into());
    server.freeze();
    let begin = Instant::now();
    let errors = [
        store.reserve(ask(2, 1)).await.unwrap_err(),
        store.renew(held, limit).await.unwrap_err(),
        store.complete(&done).await.unwrap_err(),
        store.release(held).await.unwrap_err(),
        store.eviction().await.unwrap_err(),
    ];
    let took = begin.elapsed();
    for error in errors {
        assert!(error.is_timeout() && error.is_unavailable(), "{error}");
    }
    assert!(took >= limit * 5 && took < limit * 50, "{took:?}");
    server.thaw();
    // What nobody waited for was done all the same, and in order.
    assert_eq!(until_answered(&store, ask(1, 2)).await, completed(b"done"));
    assert_eq!(store.complete(&done).await.unwrap(), Settled::Done);
}
