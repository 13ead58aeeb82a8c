//! What a store of records promises of its own: whose clock, what is read, what is swept, what is
//! refused.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use deadpool_postgres::{Manager, Pool};
use seawall_idempotency::{
    Caps, Completion, Fingerprint, Idempotency, InFlight, Lost, OnLapse, Outcome, Policy, Reserved,
    Run, Settled, Store, StoreFailure, Token,
};
use seawall_postgres::PostgresStore;
use tokio_postgres::NoTls;

use super::{ask, by, client, complete, key, number, token};
use crate::support::{PATIENCE, Postgres, Server, migrated, patient, unique};

#[tokio::test]
async fn every_answer_but_acquired_is_a_plain_read() {
    let Some(server) = Server::start() else {
        return;
    };
    let store = migrated(server.url()).await;
    let (done, open) = (ask("done", 1), ask("open", 1));
    let lapsed = ask("lapsed", 1).lease(Duration::ZERO);
    let owner = token(&store, done).await;
    assert_eq!(complete(&store, owner, b"kept").await, Settled::Done);
    token(&store, open).await;
    token(&store, lapsed).await;
    // Readers go on, and no writer does.
    let other = client(server.url()).await;
    other
        .batch_execute("BEGIN; LOCK TABLE seawall_record IN SHARE ROW EXCLUSIVE MODE")
        .await
        .unwrap();
    let again = |ask| by(ask, 2);
    let answer = async |ask| {
        let answer = tokio::time::timeout(PATIENCE / 2, store.reserve(ask));
        answer.await.expect("it waits for nobody").unwrap()
    };
    let kept = Reserved::Completed((&b"kept"[..]).into());
    assert_eq!(answer(again(done)).await, kept);
    let in_progress = matches!(answer(again(open)).await, Reserved::InProgress { .. });
    assert!(in_progress);
    let unknown = Reserved::Unknown { attempt: 1 };
    assert_eq!(answer(again(lapsed)).await, unknown);
    let mut other_print = again(open);
    other_print.fingerprint = Fingerprint::of(b"other");
    assert_eq!(answer(other_print).await, Reserved::Mismatch);
    assert!(matches!(answer(open).await, Reserved::Acquired { .. }));
}

