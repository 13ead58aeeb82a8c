//! What a replay costs over a server, beside the least that it can be: a row read by its key.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use deadpool_postgres::{Manager, Pool};
use seawall_idempotency::{Fingerprint, Nonce, RecordId, Reserve, Reserved, Store};
use seawall_postgres::{PostgresStore, tokio_postgres};
use throwaway::{Disk, Kind, Server};
use tokio::runtime::{Builder, Runtime};

use crate::{
    area::{Area, Case},
    work::{Work, timed},
};

/// The cases of stores of records over PostgreSQL, beside those of the area in memory.
#[must_use]
pub fn area() -> Area {
    Area::new("idempotency").case(
        Case::new("postgres-replay", replay)
            .peer("select", select)
            .rounds(101)
            .needing(programs),
    )
}

/// Enough for an index of several levels.
const RECORDS: u64 = 100_000;

/// Completed records with a payload of 512 bytes.
const FILL: &str = "INSERT INTO seawall_record
    SELECT decode(lpad(to_hex(i), 64, '0'), 'hex'), decode('FINGERPRINT', 'hex'), i, nextval('seawall_record_fence'), 1,
           0, 9000000000000000, decode(repeat('ab', 512), 'hex')
      FROM generate_series(0, 99999) i;
    VACUUM ANALYZE seawall_record";

/// What one side reads over: a connection of its own to a server that both share.
struct Side {
    runtime: Runtime,
    server: Arc<Server>,
}

fn programs() -> Result<(), String> {
    for program in Kind::Postgres.programs() {
        program.find().map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn side() -> Side {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be built");
    let server = server(&runtime);
    Side { runtime, server }
}

/// The server of the other side, if that has started it.
fn server(runtime: &Runtime) -> Arc<Server> {
    static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(server) = shared.upgrade() {
        return server;
    }
    let server = Server::start(Kind::Postgres, Disk::Nothing, &|| false).expect("a server");
    let server = Arc::new(server);
    runtime.block_on(async {
        let store = store(&server).await;
        store.migrate().await.expect("tables");
        let (client, connection) = tokio_postgres::connect(&server.url(), tokio_postgres::NoTls)
            .await
            .expect("a connection");
        tokio::spawn(connection);
        let print = hex(Fingerprint::of(b"{}").as_bytes());
        for statement in FILL.replace("FINGERPRINT", &print).split(';') {
            client.batch_execute(statement).await.expect("records");
        }
    });
    *shared = Arc::downgrade(&server);
    server
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn store(server: &Server) -> PostgresStore {
    let store = PostgresStore::builder(server.url()).operation_timeout(Duration::from_secs(10));
    store.connect().await.expect("a store")
}

/// Goes through the records in no order that a cache would like.
struct Ids(u64);

impl Ids {
    fn next(&mut self) -> [u8; 32] {
        self.0 = (self.0 + 61_803) % RECORDS;
        let mut id = [0; 32];
        id[24..].copy_from_slice(&self.0.to_be_bytes());
        id
    }
}

fn replay() -> Work {
    let Side { runtime, server } = side();
    let store = runtime.block_on(store(&server));
    let (mut ids, print, mut nonce) = (Ids(0), Fingerprint::of(b"{}"), 1 << 32);
    timed(move |operations| {
        // Kept as long as its client.
        let _ = &server;
        runtime.block_on(async {
            let start = Instant::now();
            for _ in 0..operations {
                nonce += 1;
                let id = RecordId::from_bytes(ids.next());
                let ask = Reserve::new(id, print, Nonce::from_u64(nonce));
                let answer = store.reserve(ask).await.expect("an answer");
                let Reserved::Completed(payload) = answer else {
                    panic!("a replay, and not {answer:?}")
                };
                assert_eq!(payload.len(), 512);
            }
            start.elapsed()
        })
    })
}

/// The same client over the same kind of pool, with a prepared statement.
fn select() -> Work {
    let Side { runtime, server } = side();
    let config = server.url().parse().expect("an address");
    let manager = Manager::new(config, tokio_postgres::NoTls);
    let pool = Pool::builder(manager).build().expect("a pool");
    let mut ids = Ids(0);
    timed(move |operations| {
        let _ = &server;
        runtime.block_on(async {
            let start = Instant::now();
            for _ in 0..operations {
                let id = ids.next();
                let client = pool.get().await.expect("a connection");
                let select = "SELECT payload FROM seawall_record WHERE id = $1";
                let select = client.prepare_cached(select).await.expect("a statement");
                let row = client.query_one(&select, &[&&id[..]]).await.expect("a row");
                assert_eq!(row.get::<_, Vec<u8>>(0).len(), 512);
            }
            start.elapsed()
        })
    })
}
