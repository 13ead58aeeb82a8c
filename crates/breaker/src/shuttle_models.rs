//! Random schedules, by shuttle, for what has too many interleavings to try them all: the ring and
//! the buckets under several threads.
//!
//! `RUSTFLAGS="--cfg shuttle" cargo test -p seawall-breaker --lib --release shuttle_models`

use crate::judge::Counts;
use crate::outcome::Sample;
use crate::window::{Buckets, Ring};
use crate::{AfterWait, CircuitBreaker, HalfOpen, ManualClock, State};
use shuttle::sync::atomic::{AtomicU32, Ordering};
use shuttle::thread;
use std::sync::Arc;
use std::time::Duration;

const SCHEDULES: usize = 1_000;

/// Uniformly random schedules, and schedules with few but well-placed preemptions (PCT).
fn explore(f: impl Fn() + Send + Sync + Clone + 'static) {
    shuttle::check_random(f.clone(), SCHEDULES);
    shuttle::check_pct(f, SCHEDULES, 3);
}

fn all(handles: Vec<thread::JoinHandle<()>>) {
    for handle in handles {
        handle.join().unwrap();
    }
}

/// Each thread's calls, some bad, some slow.
fn sample(thread: u32, call: u32) -> Sample {
    Sample {
        bad: (thread + call) % 2 == 0,
        slow: (thread * 3 + call) % 4 == 0,
    }
}

#[test]
fn the_tally_of_a_ring_is_the_sum_of_its_slots() {
    explore(|| {
        let ring = Arc::new(Ring::new(3));
        let threads = (0..4).map(|thread| {
            let ring = Arc::clone(&ring);
            thread::spawn(move || {
                for call in 0..4 {
                    ring.record(1, sample(thread, call), || true);
                }
            })
        });
        all(threads.collect());
        let Counts {
            calls,
            failures,
            slow,
        } = ring.counts(1);
        assert_eq!(calls, 3);
        assert_eq!((failures, slow), ring.recount(1));
    });
}

#[test]
fn a_ring_of_one_generation_is_not_touched_by_another() {
    explore(|| {
        let ring = Arc::new(Ring::new(3));
        let current = Arc::new(AtomicU32::new(1));
        let threads = (0..4).map(|thread| {
            let (ring, current) = (Arc::clone(&ring), Arc::clone(&current));
            thread::spawn(move || {
                for call in 0..3 {
                    let generation = current.load(Ordering::Acquire);
                    let live = || current.load(Ordering::Acquire) == generation;
                    ring.record(generation, sample(thread, call), live);
                }
            })
        });
        let threads = threads.collect();
        current.store(2, Ordering::Release);
        current.store(3, Ordering::Release);
        // From here on only this generation counts, whoever of the others is still at it.
        for _ in 0..5 {
            ring.record(
                3,
                Sample {
                    bad: true,
                    slow: false,
                },
                || true,
            );
        }
        all(threads);
        assert_eq!(ring.counts(3).calls, 3);
        let Counts { failures, slow, .. } = ring.counts(3);
        assert_eq!((failures, slow), ring.recount(3));
    });
}

#[test]
fn buckets_lose_no_call_of_the_present() {
    explore(|| {
        let buckets = Arc::new(Buckets::new(4, 10, 100, true));
        let threads = (0..4).map(|thread| {
            let buckets = Arc::clone(&buckets);
            thread::spawn(move || {
                for call in 0..4 {
                    // All within the window, in different buckets.
                    let now = || u64::from(call) * 10;
                    buckets.record(1, sample(thread, call), || true, now);
                }
            })
        });
        all(threads.collect());
        let bad = |f: fn(Sample) -> bool| {
            let calls = (0..4).flat_map(|thread| (0..4).map(move |call| sample(thread, call)));
            u32::try_from(calls.filter(|sample| f(*sample)).count()).unwrap()
        };
        let expected = Counts {
            calls: 16,
            failures: bad(|sample| sample.bad),
            slow: bad(|sample| sample.slow),
        };
        assert_eq!(buckets.counts(1, 30), expected);
    });
}

#[test]
fn buckets_of_one_generation_are_not_touched_by_another() {
    explore(|| {
        let buckets = Arc::new(Buckets::new(2, 10, 100, true));
        let current = Arc::new(AtomicU32::new(1));
        let threads = (0..4).map(|thread| {
            let (buckets, current) = (Arc::clone(&buckets), Arc::clone(&current));
            thread::spawn(move || {
                for call in 0..3 {
                    let generation = current.load(Ordering::Acquire);
                    if generation == 2 {
                        return;
                    }
                    let live = || current.load(Ordering::Acquire) == generation;
                    buckets.record(generation, sample(thread, call), live, || 0);
                }
            })
        });
        let threads = threads.collect();
        current.store(2, Ordering::Release);
        for _ in 0..3 {
            buckets.record(
                2,
                Sample {
                    bad: true,
                    slow: false,
                },
                || true,
                || 0,
            );
        }
        all(threads);
        assert_eq!(
            buckets.counts(2, 0),
            Counts {
                calls: 3,
                failures: 3,
                slow: 0
            }
        );
    });
}

#[test]
fn half_open_never_admits_more_than_it_may() {
    explore(|| {
        let clock = ManualClock::new();
        let probes = HalfOpen::all_of(4)
            .permits(2)
            .max_wait(None, AfterWait::Reprobe);
        let breaker = CircuitBreaker::consecutive(1)
            .reset_timeout(Duration::from_millis(100))
            .half_open(probes)
            .clock(clock.clone());
        let breaker = Arc::new(breaker.build().unwrap());
        breaker.try_acquire().unwrap().failure();
        clock.advance(Duration::from_millis(100));
        let out = Arc::new(AtomicU32::new(0));
        let threads = (0..5).map(|thread| {
            let (breaker, out) = (Arc::clone(&breaker), Arc::clone(&out));
            thread::spawn(move || {
                let Ok(permit) = breaker.try_acquire() else {
                    return;
                };
                let beside = out.fetch_add(1, Ordering::SeqCst);
                // Closed by the others meanwhile, it admits anybody.
                assert!(beside < 2 || breaker.state() == State::Closed);
                thread::yield_now();
                out.fetch_sub(1, Ordering::SeqCst);
                if thread % 2 == 0 {
                    permit.success()
                } else {
                    drop(permit)
                }
            })
        });
        all(threads.collect());
        let snapshot = breaker.snapshot();
        assert_eq!(snapshot.probes, 0);
        assert!(matches!(snapshot.state, State::HalfOpen | State::Closed));
    });
}
