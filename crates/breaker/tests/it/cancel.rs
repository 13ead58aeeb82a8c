//! Futures and permits that are dropped before they say anything.

use crate::{ms, touchy, touchy_builder};
use seawall_breaker::{
    AfterWait, CircuitBreaker, DropPolicy, HalfOpen, ManualClock, Outcome, State,
};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

#[test]
fn a_dropped_call_is_neutral_by_default() {
    let (breaker, _) = touchy();
    drop(breaker.try_acquire().unwrap());
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn or_a_failure() {
    let clock = ManualClock::new();
    let breaker = touchy_builder(&clock)
        .on_drop(DropPolicy::Failure)
        .build()
        .unwrap();
    drop(breaker.try_acquire().unwrap());
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn or_a_failure_when_it_was_old() {
    let clock = ManualClock::new();
    let policy = DropPolicy::FailureIfOlder(ms(500));
    let breaker = touchy_builder(&clock).on_drop(policy).build().unwrap();
    let (young, old) = (
        breaker.try_acquire().unwrap(),
        breaker.try_acquire().unwrap(),
    );
    clock.advance(ms(499));
    drop(young);
    assert_eq!(breaker.state(), State::Closed);
    clock.advance(ms(1));
    drop(old);
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn or_what_a_closure_says() {
    let clock = ManualClock::new();
    let policy = DropPolicy::decide(|age| Outcome::FailureFor(age * 10));
    let breaker = touchy_builder(&clock).on_drop(policy).build().unwrap();
    let permit = breaker.try_acquire().unwrap();
    clock.advance(ms(50));
    drop(permit);
    assert_eq!(breaker.retry_after(), Some(ms(500)));
}

#[test]
fn a_closure_that_panics_still_gives_the_place_back() {
    let clock = ManualClock::new();
    let policy = DropPolicy::decide(|_| std::panic::resume_unwind(Box::new(())));
    let breaker = touchy_builder(&clock).on_drop(policy).build().unwrap();
    breaker.probe_now();
    let probe = breaker.try_acquire().unwrap();
    let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(probe)));
    dropped.unwrap_err();
    assert_eq!(breaker.snapshot().probes, 0);
    breaker.try_acquire().unwrap().success();
}

#[test]
fn a_timeout_around_the_breaker_can_open_it() {
    // The order in which a hang arrives as a drop and nothing else.
    let clock = ManualClock::new();
    let policy = DropPolicy::FailureIfOlder(ms(900));
    let breaker = CircuitBreaker::consecutive(5)
        .on_drop(policy)
        .clock(clock.clone());
    let breaker = breaker.build().unwrap();
    for _ in 0..5 {
        assert_eq!(breaker.state(), State::Closed);
        let mut run = Box::pin(breaker.run(std::future::pending::<Result<(), ()>>));
        assert!(poll_once(run.as_mut()).is_none());
        clock.advance(ms(1_000));
    }
    assert_eq!(breaker.state(), State::Open);
}

fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// A call that is pending so many times and then ends.
async fn work(polls: u32, good: bool) -> Result<(), ()> {
    let mut left = polls;
    poll_fn(|_| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        Poll::Pending
    })
    .await;
    if good { Ok(()) } else { Err(()) }
}

type Calls<'a> = Vec<(u32, Pin<Box<dyn Future<Output = bool> + Send + 'a>>)>;

/// Marsaglia's xorshift: the same drops in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as u32 % sides
    }
}

/// Keeps eight calls going, each of which is dropped after a random number of polls unless it ends
/// before, until so many were dropped after they had been admitted.
fn storm(breaker: &CircuitBreaker, clock: &ManualClock, dice: &mut Dice, drops: u32) {
    let mut calls: Calls<'_> = Vec::new();
    let mut dropped = 0;
    while dropped < drops {
        let (polls, good) = (dice.roll(6), dice.roll(3) > 0);
        let run = async move { breaker.run(|| work(polls, good)).await.is_ok() };
        calls.push((1 + dice.roll(4), Box::pin(run)));
        calls.retain_mut(|(life, call)| {
            if *life == 0 {
                dropped += 1;
                return false;
            }
            *life -= 1;
            poll_once(call.as_mut()).is_none()
        });
        clock.advance(ms(u64::from(dice.roll(10))));
        let probes = breaker.snapshot().probes;
        assert!(probes <= 2, "{probes} probes where 2 are allowed");
        assert!(probes as usize <= calls.len());
    }
}

#[test]
fn ten_thousand_dropped_futures_never_wedge_it_and_never_lose_a_place() {
    let policies = [
        DropPolicy::Neutral,
        DropPolicy::Failure,
        DropPolicy::FailureIfOlder(ms(10)),
        DropPolicy::decide(|age| {
            if age < ms(5) {
                Outcome::Success
            } else {
                Outcome::Ignored
            }
        }),
    ];
    for (seed, policy) in (1..).zip(policies) {
        let clock = ManualClock::new();
        let breaker = CircuitBreaker::consecutive(2)
            .reset_timeout(ms(20))
            .half_open(
                HalfOpen::all_of(3)
                    .permits(2)
                    .max_wait(None, AfterWait::Reprobe),
            )
            .on_drop(policy)
            .clock(clock.clone())
            .build()
            .unwrap();
        storm(&breaker, &clock, &mut Dice(seed), 2_500);
        assert_eq!(breaker.snapshot().probes, 0);
        assert!(
            breaker.snapshot().generation > 100,
            "it opened and closed all the time"
        );
        breaker.probe_now();
        let probes = [
            breaker.try_acquire(),
            breaker.try_acquire(),
            breaker.try_acquire(),
        ];
        assert_eq!(probes.map(|probe| probe.is_ok()), [true, true, false]);
    }
}

#[test]
fn permits_dropped_on_many_threads_leave_no_place_taken() {
    let clock = ManualClock::new();
    let half_open = HalfOpen::all_of(1_000)
        .permits(3)
        .max_wait(None, AfterWait::Reprobe);
    let breaker = Arc::new(touchy_builder(&clock).half_open(half_open).build().unwrap());
    breaker.probe_now();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..2_500 {
                    drop(breaker.try_acquire());
                }
            });
        }
    });
    assert_eq!(breaker.snapshot().probes, 0);
    let held: Vec<_> = (0..5).filter_map(|_| breaker.try_acquire().ok()).collect();
    assert_eq!(held.len(), 3);
}
