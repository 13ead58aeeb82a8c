//! Work and record in one transaction.

use std::time::Duration;

use seawall_idempotency::{
    Begun, Claim, Fingerprint, Finished, Idempotency, Lost, OnOutage, Outcome, Policy, Run, Store,
};
use seawall_postgres::{CompleteError, PostgresStore, complete_in};
use tokio_postgres::{Client, IsolationLevel};

use super::{client, key, number};
use crate::support::{Postgres, Server, migrated, patient, unique};

pub(super) type Failure = Box<dyn std::error::Error + Send + Sync>;

pub(super) async fn ledger(url: impl AsRef<str>) -> Client {
    let client = client(url).await;
    // Of several who make a table at once, all but one may fail.
    let table = "SELECT pg_advisory_lock(1);
        CREATE TABLE IF NOT EXISTS ledger (key text NOT NULL, attempt bigint NOT NULL);
        SELECT pg_advisory_unlock(1)";
    client.batch_execute(table).await.unwrap();
    client
}

pub(super) async fn charges(client: &Client, key: &str) -> i64 {
    let count = "SELECT count(*) FROM ledger WHERE key = $1";
    client.query_one(count, &[&key]).await.unwrap().get(0)
}

/// Charges within a transaction that completes the record.
pub(super) async fn charge(
    client: &mut Client,
    claim: &Claim,
    key: &str,
    outcome: &Outcome,
) -> Result<(), Failure> {
    let transaction = client.transaction().await?;
    let row = "INSERT INTO ledger (key, attempt) VALUES ($1, $2)";
    let attempt = i64::from(claim.attempt());
    transaction.execute(row, &[&key, &attempt]).await?;
    complete_in(&transaction, &claim.completion(outcome)?).await?;
    transaction.commit().await?;
    Ok(())
}

async fn front(url: impl AsRef<str>) -> Idempotency<PostgresStore> {
    Idempotency::new(migrated(url).await, Policy::at_least_once()).unwrap()
}

