//! Clocks that jump, stand still or start anywhere.

use crate::{fail, ms, touchy};
use seawall_breaker::{CircuitBreaker, Clock, ManualClock, State};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

#[test]
fn a_clock_that_goes_back_keeps_it_open_for_as_much_longer() {
    let (breaker, clock) = touchy();
    clock.set(ms(1_000));
    fail(&breaker);
    clock.set(ms(900));
    assert_eq!(breaker.retry_after(), Some(ms(200)));
    clock.set(ms(1_100));
    assert_eq!(breaker.state(), State::HalfOpen);
}

#[test]
fn a_clock_that_leaps_ahead_only_ends_the_wait() {
    let (breaker, clock) = touchy();
    fail(&breaker);
    clock.set(Duration::MAX);
    let probe = breaker.try_acquire().unwrap();
    assert!(breaker.try_acquire().is_err());
    probe.success();
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_time_window_sees_failures_after_the_clock_went_back() {
    let clock = ManualClock::new();
    let breaker = CircuitBreaker::time_window(ms(1_000))
        .min_calls(3)
        .clock(clock.clone());
    let breaker = breaker.build().unwrap();
    clock.set(ms(600_000));
    for _ in 0..20 {
        breaker.try_acquire().unwrap().success();
        clock.advance(ms(50));
    }
    clock.set(ms(10));
    for _ in 0..3 {
        fail(&breaker);
    }
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn the_origin_of_the_clock_does_not_matter() {
    let clock = ManualClock::new();
    clock.set(Duration::from_secs(1_900_000_000));
    let breaker = CircuitBreaker::consecutive(1)
        .reset_timeout(ms(100))
        .clock(clock.clone());
    let breaker = breaker.build().unwrap();
    fail(&breaker);
    assert_eq!(breaker.retry_after(), Some(ms(100)));
}

#[derive(Default)]
struct Counting {
    coarse: AtomicU32,
    precise: AtomicU32,
}

impl Clock for Counting {
    fn now(&self) -> Duration {
        self.precise.fetch_add(1, Ordering::Relaxed);
        Duration::ZERO
    }

    fn coarse(&self) -> Duration {
        self.coarse.fetch_add(1, Ordering::Relaxed);
        Duration::ZERO
    }
}

fn readings(builder: seawall_breaker::Builder, calls: u32) -> (u32, u32) {
    let clock = Arc::new(Counting::default());
    let breaker = builder.clock(Arc::clone(&clock)).build().unwrap();
    let read = |count: &AtomicU32| count.load(Ordering::Relaxed);
    let before = (read(&clock.coarse), read(&clock.precise));
    for call in 0..calls {
        let permit = breaker.try_acquire().unwrap();
        if call % 8 == 0 {
            permit.failure();
        } else {
            permit.success();
        }
    }
    (
        read(&clock.coarse) - before.0,
        read(&clock.precise) - before.1,
    )
}

#[test]
fn closed_and_counting_it_reads_no_clock() {
    assert_eq!(readings(CircuitBreaker::consecutive(5), 100), (0, 0));
    assert_eq!(readings(CircuitBreaker::count_window(20), 100), (0, 0));
    assert_eq!(readings(CircuitBreaker::count_window(100), 100), (0, 0));
    assert_eq!(readings(CircuitBreaker::k_of_n(5, 10), 100), (0, 0));
}

#[test]
fn a_time_window_reads_the_coarse_clock_and_slow_calls_the_precise_one() {
    assert_eq!(
        readings(CircuitBreaker::time_window(ms(1_000)), 100),
        (100, 0)
    );
    let slow = CircuitBreaker::count_window(20).slow_calls(ms(10), seawall_breaker::Ratio::ONE);
    assert_eq!(readings(slow, 100), (0, 200));
}

#[test]
fn the_system_clock_ends_a_wait() {
    let breaker = CircuitBreaker::consecutive(1)
        .reset_timeout(ms(1))
        .build()
        .unwrap();
    fail(&breaker);
    while breaker.state() != State::HalfOpen {
        std::thread::yield_now();
    }
    breaker.try_acquire().unwrap().success();
    assert_eq!(breaker.state(), State::Closed);
}
