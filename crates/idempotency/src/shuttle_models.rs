//! Random schedules, by shuttle: no waiter sleeps through what it waits for, and what is shared by the
//! shards stays within its bounds.
//!
//! `RUSTFLAGS="--cfg shuttle" cargo test -p seawall-idempotency --lib --release shuttle_models`

use std::time::Duration;

use shuttle::future::block_on;
use shuttle::thread;

use crate::fingerprint::Fingerprint;
use crate::operation::RecordId;
use crate::store::{
    Completion, MemoryStore, Nonce, OnLapse, Reserve, Reserved, Settled, Store, Token,
};

const SCHEDULES: usize = 2_000;

/// Uniformly random schedules, and schedules with few but well-placed preemptions (PCT).
fn explore(f: impl Fn() + Send + Sync + Clone + 'static) {
    shuttle::check_random(f.clone(), SCHEDULES);
    shuttle::check_pct(f, SCHEDULES, 3);
}

/// A store whose time stands still: nothing ends by itself.
fn store(entries: usize) -> MemoryStore {
    let builder = MemoryStore::builder().clock(|| Duration::from_secs(1));
    builder.entries(entries).build().unwrap()
}

fn ask(id: u8, nonce: u64) -> Reserve {
    let (id, print) = (RecordId::from_bytes([id; 32]), Fingerprint::of(b""));
    Reserve::new(id, print, Nonce::from_u64(nonce)).on_lapse(OnLapse::TakeOver)
}

fn reserve(store: &MemoryStore, ask: Reserve) -> Reserved {
    let Some(Ok(answer)) = store.reserve_now(ask) else {
        panic!("memory needs no waiting")
    };
    answer
}

fn token(store: &MemoryStore, ask: Reserve) -> Option<Token> {
    match reserve(store, ask) {
        Reserved::Acquired { fence, .. } => Some(Token::new(ask.id, fence, ask.nonce)),
        _ => None,
    }
}

fn complete(store: &MemoryStore, token: Token) -> Settled {
    let completion = Completion::new(token, vec![1].into());
    let Some(Ok(settled)) = store.complete_now(&completion) else {
        panic!("memory needs no waiting")
    };
    settled
}

/// Waits as a duplicate does, without the end of its patience: a wake that is lost is a deadlock,
/// which shuttle reports.
fn wait(store: &MemoryStore, ask: Reserve) -> Reserved {
    loop {
        match reserve(store, ask) {
            Reserved::InProgress { .. } => {}
            other => return other,
        }
        block_on(store.until_changed(ask.id));
    }
}

#[test]
fn waiters_are_woken_by_a_completion() {
    explore(|| {
        let store = store(10);
        let owner = token(&store, ask(1, 1)).unwrap();
        let waiters: Vec<_> = (2..5)
            .map(|nonce| {
                let store = store.clone();
                thread::spawn(move || wait(&store, ask(1, nonce)))
            })
            .collect();
        assert_eq!(complete(&store, owner), Settled::Done);
        for waiter in waiters {
            assert!(matches!(waiter.join().unwrap(), Reserved::Completed(_)));
        }
    });
}

#[test]
fn waiters_are_woken_when_an_owner_lets_go_and_one_of_them_goes_on() {
    for is_released in [true, false] {
        explore(move || {
            let store = store(10);
            let owner = token(&store, ask(1, 1)).unwrap();
            let waiters: Vec<_> = (2..5)
                .map(|nonce| {
                    let store = store.clone();
                    thread::spawn(move || {
                        let ask = ask(1, nonce);
                        let Reserved::Acquired { fence, .. } = wait(&store, ask) else {
                            return 0;
                        };
                        let token = Token::new(ask.id, fence, ask.nonce);
                        assert_eq!(complete(&store, token), Settled::Done);
                        1
                    })
                })
                .collect();
            let settled = if is_released {
                store.release_now(owner)
            } else {
                store.renew_now(owner, Duration::ZERO)
            };
            assert_eq!(settled, Some(Ok(Settled::Done)));
            let worked: usize = waiters.into_iter().map(|w| w.join().unwrap()).sum();
            assert_eq!(worked, 1, "released: {is_released}");
        });
    }
}

#[test]
fn of_all_who_take_over_one_completes() {
    explore(|| {
        let store = store(10);
        let owner = token(&store, ask(1, 1)).unwrap();
        let rivals: Vec<_> = (2..5)
            .map(|nonce| {
                let store = store.clone();
                thread::spawn(move || {
                    let Some(token) = token(&store, ask(1, nonce)) else {
                        return false;
                    };
                    // Each is stopped beyond its lease, which is when the next takes over.
                    let _ = store.renew_now(token, Duration::ZERO);
                    complete(&store, token) == Settled::Done
                })
            })
            .collect();
        let _ = store.renew_now(owner, Duration::ZERO);
        let mut done = usize::from(complete(&store, owner) == Settled::Done);
        for rival in rivals {
            done += usize::from(rival.join().unwrap());
        }
        assert!(done <= 1, "{done} have completed");
    });
}

#[test]
fn the_bounds_hold_whoever_comes_together() {
    explore(|| {
        let store = store(2);
        let threads: Vec<_> = (1..5)
            .map(|id| {
                let store = store.clone();
                thread::spawn(move || {
                    let Some(token) = token(&store, ask(id, 1)) else {
                        return;
                    };
                    assert!(store.len() <= 2);
                    assert_eq!(store.release_now(token), Some(Ok(Settled::Done)));
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!((store.len(), store.bytes()), (0, 0));
    });
}
