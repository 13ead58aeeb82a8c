//! What remembering costs, beside a map that remembers and promises nothing, and what sharing the
//! disk's wait is worth.

mod layer;

use std::fs::File;
use std::hint::black_box;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use dashmap::DashMap;
use seawall_idempotency::{
    Completion, Fingerprint, Idempotency, IdempotencyKey, MemoryStore, Nonce, Outcome, Policy,
    RecordId, Reserve, Reserved, Settled, Store, Token,
};
use seawall_sqlite::SqliteStore;
use tokio::runtime::{Builder, Runtime};

use crate::{
    area::{Area, Case},
    work::{Work, figure, repeat, threads},
};

/// The cases.
#[must_use]
pub fn area() -> Area {
    Area::new("idempotency")
        .case(Case::new("memory-new-1kib", remembered).peer("dashmap", inserted))
        .case(
            Case::new("memory-new-1kib-2-threads", remembered_by_two)
                .peer("dashmap", inserted_by_two),
        )
        .case(
            Case::new("sqlite-64-tasks", || figure(at_once(&durable())))
                .peer("one-at-a-time", || figure(in_turn(&durable())))
                .needing(disk_waits)
                .rounds(5),
        )
        .case(layer::first())
        .case(layer::replay())
        .case(layer::keyless())
        .case(layer::keyless_allocations())
}

/// A usual answer.
const BODY: [u8; 1024] = [b'x'; 1024];

/// So short that what one turn has left is gone in the next, as it is in a store that runs for days.
const RETENTION: Duration = Duration::from_millis(8);

fn ask(step: u64) -> Reserve {
    let mut id = [0; 32];
    id[..8].copy_from_slice(&step.to_be_bytes());
    let (id, print) = (RecordId::from_bytes(id), Fingerprint::from_bytes([7; 32]));
    Reserve::new(id, print, Nonce::from_u64(step))
        .lease(RETENTION / 2)
        .retention(RETENTION)
}

/// Reserved and completed, as for every request that is new.
fn remember(store: &MemoryStore, ask: Reserve) -> Settled {
    let Some(Ok(Reserved::Acquired { fence, .. })) = store.reserve_now(ask) else {
        panic!("every record is a new one, and there is room");
    };
    let token = Token::new(ask.id, fence, ask.nonce);
    let completion = Completion::new(token, Bytes::copy_from_slice(black_box(&BODY)));
    match store.complete_now(&completion) {
        Some(Ok(settled)) => settled,
        None => panic!("memory needs no waiting"),
    }
}

fn remembered() -> Work {
    let store = MemoryStore::new();
    let mut step = 0;
    repeat(move || {
        step += 1;
        remember(&store, ask(step))
    })
}

fn remembered_by_two() -> Work {
    let store = MemoryStore::new();
    threads(2, move |turn| {
        remember(&store, ask((turn.step << 1) | turn.thread as u64))
    })
}

/// About as many as ours holds at a time. A key that comes again frees the value that it had.
const KEYS: usize = 16_384;

type Map = DashMap<String, Bytes>;

fn keys() -> Vec<String> {
    (0..KEYS).map(|nth| format!("customer-{nth:07}")).collect()
}

fn insert(map: &Map, key: &str) -> usize {
    let body = Bytes::copy_from_slice(black_box(&BODY));
    map.insert(key.to_owned(), body);
    map.get(key).map_or(0, |body| body.len())
}

fn inserted() -> Work {
    let (map, keys) = (Map::new(), keys());
    let mut step = 0;
    repeat(move || {
        step += 1;
        insert(&map, &keys[step % KEYS])
    })
}

fn inserted_by_two() -> Work {
    let (map, keys) = (Map::new(), keys());
    threads(2, move |turn| {
        let step = usize::try_from(turn.step).unwrap_or_default() * 2 + turn.thread;
        insert(&map, &keys[step % KEYS])
    })
}

/// A front whose commits are on disk before they are answered, on a file of its own.
struct Durable {
    front: Idempotency<SqliteStore>,
    runtime: Runtime,
    _folder: tempfile::TempDir,
}

fn durable() -> Arc<Durable> {
    let folder = tempfile::tempdir().expect("there is room for a file");
    let store = SqliteStore::open(folder.path().join("records.db")).expect("a new file");
    let front = Idempotency::new(store, Policy::at_least_once()).expect("a policy that works");
    let runtime = Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    Arc::new(Durable {
        front,
        runtime,
        _folder: folder,
    })
}

async fn run(front: &Idempotency<SqliteStore>, nth: u64) {
    let key = IdempotencyKey::new(format!("order-{nth}")).expect("a key");
    let work = |_| async { Ok::<_, std::io::Error>(Outcome::new(&BODY[..])) };
    let ran = front.run(&key, b"", work).await;
    assert!(ran.is_ok_and(|ran| ran.outcome().is_some()));
}

const TASKS: u64 = 64;

/// Nanoseconds an operation, where 64 of them wait for the disk together.
fn at_once(durable: &Arc<Durable>) -> impl FnMut() -> f64 + 'static {
    const EACH: u64 = 4;
    let durable = Arc::clone(durable);
    let mut next = 0;
    move || {
        let first = next;
        next += TASKS * EACH;
        let front = &durable.front;
        timed_each(TASKS * EACH, || {
            durable.runtime.block_on(async {
                let tasks: Vec<_> = (0..TASKS)
                    .map(|task| {
                        let front = front.clone();
                        tokio::spawn(async move {
                            for nth in 0..EACH {
                                run(&front, first + task * EACH + nth).await;
                            }
                        })
                    })
                    .collect();
                for task in tasks {
                    task.await.expect("no task panics");
                }
            });
        })
    }
}

/// The same, one after the other.
fn in_turn(durable: &Arc<Durable>) -> impl FnMut() -> f64 + 'static {
    const OPERATIONS: u64 = 16;
    let durable = Arc::clone(durable);
    let mut next = 0;
    move || {
        let first = next;
        next += OPERATIONS;
        timed_each(OPERATIONS, || {
            durable.runtime.block_on(async {
                for nth in first..next {
                    run(&durable.front, nth).await;
                }
            });
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "some hundred operations")]
fn timed_each(operations: u64, work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e9 / operations as f64
}

/// Where the disk is as fast as this, there is no wait to share, and nothing to measure.
const SLOW_ENOUGH: Duration = Duration::from_millis(1);

fn disk_waits() -> Result<(), String> {
    let folder = tempfile::tempdir().expect("there is room for a file");
    let mut file = File::create(folder.path().join("probe")).expect("a new file");
    let mut waits: Vec<_> = (0..15)
        .map(|_| {
            let start = Instant::now();
            file.write_all(&[0; 4096]).expect("there is room for it");
            file.sync_data().expect("the disk works");
            start.elapsed()
        })
        .collect();
    waits.sort_unstable();
    let median = waits[waits.len() / 2];
    if median < SLOW_ENOUGH {
        return Err(format!(
            "fsync takes {median:.0?}; it takes {SLOW_ENOUGH:?} to have a wait to share"
        ));
    }
    Ok(())
}
