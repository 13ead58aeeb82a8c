//! What the types promise, and what they do not tell.

use seawall_redis::{ConnectError, Error, HashTag, RedisStore, RedisStoreBuilder};

#[test]
fn handles_go_anywhere() {
    fn check<T: Send + Sync + 'static>() {}
    check::<RedisStore>();
    check::<RedisStoreBuilder>();
    check::<Error>();
    check::<ConnectError>();
    check::<HashTag>();
}

#[tokio::test]
async fn debug_tells_no_password() {
    let builder = RedisStore::builder("redis://:hunter2@127.0.0.1:1/");
    assert!(!format!("{builder:?}").contains("hunter2"));
    let store = builder.clone().build().unwrap();
    assert!(!format!("{store:?}").contains("hunter2"));
    let error = builder.connect().await.unwrap_err();
    assert!(!format!("{error:?} {error}").contains("hunter2"));
    let cluster = RedisStore::cluster(["redis://:hunter2@127.0.0.1:1/"]);
    assert!(!format!("{cluster:?} {:?}", cluster.clone().build().unwrap()).contains("hunter2"));
}
