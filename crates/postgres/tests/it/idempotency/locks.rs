//! A long transaction that has completed its record keeps nobody waiting.

use std::num::NonZeroUsize;
use std::time::Duration;

use seawall_idempotency::{
    Completion, Idempotency, Lost, OnLapse, Outcome, Policy, Reserved, Run, Settled, Store,
    StoreFailure,
};
use seawall_postgres::{PostgresStore, complete_in};

use super::transactions::{charges, ledger};
use super::{ask, client, key, token};
use crate::support::{PATIENCE, Postgres, migrated, patient, unique};

/// A store with one connection, which whoever waited would have for himself.
async fn narrow(url: impl AsRef<str>) -> PostgresStore {
    migrated(&url).await;
    let store = patient(url).connections(NonZeroUsize::MIN);
    store.connect().await.unwrap()
}

/// Waits for no one: what would have to, fails.
async fn soon<T>(answer: impl Future<Output = T>) -> T {
    let answer = tokio::time::timeout(PATIENCE / 2, answer).await;
    answer.expect("it waits for a transaction that does not end")
}

#[tokio::test]
async fn renewals_and_rivals_wait_for_no_open_transaction() {
    let Some(postgres) = Postgres::find() else {
        return;
    };
    let (store, mut user) = (narrow(postgres.url()).await, client(postgres.url()).await);
    let run = unique();
    // Its lease is over at once, so rivals may take over.
    let owner = token(&store, ask(&run, 1).lease(Duration::ZERO)).await;
    let completion = Completion::new(owner, (&b"done"[..]).into());
    let rival = ask(&run, 2).on_lapse(OnLapse::TakeOver);

    for commits in [false, true] {
        let transaction = user.transaction().await.unwrap();
        complete_in(&transaction, &completion).await.unwrap();
        for _ in 0..3 {
            let locked = soon(store.renew(owner, PATIENCE)).await.unwrap_err();
            assert!(!locked.is_timeout(), "{locked}");
            assert!(StoreFailure::from(locked).is_unavailable());
            let answer = soon(store.reserve(rival)).await.unwrap();
            let in_progress = matches!(answer, Reserved::InProgress { .. });
            assert!(in_progress, "somebody is at it, and not: {answer:?}");
        }
        if commits {
            transaction.commit().await.unwrap();
        } else {
            transaction.rollback().await.unwrap();
            let renewed = store.renew(owner, Duration::ZERO).await.unwrap();
            assert_eq!(renewed, Settled::Done, "nothing was completed");
        }
    }
    let done = Reserved::Completed((&b"done"[..]).into());
    assert_eq!(store.reserve(rival).await.unwrap(), done);
    let late = store.renew(owner, PATIENCE).await.unwrap();
    assert_eq!(late, Settled::Lost(Lost::Completed));
}

#[tokio::test]
async fn a_migration_of_what_is_there_waits_for_no_open_transaction() {
    let Some(postgres) = Postgres::find() else {
        return;
    };
    let (store, mut user) = (migrated(postgres.url()).await, client(postgres.url()).await);
    let owner = token(&store, ask(&unique(), 1)).await;
    let transaction = user.transaction().await.unwrap();
    let completion = Completion::new(owner, (&b"done"[..]).into());
    complete_in(&transaction, &completion).await.unwrap();
    let accepted = "INSERT INTO seawall_nonce VALUES ('digest', 1) ON CONFLICT DO NOTHING";
    transaction.execute(accepted, &[]).await.unwrap();
    soon(store.migrate()).await.unwrap();
}

#[tokio::test]
async fn work_that_goes_on_after_it_has_completed_its_record_ends_well() {
    let Some(postgres) = Postgres::find() else {
        return;
    };
    let lease = Duration::from_millis(150);
    let policy = Policy::at_least_once().lease(lease);
    let front = Idempotency::new(narrow(postgres.url()).await, policy).unwrap();
    let mut user = ledger(postgres.url()).await;
    let (name, outcome) = (unique(), Outcome::new("charged"));
    let id = key(&name);
    let run = front.run(&id, b"", async |claim| {
        let transaction = user.transaction().await.unwrap();
        let row = "INSERT INTO ledger (key, attempt) VALUES ($1, 1)";
        transaction.execute(row, &[&name]).await.unwrap();
        let completion = claim.completion(&outcome).unwrap();
        complete_in(&transaction, &completion).await.unwrap();
        // Several renewals fail in here, and the lease runs out.
        tokio::time::sleep(lease * 3).await;
        assert!(!claim.is_lost());
        transaction.commit().await.map(|()| outcome.clone())
    });
    assert_eq!(run.await.unwrap(), Run::Executed(outcome.clone()));
    let again = front.run(&id, b"", async |_| {
        Ok::<_, std::io::Error>(Outcome::new("twice"))
    });
    assert_eq!(again.await.unwrap(), Run::Replayed(outcome));
    assert_eq!(charges(&user, &name).await, 1);
}
