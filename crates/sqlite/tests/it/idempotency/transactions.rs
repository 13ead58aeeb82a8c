//! Work and record in one transaction.

use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};
use seawall_idempotency::{
    Begun, Fingerprint, Finished, Idempotency, IdempotencyKey, Lost, Outcome, Policy, Refused, Run,
    Store,
};
use seawall_sqlite::{SqliteStore, complete_in};

use crate::support::File;

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

pub(crate) fn ledger(file: &std::path::Path) -> Connection {
    let connection = Connection::open(file).unwrap();
    connection.busy_timeout(Duration::from_secs(10)).unwrap();
    let table = "CREATE TABLE IF NOT EXISTS ledger (key TEXT NOT NULL)";
    connection.execute(table, []).unwrap();
    connection
}

fn charges(connection: &Connection) -> u32 {
    let count = "SELECT count(*) FROM ledger";
    connection.query_row(count, [], |row| row.get(0)).unwrap()
}

/// Charges within a transaction that completes the record.
pub(crate) fn charge(
    connection: &mut Connection,
    claim: &seawall_idempotency::Claim,
    key: &str,
    outcome: &Outcome,
) -> Result<(), Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute("INSERT INTO ledger (key) VALUES (?1)", [key])?;
    complete_in(&transaction, &claim.completion(outcome)?)?;
    transaction.commit()?;
    Ok(())
}

fn front(file: &File) -> Idempotency<SqliteStore> {
    Idempotency::new(file.open(), Policy::at_least_once()).unwrap()
}

