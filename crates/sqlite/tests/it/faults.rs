//! Files that cannot be had, locks that do not come free, callers who leave.

use std::time::Duration;

use rusqlite::Connection;
use seawall_signing::{Claim, Nonce, NonceStore, StoreFailure};
use seawall_sqlite::{SqliteStore, SqliteStoreError};

use crate::support::{File, claim, digest, now, t};

async fn failure(store: &SqliteStore) -> SqliteStoreError {
    let (digest, now) = (digest(9), now());
    let nonce = Nonce::new(&digest, t(now.as_secs() + 60), now);
    store.claim(nonce).await.unwrap_err()
}

#[test]
fn what_cannot_be_opened_is_told() {
    let file = File::new();
    let folder = file.path();
    std::fs::create_dir(&folder).unwrap();
    let error = SqliteStore::open(&folder).unwrap_err();
    assert!(error.to_string().contains("state.db"), "{error}");

    let other = File::new();
    std::fs::write(other.path(), vec![b'x'; 8192]).unwrap();
    assert!(SqliteStore::open(other.path()).is_err(), "no database");

    let none = SqliteStore::builder(File::new().path()).queue(0).open();
    assert!(none.unwrap_err().to_string().contains("queue"));
}

#[test]
fn tables_of_another_version_are_refused() {
    let file = File::new();
    drop(file.open());
    let connection = Connection::open(file.path()).unwrap();
    let newer = "UPDATE seawall_nonce_fact SET value = 2 WHERE name = 'version'";
    connection.execute(newer, []).unwrap();
    let error = SqliteStore::open(file.path()).unwrap_err();
    assert!(error.to_string().contains("version 2"), "{error}");
}

#[tokio::test]
async fn a_lock_that_does_not_come_free_is_unavailable_and_passes() {
    let file = File::new();
    let builder = SqliteStore::builder(file.path()).busy_timeout(Duration::from_millis(20));
    let store = builder.open().unwrap();
    let other = Connection::open(file.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = failure(&store).await;
    assert!(error.is_unavailable(), "{error:?}");
    assert!(StoreFailure::from(error).is_unavailable());
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(claim(&store, 9).await, Claim::Fresh);
}

#[tokio::test]
async fn an_operation_has_a_time_and_a_queue_has_an_end() {
    let file = File::new();
    let builder = SqliteStore::builder(file.path())
        .busy_timeout(Duration::from_secs(30))
        .operation_timeout(Duration::from_millis(50))
        .queue(1);
    let store = builder.open().unwrap();
    let other = Connection::open(file.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let late = failure(&store).await;
    assert!(late.to_string().contains("in time"), "{late}");
    // One is being carried out; of further ones, one may wait.
    let (one, two) = tokio::join!(failure(&store), failure(&store));
    let told = [one.to_string(), two.to_string()];
    assert!(
        told.iter().any(|told| told.contains("too many")),
        "{told:?}"
    );
    assert!(one.is_unavailable() && two.is_unavailable());
    other.execute_batch("ROLLBACK").unwrap();
}

#[tokio::test]
async fn a_file_that_may_not_be_written_is_a_refusal_and_never_open() {
    let file = File::new();
    let store = file.open();
    let other = Connection::open(file.path()).unwrap();
    other.execute_batch("DROP TABLE seawall_nonce").unwrap();
    let error = failure(&store).await;
    assert!(!error.is_unavailable(), "{error:?}");
    assert!(!StoreFailure::from(error).is_unavailable());
}

#[tokio::test]
async fn who_leaves_before_it_is_done_has_claimed_nothing() {
    let file = File::new();
    let store = file.open();
    let other = Connection::open(file.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    // The thread waits for the lock with the first claim; the second is dropped behind it.
    let (one, two, now) = (digest(1), digest(2), now());
    let until = t(now.as_secs() + 60);
    let first = tokio::spawn({
        let store = store.clone();
        async move { store.claim(Nonce::new(&one, until, now)).await.unwrap() }
    });
    tokio::task::yield_now().await;
    {
        let second = store.claim(Nonce::new(&two, until, now));
        let waited = tokio::time::timeout(Duration::from_millis(50), second).await;
        assert!(waited.is_err(), "it waits behind the lock");
    }
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(first.await.unwrap(), Claim::Fresh);
    let again = store.claim(Nonce::new(&two, until, now)).await.unwrap();
    assert_eq!(again, Claim::Fresh);
}