#[tokio::test]
async fn only_the_servers_clock_counts() {
    let Some(server) = Server::start() else {
        return;
    };
    migrated(server.url()).await;
    let other = client(server.url()).await;
    for (schema, hours) in [("ahead", "1"), ("behind", "-1")] {
        // To sessions with this search path, the server is an hour away from everybody else.
        other
            .batch_execute(&format!(
                "CREATE SCHEMA {schema};
                 CREATE FUNCTION {schema}.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
                     AS $$ SELECT pg_catalog.clock_timestamp() + interval '{hours} hour' $$;
                 CREATE FUNCTION {schema}.statement_timestamp() RETURNS timestamptz LANGUAGE sql STABLE
                     AS $$ SELECT pg_catalog.statement_timestamp() + interval '{hours} hour' $$"
            ))
            .await
            .unwrap();
        let mut config: tokio_postgres::Config = server.url().parse().unwrap();
        config.options(format!("-c search_path={schema},pg_catalog,public"));
        let pool = Pool::builder(Manager::new(config, NoTls)).build().unwrap();
        let store = PostgresStore::with_pool(pool).operation_timeout(PATIENCE);
        let store = store.build().unwrap();

        let first = ask(schema, 1);
        let owner = token(&store, first).await;
        let expires = format!(
            "SELECT round((max(expires) / 1e6 - extract(epoch FROM now())) / 3600)::bigint
               FROM seawall_record WHERE fence = {}",
            owner.fence
        );
        let skewed = 24 + hours.parse::<i64>().unwrap();
        assert_eq!(number(&other, &expires).await, skewed, "the skew is real");
        let rival = ask(schema, 2).on_lapse(OnLapse::TakeOver);
        let Reserved::InProgress { lease_left } = store.reserve(rival).await.unwrap() else {
            panic!("the lease is live")
        };
        let lease = Duration::from_secs(30);
        assert!(
            lease_left <= lease && lease_left > lease - PATIENCE,
            "{lease_left:?}"
        );
        assert_eq!(
            store.renew(owner, Duration::ZERO).await.unwrap(),
            Settled::Done
        );
        let second = token(&store, rival).await;
        assert_eq!(
            complete(&store, owner, b"stale").await,
            Settled::Lost(Lost::TakenOver)
        );
        assert_eq!(complete(&store, second, b"done").await, Settled::Done);
        assert_eq!(store.sweep().await.unwrap(), 0);
        let answer = store.reserve(first).await.unwrap();
        assert_eq!(answer, Reserved::Completed((&b"done"[..]).into()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fences_increase_in_the_order_of_owners_beyond_deletion() {
    let Some(postgres) = Postgres::find() else {
        return;
    };
    let (run, last) = (unique(), Arc::new(Mutex::new(0)));
    let mut tasks = Vec::new();
    for task in 0..6 {
        let (store, run, last) = (
            migrated(postgres.url()).await,
            run.clone(),
            Arc::clone(&last),
        );
        tasks.push(tokio::spawn(async move {
            let mut owned = 0;
            for round in 0..200 {
                let ask = ask(&run, task * 1_000 + round);
                if let Reserved::Acquired { fence, .. } = store.reserve(ask).await.unwrap() {
                    owned += 1;
                    let before = std::mem::replace(&mut *last.lock().unwrap(), fence);
                    assert!(fence > before, "{fence} came after {before}");
                    let released = store.release(Token::new(ask.id, fence, ask.nonce)).await;
                    assert_eq!(released.unwrap(), Settled::Done);
                }
            }
            owned
        }));
    }
    let mut owned = 0;
    for task in tasks {
        owned += task.await.unwrap();
    }
    assert!(owned > 20, "records went from hand to hand: {owned}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_over_several_replicas_run_once_each() {
    let Some(postgres) = Postgres::find() else {
        return;
    };
    let policy = Policy::at_most_once().in_flight(InFlight::Wait { most: PATIENCE });
    let mut fronts = Vec::new();
    for _ in 0..3 {
        let store = migrated(postgres.url()).await;
        fronts.push(Idempotency::new(store, policy.clone()).unwrap());
    }
    let run = unique();
    let tasks: Vec<_> = (0..10 * 16)
        .map(|nth: usize| {
            let (front, key) = (fronts[nth % 3].clone(), key(format!("{run}-{}", nth / 16)));
            tokio::spawn(async move {
                let run = front.run(&key, b"", |_| async {
                    Ok::<_, std::io::Error>(Outcome::new(nth.to_string()))
                });
                match run.await.unwrap() {
                    Run::Executed(_) => 1,
                    Run::Replayed(_) => 0,
                    other => panic!("{other:?}"),
                }
            })
        })
        .collect();
    let mut executed = 0;
    for task in tasks {
        executed += task.await.unwrap();
    }
    assert_eq!(executed, 10);
}

#[tokio::test]
async fn what_has_expired_is_swept_in_batches_and_nothing_else_is() {
    let Some(server) = Server::start() else {
        return;
    };
    let store = migrated(server.url()).await;
    let other = client(server.url()).await;
    other
        .batch_execute(
            "INSERT INTO seawall_record
             SELECT sha256(i::text::bytea), 'print', 1, i, 1, 0,
                    ((extract(epoch FROM clock_timestamp())
                      + CASE WHEN i % 10 = 0 THEN 3600 ELSE -1 END) * 1000000)::bigint,
                    CASE WHEN i % 2 = 0 THEN 'done'::bytea END
               FROM generate_series(1, 5000) i",
        )
        .await
        .unwrap();
    let rows = async || number(&other, "SELECT count(*) FROM seawall_record").await;
    assert_eq!(Store::sweep(&store, 300).await.unwrap(), 300);
    assert_eq!(rows().await, 4_700);

    // What somebody holds is passed over, and not waited for.
    let mut holder = client(server.url()).await;
    let held = holder.transaction().await.unwrap();
    let one =
        "SELECT FROM seawall_record WHERE expires IN (SELECT min(expires) FROM seawall_record)
               ORDER BY id LIMIT 1 FOR UPDATE";
    assert_eq!(held.execute(one, &[]).await.unwrap(), 1);
    // The other sweep, of all features: at most 4,000 at a time.
    assert_eq!(store.sweep().await.unwrap(), 4_000);
    assert_eq!((store.sweep().await.unwrap(), rows().await), (199, 501));
    held.rollback().await.unwrap();
    assert_eq!((store.sweep().await.unwrap(), rows().await), (1, 500));
    assert_eq!(Store::sweep(&store, 300).await.unwrap(), 0);
}

#[tokio::test]
async fn new_records_sweep_by_themselves() {
    let Some(server) = Server::start() else {
        return;
    };
    let store = patient(server.url()).sweep_every(NonZeroU32::new(10));
    let store = store.connect().await.unwrap();
    store.migrate().await.unwrap();
    let other = client(server.url()).await;
    other
        .batch_execute("INSERT INTO seawall_record VALUES ('old', 'print', 1, 0, 1, 0, 1, NULL)")
        .await
        .unwrap();
    for nth in 0..10 {
        token(&store, ask(&format!("k{nth}"), 1)).await;
    }
    for _ in 0..1_000 {
        let left = "SELECT count(*) FROM seawall_record WHERE id = 'old'";
        if number(&other, left).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nothing is swept");
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_it_is_sent() {
    let Some(postgres) = Postgres::find() else {
        return;
    };
    let store = migrated(postgres.url()).await;
    let largest = store.caps().largest;
    assert!(largest >= Caps::ALWAYS_FITS);
    let owner = token(&store, ask(&unique(), 1)).await;
    let completion = Completion::new(owner, vec![7; largest + 1].into());
    assert_eq!(
        store.complete(&completion).await.unwrap(),
        Settled::TooLarge
    );
    assert_eq!(
        complete(&store, owner, b"less").await,
        Settled::Done,
        "it is still reserved"
    );
}

#[tokio::test]
async fn what_was_answered_is_on_disk_where_the_server_would_not_wait() {
    let Some(server) = Server::start() else {
        return;
    };
    let other = client(server.url()).await;
    let setting = "ALTER DATABASE postgres SET synchronous_commit = off";
    other.batch_execute(setting).await.unwrap();
    let store = migrated(server.url()).await;
    other
        .batch_execute(
            "CREATE TABLE seen (setting text);
             CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 INSERT INTO seen VALUES (current_setting('synchronous_commit'));
                 RETURN NEW;
             END $$;
             CREATE TRIGGER look BEFORE INSERT OR UPDATE ON seawall_record
                 FOR EACH ROW EXECUTE FUNCTION look()",
        )
        .await
        .unwrap();
    let owner = token(&store, ask("k", 1)).await;
    assert_eq!(complete(&store, owner, b"done").await, Settled::Done);
    let rows = other.query("SELECT setting FROM seen", &[]).await.unwrap();
    let seen: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(seen, ["on", "on"]);
}

#[tokio::test]
async fn without_its_table_it_refuses_and_says_why() {
    let Some(server) = Server::start() else {
        return;
    };
    let store = patient(server.url()).connect().await.unwrap();
    let missing = store.reserve(ask("k", 1)).await.unwrap_err();
    assert!(missing.to_string().contains("migrate"), "{missing}");
    assert!(!StoreFailure::from(missing).is_unavailable());
    store.migrate().await.unwrap();
    token(&store, ask("k", 1)).await;
}
