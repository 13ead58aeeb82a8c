//! Migrations, and the bounded clearing of the table.

use std::num::NonZeroU32;

use seawall_ratelimit::{Charge, KeyBuf, Limiter, Op, Quota, Store, StoreFailure, Verdict};

use crate::support::{Server, migrated, patient, unique};

async fn sql(server: &Server) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(&server.url(), tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_may_migrate_at_once_and_again() {
    let Some(server) = Server::start() else {
        return;
    };
    let limiter = Limiter::new(
        patient(server.url()).connect().await.unwrap(),
        Quota::per_day(5),
    );
    let error = limiter.check("a").await.unwrap_err();
    let expected = "expected the schema of seawall-postgres: run `migrate` first";
    assert_eq!(
        (error.to_string().as_str(), error.failure()),
        (expected, StoreFailure::Refused)
    );

    let url = server.url();
    let all = (0..6).map(|_| tokio::spawn(migrated(url.clone())));
    for one in all.collect::<Vec<_>>() {
        one.await.unwrap();
    }
    assert!(limiter.check("a").await.unwrap().is_allowed());
    migrated(&url).await;
    let decision = limiter.check("a").await.unwrap();
    assert_eq!(
        decision.binding().unwrap().remaining(),
        3,
        "a migration forgets nothing"
    );
}

#[tokio::test]
async fn sweeping_removes_what_means_nothing_and_only_that() {
    let Some(server) = Server::start() else {
        return;
    };
    let store = migrated(server.url()).await;
    let client = sql(&server).await;
    client
        .batch_execute(
            "INSERT INTO seawall_ratelimit (key, until)
             SELECT decode(lpad(to_hex(i), 34, '0'), 'hex'),
                    (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
                    + CASE WHEN i % 10 = 0 THEN 3600 ELSE -3600 END * 1000000::bigint
               FROM generate_series(1, 20000) i",
        )
        .await
        .unwrap();
    let rows = async || -> i64 {
        let count = "SELECT count(*) FROM seawall_ratelimit";
        client.query_one(count, &[]).await.unwrap().get(0)
    };
    let mut swept = 0;
    for _ in 0..200 {
        swept += store.sweep().await.unwrap();
        if swept == 18_000 {
            break;
        }
    }
    assert_eq!((swept, rows().await), (18_000, 2_000));
    assert_eq!(store.sweep().await.unwrap(), 0);
}

#[tokio::test]
async fn decisions_sweep_by_themselves() {
    let Some(server) = Server::start() else {
        return;
    };
    let store = patient(server.url())
        .sweep_every(NonZeroU32::new(10))
        .connect()
        .await
        .unwrap();
    store.migrate().await.unwrap();
    let client = sql(&server).await;
    client
        .batch_execute("INSERT INTO seawall_ratelimit VALUES ('old', 1)")
        .await
        .unwrap();
    let limiter = Limiter::new(store, Quota::per_day(100_000));
    let mut is_gone = false;
    for round in 0..2_000 {
        let _ = limiter.check(format!("key-{}", round % 5)).await.unwrap();
        let old = client
            .query_opt("SELECT FROM seawall_ratelimit WHERE key = 'old'", &[])
            .await;
        is_gone = old.unwrap().is_none();
        if is_gone {
            break;
        }
    }
    assert!(is_gone);
}

#[tokio::test]
async fn a_denial_writes_nothing() {
    let Some(server) = Server::start() else {
        return;
    };
    let store = migrated(server.url()).await;
    let client = sql(&server).await;
    let scope = KeyBuf::new().push(unique()).push("p");
    let charge = |key| {
        Charge::new(
            scope.as_ref(),
            key,
            Quota::per_hour(3),
            4.try_into().unwrap(),
        )
    };
    let charges = [charge(b"a"), charge(b"b")];
    store
        .decide(Op::Consume, &charges, &mut [Verdict::UNKNOWN; 2])
        .await
        .unwrap();
    store
        .decide(Op::Consume, &charges[..1], &mut [Verdict::UNKNOWN])
        .await
        .unwrap();
    let row = client
        .query_one("SELECT count(*) FROM seawall_ratelimit", &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
}
