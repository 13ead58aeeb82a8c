//! Replies that are lost, servers that die and hang.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use seawall_idempotency::{
    Completion, Idempotency, Lost, Outcome, Policy, Reserved, Run, Settled, Store, StoreFailure,
};
use seawall_postgres::{PostgresStore, complete_in};

use super::proxy::Proxy;
use super::transactions::{charge, ledger};
use super::{ask, by, client, complete, key, number, token};
use crate::support::{Postgres, Server, migrated, patient, unique};

/// A store behind a proxy, over one connection.
async fn proxied(postgres: &Postgres) -> (PostgresStore, Proxy) {
    migrated(postgres.url()).await;
    let proxy = Proxy::before(&postgres.url()).await;
    let store = patient(proxy.url()).connections(NonZeroUsize::MIN);
    let store = store.connect().await.unwrap();
    (store, proxy)
}

fn own(postgres: &Postgres) -> bool {
    // A given server may want a password, which the proxy's address does not have.
    matches!(postgres, Postgres::Own(_))
}

#[tokio::test]
async fn a_lost_reply_strands_no_key() {
    let Some(postgres) = Postgres::find().filter(own) else {
        return;
    };
    let (store, proxy) = proxied(&postgres).await;
    let (ask, other) = (ask(&unique(), 1), ask(&unique(), 1));

    proxy.lose_the_next_reply();
    let lost = store.reserve(ask).await.unwrap_err();
    assert!(StoreFailure::from(lost).is_unavailable());
    let rival = by(ask, 2);
    let answer = store.reserve(rival).await.unwrap();
    let was_made = matches!(answer, Reserved::InProgress { .. });
    assert!(was_made, "the server had done it: {answer:?}");
    let owner = token(&store, ask).await;
    assert_eq!(token(&store, ask).await, owner);

    let completion = Completion::new(owner, (&b"done"[..]).into());
    proxy.lose_the_next_reply();
    let lost = store.complete(&completion).await.unwrap_err();
    assert!(StoreFailure::from(lost).is_unavailable());
    let done = Reserved::Completed((&b"done"[..]).into());
    assert_eq!(store.reserve(rival).await.unwrap(), done);
    assert_eq!(complete(&store, owner, b"done").await, Settled::Done);
    assert_eq!(
        complete(&store, owner, b"else").await,
        Settled::Lost(Lost::Completed)
    );

    let owner = token(&store, other).await;
    for _ in 0..2 {
        proxy.lose_the_next_reply();
        assert!(store.renew(owner, Duration::from_secs(9)).await.is_err());
    }
    proxy.lose_the_next_reply();
    assert!(store.release(owner).await.is_err());
    let again = store.release(owner).await.unwrap();
    assert_eq!(again, Settled::Lost(Lost::Gone));
    assert_eq!(proxy.lost(), 5);
}

#[tokio::test]
async fn work_is_done_once_whichever_reply_is_lost() {
    let Some(postgres) = Postgres::find().filter(own) else {
        return;
    };
    for at_reserve in [true, false] {
        let (store, proxy) = proxied(&postgres).await;
        let front = Idempotency::new(store, Policy::at_most_once()).unwrap();
        let (key, times) = (key(unique()), AtomicU32::new(0));
        if at_reserve {
            proxy.lose_the_next_reply();
        }
        for _ in 0..2 {
            let run = front.run(&key, b"", async |_| {
                times.fetch_add(1, Ordering::Relaxed);
                if !at_reserve {
                    proxy.lose_the_next_reply();
                }
                Ok::<_, std::io::Error>(Outcome::new("done"))
            });
            let (Run::Executed(outcome) | Run::Replayed(outcome)) = run.await.unwrap() else {
                panic!("it is neither refused nor unknown")
            };
            assert_eq!(outcome, Outcome::new("done"));
        }
        assert_eq!((times.into_inner(), proxy.lost()), (1, 1));
    }
}

