//! What an operator overrules, and what survives a restart.

use crate::{fail, ms, touchy, touchy_builder};
use seawall_breaker::{CircuitBreaker, ManualClock, Snapshot, State};
use std::time::Duration;

#[test]
fn forced_open_has_no_end_of_its_own() {
    let (breaker, clock) = touchy();
    breaker.force_open();
    clock.advance(Duration::from_secs(1_000_000));
    let rejected = breaker.try_acquire().unwrap_err();
    assert_eq!(
        (rejected.state(), rejected.retry_after()),
        (State::ForcedOpen, None)
    );
    breaker.reset();
    assert!(breaker.try_acquire().is_ok());
}

#[test]
fn open_for_has_the_length_that_was_asked_for() {
    let (breaker, clock) = touchy();
    breaker.open_for(ms(2_345));
    assert_eq!(breaker.retry_after(), Some(ms(2_345)));
    clock.advance(ms(2_345));
    assert_eq!(breaker.state(), State::HalfOpen);
    breaker.open_for(Duration::MAX);
    assert_eq!(
        breaker.retry_after(),
        Some(Duration::from_secs(366 * 24 * 3600))
    );
}

#[test]
fn probing_need_not_wait() {
    let (breaker, _) = touchy();
    fail(&breaker);
    breaker.probe_now();
    breaker.try_acquire().unwrap().success();
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_permit_from_before_changes_nothing_after() {
    let (breaker, _) = touchy();
    let before = breaker.try_acquire().unwrap();
    breaker.reset();
    before.failure();
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn reading_the_state_changes_nothing() {
    let (breaker, clock) = touchy();
    fail(&breaker);
    clock.advance(ms(100));
    let before = breaker.snapshot();
    assert_eq!(
        (breaker.state(), before.state),
        (State::HalfOpen, State::HalfOpen)
    );
    assert_eq!(breaker.snapshot(), before);
}

/// Opened three times in a row, the last time for 400 ms.
fn battered(clock: &ManualClock) -> CircuitBreaker {
    let breaker = touchy_builder(clock)
        .backoff(2.0, ms(10_000))
        .build()
        .unwrap();
    for wait in [100, 200] {
        fail(&breaker);
        clock.advance(ms(wait));
    }
    fail(&breaker);
    breaker
}

#[test]
fn a_snapshot_carries_the_rest_of_the_wait_and_the_openings() {
    let clock = ManualClock::new();
    let old = battered(&clock);
    clock.advance(ms(150));
    let snapshot = old.snapshot();
    assert_eq!((snapshot.state, snapshot.opens), (State::Open, 3));
    assert_eq!(snapshot.retry_after, Some(ms(250)));

    let new = touchy_builder(&clock)
        .backoff(2.0, ms(10_000))
        .build()
        .unwrap();
    new.restore(&snapshot.aged(ms(100)));
    assert_eq!(new.retry_after(), Some(ms(150)));
    clock.advance(ms(150));
    fail(&new);
    assert_eq!(
        new.retry_after(),
        Some(ms(800)),
        "the fourth opening in a row"
    );
}

#[test]
fn a_wait_that_passed_meanwhile_is_over() {
    let clock = ManualClock::new();
    let snapshot = battered(&clock).snapshot().aged(Duration::from_secs(3_600));
    let new = touchy_builder(&clock).build().unwrap();
    new.restore(&snapshot);
    assert_eq!(new.state(), State::HalfOpen);
    assert!(new.try_acquire().is_ok());
}

#[test]
fn half_open_comes_back_ready_for_new_probes() {
    let (old, clock) = touchy();
    fail(&old);
    clock.advance(ms(100));
    let _probe = old.try_acquire().unwrap();
    let snapshot = old.snapshot();
    assert_eq!((snapshot.state, snapshot.probes), (State::HalfOpen, 1));
    let (new, _) = touchy();
    new.restore(&snapshot);
    assert_eq!(new.state(), State::HalfOpen);
    assert!(new.try_acquire().is_ok());
}

#[test]
fn every_other_state_comes_back_as_it_was() {
    let (old, _) = touchy();
    let states: [fn(&CircuitBreaker); 4] = [
        CircuitBreaker::reset,
        CircuitBreaker::force_open,
        CircuitBreaker::disable,
        CircuitBreaker::metrics_only,
    ];
    for enter in states {
        enter(&old);
        let (new, _) = touchy();
        new.restore(&old.snapshot());
        assert_eq!(new.state(), old.state());
    }
}

#[test]
fn a_new_breaker_is_the_default_snapshot() {
    assert_eq!(touchy().0.snapshot(), Snapshot::default());
}

#[test]
fn jitter_repeats_with_its_seed_and_is_what_the_caller_is_told() {
    let wait = |seed| {
        let clock = ManualClock::new();
        let jitter = seawall_breaker::Ratio::percent(50);
        let breaker = touchy_builder(&clock)
            .jitter(jitter)
            .jitter_seed(seed)
            .build()
            .unwrap();
        fail(&breaker);
        let wait = breaker.retry_after().unwrap();
        clock.advance(wait - ms(1));
        assert!(breaker.try_acquire().is_err());
        clock.advance(ms(1));
        assert!(breaker.try_acquire().is_ok());
        wait
    };
    assert_eq!(wait(1), wait(1));
    let waits: Vec<Duration> = (0..50).map(wait).collect();
    assert!(
        waits.iter().all(|wait| (ms(50)..=ms(150)).contains(wait)),
        "{waits:?}"
    );
    assert!(waits.iter().max() > waits.iter().min());
}

#[test]
fn while_probes_are_out_the_wait_is_a_hint_of_a_second_at_most() {
    for (base, hint) in [(30_000, 1_000), (250, 250)] {
        let clock = ManualClock::new();
        let breaker = touchy_builder(&clock)
            .reset_timeout(ms(base))
            .build()
            .unwrap();
        breaker.probe_now();
        let _probe = breaker.try_acquire().unwrap();
        let rejected = breaker.try_acquire().unwrap_err();
        assert_eq!(
            (rejected.state(), rejected.retry_after()),
            (State::HalfOpen, Some(ms(hint)))
        );
    }
}