#[tokio::test]
async fn work_and_record_are_committed_together() {
    let Some(postgres) = Postgres::find() else {
        return;
    };
    let (front, mut client) = (front(postgres.url()).await, ledger(postgres.url()).await);
    let name = unique();
    let (id, outcome) = (key(&name), Outcome::new("charged").status(201));
    for nth in 0..3 {
        let run = front.run(&id, b"", async |claim| {
            let charged = charge(&mut client, &claim, &name, &outcome).await;
            charged.map(|()| outcome.clone())
        });
        match run.await.unwrap() {
            Run::Executed(got) => assert!(nth == 0 && got == outcome),
            Run::Replayed(got) => assert!(nth > 0 && got == outcome),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(charges(&client, &name).await, 1);
}

#[tokio::test]
async fn a_transaction_that_is_rolled_back_has_completed_nothing() {
    let Some(postgres) = Postgres::find() else {
        return;
    };
    let (front, mut client) = (front(postgres.url()).await, ledger(postgres.url()).await);
    let name = unique();
    let (id, outcome) = (key(&name), Outcome::new("charged"));
    let rolled_back = front.run(&id, b"", async |claim| {
        let transaction = client.transaction().await.unwrap();
        let completion = claim.completion(&outcome).unwrap();
        complete_in(&transaction, &completion).await.unwrap();
        transaction.rollback().await.unwrap();
        Err::<Outcome, _>(std::io::Error::other("rolled back"))
    });
    assert!(rolled_back.await.is_err());
    let again = front.run(&id, b"", async |claim| {
        let charged = charge(&mut client, &claim, &name, &outcome).await;
        charged.map(|()| outcome.clone())
    });
    assert!(matches!(again.await.unwrap(), Run::Executed(_)));
    assert_eq!(charges(&client, &name).await, 1);
}

#[tokio::test]
async fn a_stale_owner_is_rolled_back() {
    let Some(postgres) = Postgres::find() else {
        return;
    };
    let (front, mut client) = (front(postgres.url()).await, ledger(postgres.url()).await);
    let name = unique();
    let begin = async || front.begin(&key(&name), Fingerprint::of(b"")).await;
    let Begun::Claimed(first) = begin().await.unwrap() else {
        panic!("the first has it")
    };
    let outcome = Outcome::new("charged");
    let token = first.claim().completion(&outcome).unwrap().token();
    let _ = front.store().renew(token, Duration::ZERO).await.unwrap();
    let Begun::Claimed(second) = begin().await.unwrap() else {
        panic!("the second takes over")
    };
    let refused = charge(&mut client, first.claim(), &name, &outcome).await;
    let refused = refused.unwrap_err();
    let error: &CompleteError = refused.downcast_ref().unwrap();
    assert_eq!(error.lost(), Some(Lost::TakenOver));
    charge(&mut client, second.claim(), &name, &outcome)
        .await
        .unwrap();
    let refused = charge(&mut client, first.claim(), &name, &outcome).await;
    let text = refused.unwrap_err().to_string();
    assert!(text.contains("another attempt"), "{text}");
    assert_eq!(charges(&client, &name).await, 1);
    let late = first.finish(&Outcome::new("mine")).await;
    assert_eq!(late, Finished::Superseded(outcome));
}

/// Under REPEATABLE READ the transaction sees a record that was not yet taken over: the write conflicts.
#[tokio::test]
async fn a_stale_owner_with_an_old_snapshot_is_rolled_back_too() {
    let Some(postgres) = Postgres::find() else {
        return;
    };
    let (front, mut client) = (front(postgres.url()).await, ledger(postgres.url()).await);
    let name = unique();
    let begin = async || front.begin(&key(&name), Fingerprint::of(b"")).await;
    for isolation in [IsolationLevel::RepeatableRead, IsolationLevel::Serializable] {
        let Begun::Claimed(stale) = begin().await.unwrap() else {
            panic!("it has it")
        };
        let completion = stale.claim().completion(&Outcome::new("charged")).unwrap();
        let transaction = client.build_transaction().isolation_level(isolation);
        let transaction = transaction.start().await.unwrap();
        let row = "INSERT INTO ledger (key, attempt) VALUES ($1, 0)";
        transaction.execute(row, &[&name]).await.unwrap();
        let renewed = front.store().renew(completion.token(), Duration::ZERO);
        let _ = renewed.await.unwrap();
        let Begun::Claimed(second) = begin().await.unwrap() else {
            panic!("the second takes over")
        };
        let error = complete_in(&transaction, &completion).await.unwrap_err();
        assert_eq!(error.lost(), None);
        let source = std::error::Error::source(&error).unwrap();
        let source: &seawall_postgres::Error = source.downcast_ref().unwrap();
        assert!(source.is_unavailable(), "it may be tried again: {source:?}");
        drop(transaction);
        drop(stale);
        let token = second
            .claim()
            .completion(&Outcome::new(""))
            .unwrap()
            .token();
        let _ = front.store().release(token).await.unwrap();
    }
    assert_eq!(charges(&client, &name).await, 0);
}

#[tokio::test]
async fn without_protection_nothing_is_committed() {
    let Some(server) = Server::start() else {
        return;
    };
    let policy = Policy::at_least_once().on_outage(OnOutage::Open);
    let store = patient(server.url()).operation_timeout(Duration::from_millis(100));
    let store = store.connect().await.unwrap();
    store.migrate().await.unwrap();
    let front = Idempotency::new(store, policy).unwrap();
    let mut client = ledger(server.url()).await;
    client
        .batch_execute("BEGIN; LOCK TABLE seawall_record")
        .await
        .unwrap();
    let begun = front.begin(&key("k"), Fingerprint::of(b"")).await.unwrap();
    let Begun::Claimed(held) = begun else {
        panic!("{begun:?}")
    };
    assert!(!held.claim().is_protected());
    client.batch_execute("ROLLBACK").await.unwrap();
    let charged = charge(&mut client, held.claim(), "k", &Outcome::new("")).await;
    assert!(charged.is_err());
    assert_eq!(number(&client, "SELECT count(*) FROM ledger").await, 0);
}