#[tokio::test]
async fn a_killed_server_comes_back_with_what_was_committed_and_without_the_rest() {
    let Some(mut server) = Server::start() else {
        return;
    };
    let store = migrated(server.url()).await;
    let mut user = ledger(server.url()).await;
    let done = token(&store, ask("done", 1)).await;
    assert_eq!(complete(&store, done, b"kept").await, Settled::Done);
    let open = token(&store, ask("open", 1)).await;
    let transaction = user.transaction().await.unwrap();
    let row = "INSERT INTO ledger VALUES ('open', 1)";
    transaction.execute(row, &[]).await.unwrap();
    let completion = Completion::new(open, (&b"charged"[..]).into());
    complete_in(&transaction, &completion).await.unwrap();

    server.kill();
    assert!(transaction.commit().await.is_err());
    let down = store.reserve(ask("new", 1)).await.unwrap_err();
    assert!(StoreFailure::from(down).is_unavailable());

    server.restart();
    let store = migrated(server.url()).await;
    let kept = Reserved::Completed((&b"kept"[..]).into());
    assert_eq!(store.reserve(ask("done", 2)).await.unwrap(), kept);
    let answer = store.reserve(ask("open", 2)).await.unwrap();
    let in_progress = matches!(answer, Reserved::InProgress { .. });
    assert!(in_progress, "reserved as it was, not completed: {answer:?}");
    let user = client(server.url()).await;
    assert_eq!(number(&user, "SELECT count(*) FROM ledger").await, 0);
    // The owner is still the owner, and whoever comes later has a higher fence.
    let again = token(&store, ask("open", 1)).await;
    assert_eq!(again, open);
    assert!(token(&store, ask("new", 2)).await.fence > open.fence);
    assert_eq!(complete(&store, open, b"charged").await, Settled::Done);
}

#[tokio::test]
async fn a_server_killed_at_commit_has_charged_once_or_not_at_all() {
    let Some(mut server) = Server::start() else {
        return;
    };
    migrated(server.url()).await;
    let mut charged = 0;
    for nth in 0..4 {
        let store = migrated(server.url()).await;
        let front = Idempotency::new(store, Policy::at_least_once()).unwrap();
        let mut user = ledger(server.url()).await;
        let (name, outcome) = (format!("k{nth}"), Outcome::new("charged"));
        let id = key(&name);
        let run = front.run(&id, b"", async |claim| {
            let commit = charge(&mut user, &claim, &name, &outcome);
            let death = async {
                // Somewhere around the commit.
                tokio::time::sleep(Duration::from_micros(400 * nth)).await;
                server.kill();
            };
            let (charged, ()) = tokio::join!(commit, death);
            charged.map(|()| outcome.clone())
        });
        drop(run.await);
        server.restart();
        let store = migrated(server.url()).await;
        let policy = Policy::at_least_once();
        let front = Idempotency::new(store, policy).unwrap();
        // Its lease is live if it was not completed: it is taken over as if it had lapsed.
        let mut user = ledger(server.url()).await;
        user.batch_execute("UPDATE seawall_record SET lease_until = 0")
            .await
            .unwrap();
        let run = front.run(&id, b"", async |claim| {
            let charged = charge(&mut user, &claim, &name, &outcome).await;
            charged.map(|()| outcome.clone())
        });
        let run = run.await.unwrap();
        charged += i64::from(matches!(run, Run::Executed(_) | Run::Replayed(_)));
        assert_eq!(number(&user, "SELECT count(*) FROM ledger").await, charged);
    }
    assert_eq!(charged, 4);
}

#[tokio::test]
async fn a_server_that_hangs_is_unavailable_within_the_timeout() {
    let Some(server) = Server::start() else {
        return;
    };
    migrated(server.url()).await;
    let store = patient(server.url()).operation_timeout(Duration::from_millis(300));
    let store = store.connect().await.unwrap();
    let owner = token(&store, ask("k", 1)).await;
    server.freeze();
    let late = store.renew(owner, Duration::ZERO).await.unwrap_err();
    assert!(late.is_timeout(), "{late}");
    let completion = Completion::new(owner, (&b"done"[..]).into());
    let late = store.complete(&completion).await.unwrap_err();
    assert!(StoreFailure::from(late).is_unavailable());
    let late = store.reserve(ask("k", 2)).await.unwrap_err();
    assert!(late.is_timeout(), "{late}");
    server.thaw();
    let store = migrated(server.url()).await;
    assert_eq!(complete(&store, owner, b"done").await, Settled::Done);
}
