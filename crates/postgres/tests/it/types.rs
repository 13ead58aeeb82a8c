//! What the types promise, and what they do not tell.

use seawall_postgres::{ConnectError, Error, PostgresStore, PostgresStoreBuilder};

#[test]
fn handles_go_anywhere() {
    fn check<T: Send + Sync + 'static>() {}
    check::<PostgresStore>();
    check::<PostgresStoreBuilder>();
    check::<Error>();
    check::<ConnectError>();
}

#[tokio::test]
async fn debug_tells_no_password() {
    let builder = PostgresStore::builder("postgres://app:hunter2@127.0.0.1:1/app");
    assert!(!format!("{builder:?}").contains("hunter2"));
    let store = builder.clone().build().unwrap();
    assert!(!format!("{store:?}").contains("hunter2"));
    let error = builder.connect().await.unwrap_err();
    assert!(!format!("{error:?} {error}").contains("hunter2"));
}
