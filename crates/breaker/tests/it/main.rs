//! What a user of the breaker can rely on.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    missing_docs,
    reason = "tests"
)]

mod calls;
mod cancel;
mod clocks;
mod config;
mod history;
mod observer;
mod operator;
mod registry;
mod threads;

use seawall_breaker::{AfterWait, Builder, CircuitBreaker, HalfOpen, ManualClock};
use std::time::Duration;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Opens at the first failure, for 100 ms, and then wants one success.
fn touchy() -> (CircuitBreaker, ManualClock) {
    let clock = ManualClock::new();
    (touchy_builder(&clock).build().unwrap(), clock)
}

fn touchy_builder(clock: &ManualClock) -> Builder {
    CircuitBreaker::consecutive(1)
        .reset_timeout(ms(100))
        .half_open(HalfOpen::all_of(1).max_wait(None, AfterWait::Reprobe))
        .clock(clock.clone())
}

fn fail(breaker: &CircuitBreaker) {
    breaker.try_acquire().unwrap().failure();
}