#[tokio::test]
async fn work_and_record_are_committed_together() {
    let file = File::new();
    let (front, mut connection) = (front(&file), ledger(&file.path()));
    let key = IdempotencyKey::new("k").unwrap();
    let outcome = Outcome::new("charged").status(201);
    for nth in 0..3 {
        let run = front.run(&key, b"", |claim| {
            let charged = charge(&mut connection, &claim, "k", &outcome);
            async { charged.map(|()| outcome.clone()) }
        });
        match run.await.unwrap() {
            Run::Executed(got) => assert!(nth == 0 && got == outcome),
            Run::Replayed(got) => assert!(nth > 0 && got == outcome),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(charges(&connection), 1);
}

#[tokio::test]
async fn a_transaction_that_is_rolled_back_has_completed_nothing() {
    let file = File::new();
    let (front, mut connection) = (front(&file), ledger(&file.path()));
    let key = IdempotencyKey::new("k").unwrap();
    let outcome = Outcome::new("charged");
    let rolled_back = front.run(&key, b"", |claim| {
        let transaction = connection.transaction().unwrap();
        complete_in(&transaction, &claim.completion(&outcome).unwrap()).unwrap();
        drop(transaction);
        async { Err::<Outcome, _>(std::io::Error::other("rolled back")) }
    });
    assert!(rolled_back.await.is_err());
    let again = front.run(&key, b"", |claim| {
        let charged = charge(&mut connection, &claim, "k", &outcome);
        async { charged.map(|()| outcome.clone()) }
    });
    assert!(matches!(again.await.unwrap(), Run::Executed(_)));
    assert_eq!(charges(&connection), 1);
}

#[tokio::test]
async fn an_outcome_without_room_is_refused_and_a_smaller_one_fits() {
    let file = File::new();
    let store = SqliteStore::builder(file.path()).record_bytes(1_000);
    let front = Idempotency::new(store.open().unwrap(), Policy::at_least_once()).unwrap();
    let mut connection = ledger(&file.path());
    let begin = async |name: &str| {
        let key = IdempotencyKey::new(name).unwrap();
        match front.begin(&key, Fingerprint::of(b"")).await.unwrap() {
            Begun::Claimed(held) => held,
            other => panic!("{other:?}"),
        }
    };
    let (one, two) = (begin("one").await, begin("two").await);
    let outcome = Outcome::new(vec![b'x'; 600]).status(201);
    charge(&mut connection, one.claim(), "one", &outcome).unwrap();
    let transaction = connection.transaction().unwrap();
    let completion = two.claim().completion(&outcome).unwrap();
    let error = complete_in(&transaction, &completion).unwrap_err();
    assert!(error.is_too_large() && error.lost().is_none(), "{error}");
    let less = two.claim().completion(&outcome.clone().omitted()).unwrap();
    complete_in(&transaction, &less).unwrap();
    transaction.commit().unwrap();
    let finished = two.finish(&outcome).await;
    assert_eq!(finished, Finished::Completed(outcome.omitted()));
}

#[tokio::test]
async fn duplicates_do_not_wait_for_a_long_transaction() {
    let file = File::new();
    let builder = SqliteStore::builder(file.path()).busy_timeout(Duration::from_millis(20));
    let front = Idempotency::new(builder.open().unwrap(), Policy::at_most_once()).unwrap();
    let begin = async |name: &str, body: &[u8]| {
        let key = IdempotencyKey::new(name).unwrap();
        front.begin(&key, Fingerprint::of(body)).await
    };
    let Begun::Claimed(done) = begin("done", b"").await.unwrap() else {
        panic!("new")
    };
    assert_eq!(done.finish(&Outcome::new("x")).await, Finished::Stored);
    let Begun::Claimed(_at_work) = begin("at-work", b"").await.unwrap() else {
        panic!("new")
    };
    let mut connection = ledger(&file.path());
    let long = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .unwrap();
    long.execute("INSERT INTO ledger (key) VALUES ('long')", [])
        .unwrap();
    let replayed = begin("done", b"").await.unwrap();
    assert!(matches!(replayed, Begun::Replay(outcome) if outcome.bytes() == b"x"));
    let other = begin("done", b"other").await.unwrap();
    assert!(matches!(other, Begun::Refused(Refused::Mismatch)));
    let duplicate = begin("at-work", b"").await.unwrap();
    assert!(matches!(
        duplicate,
        Begun::Refused(Refused::InProgress { .. })
    ));
    assert!(begin("new", b"").await.unwrap_err().is_unavailable());
    long.commit().unwrap();
}

#[tokio::test]
async fn a_stale_owner_is_rolled_back() {
    let file = File::new();
    let (front, mut connection) = (front(&file), ledger(&file.path()));
    let key = IdempotencyKey::new("k").unwrap();
    let begin = || front.begin(&key, Fingerprint::of(b""));
    let Begun::Claimed(first) = begin().await.unwrap() else {
        panic!("the first has it")
    };
    let outcome = Outcome::new("charged");
    let token = first.claim().completion(&outcome).unwrap().token();
    let _ = front.store().renew(token, Duration::ZERO).await.unwrap();
    let Begun::Claimed(second) = begin().await.unwrap() else {
        panic!("the second takes over")
    };
    let error = charge(&mut connection, first.claim(), "k", &outcome).unwrap_err();
    let error: &seawall_sqlite::CompleteError = error.downcast_ref().unwrap();
    assert_eq!(error.lost(), Some(Lost::TakenOver));
    charge(&mut connection, second.claim(), "k", &outcome).unwrap();
    let error = charge(&mut connection, first.claim(), "k", &outcome).unwrap_err();
    assert!(error.to_string().contains("another attempt"), "{error}");
    assert_eq!(charges(&connection), 1);
    let late = first.finish(&Outcome::new("mine")).await;
    assert_eq!(late, Finished::Superseded(outcome));
}

#[tokio::test]
async fn without_protection_nothing_is_committed() {
    let (file, elsewhere) = (File::new(), File::new());
    let policy = Policy::at_least_once().on_outage(seawall_idempotency::OnOutage::Open);
    let builder = SqliteStore::builder(file.path()).busy_timeout(Duration::from_millis(5));
    let front = Idempotency::new(builder.open().unwrap(), policy).unwrap();
    drop(elsewhere.open());
    let lock = Connection::open(file.path()).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let key = IdempotencyKey::new("k").unwrap();
    let begun = front.begin(&key, Fingerprint::of(b"")).await.unwrap();
    let Begun::Claimed(held) = begun else {
        panic!("{begun:?}")
    };
    assert!(!held.claim().is_protected());
    lock.execute_batch("ROLLBACK").unwrap();
    let mut connection = ledger(&file.path());
    let charged = charge(&mut connection, held.claim(), "k", &Outcome::new(""));
    assert!(charged.is_err());
    assert_eq!(charges(&connection), 0);
}
