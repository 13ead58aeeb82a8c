//! Totals that must come out exactly whatever the threads do. The interleavings themselves are the
//! business of the model tests.

use crate::{fail, ms, touchy_builder};
use seawall_breaker::{AfterWait, CircuitBreaker, HalfOpen, ManualClock, Ratio, Rejected, State};
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};

const THREADS: u32 = 8;

fn together(f: impl Fn(u32) + Sync) {
    let start = Barrier::new(THREADS as usize);
    let (start, f) = (&start, &f);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                start.wait();
                f(thread);
            });
        }
    });
}

#[test]
fn exactly_the_configured_number_of_failures_in_a_row_opens() {
    for _ in 0..5 {
        let breaker = CircuitBreaker::consecutive(3_000).build().unwrap();
        let reported = AtomicU32::new(0);
        together(|_| {
            for _ in 0..374 {
                fail(&breaker);
                reported.fetch_add(1, Ordering::Relaxed);
            }
        });
        assert_eq!(reported.into_inner(), 2_992);
        assert_eq!(breaker.state(), State::Closed);
        for _ in 0..8 {
            assert_eq!(breaker.state(), State::Closed);
            fail(&breaker);
        }
        assert_eq!(breaker.state(), State::Open);
    }
}

#[test]
fn windows_count_every_call() {
    let windows = [
        CircuitBreaker::count_window(5_000).min_calls(5_000),
        CircuitBreaker::time_window(ms(1_000)).min_calls(5_000),
    ];
    for builder in windows {
        let breaker = builder.clock(ManualClock::new()).build().unwrap();
        together(|thread| {
            for call in 0..500 {
                let permit = breaker.try_acquire().unwrap();
                if (call + thread) % 4 == 0 {
                    permit.failure();
                } else {
                    permit.success();
                }
            }
        });
        let counts = breaker.snapshot().counts;
        assert_eq!(
            (counts.calls, counts.failures),
            (THREADS * 500, THREADS * 125)
        );
    }
}

#[test]
fn a_small_window_never_holds_more_than_its_size() {
    let builder = CircuitBreaker::count_window(10).failure_rate(Ratio::ONE);
    let breaker = builder.build().unwrap();
    together(|thread| {
        for call in 0..1_000 {
            let Ok(permit) = breaker.try_acquire() else {
                return;
            };
            if (call + thread) % 2 == 0 {
                permit.failure();
            } else {
                permit.success();
            }
            let counts = breaker.snapshot().counts;
            assert!(counts.calls <= 10 && counts.failures <= counts.calls);
        }
    });
}

#[test]
fn the_end_of_the_wait_lets_exactly_the_permits_through() {
    for permits in [1, 3] {
        let clock = ManualClock::new();
        let probes = HalfOpen::all_of(5)
            .permits(permits)
            .max_wait(None, AfterWait::Reprobe);
        let breaker = touchy_builder(&clock).half_open(probes).build().unwrap();
        for _ in 0..60 {
            breaker.open_for(ms(100));
            clock.advance(ms(100));
            let admitted = AtomicU32::new(0);
            let all_asked = Barrier::new(THREADS as usize);
            together(|_| {
                let permit = breaker.try_acquire();
                admitted.fetch_add(u32::from(permit.is_ok()), Ordering::Relaxed);
                assert!(permit.as_ref().err().is_none_or(is_half_open));
                all_asked.wait();
            });
            assert_eq!(admitted.into_inner(), permits);
        }
    }
}

fn is_half_open(rejected: &Rejected) -> bool {
    rejected.state() == State::HalfOpen
}
