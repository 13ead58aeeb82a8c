//! Closures, futures and what their results count as.

use crate::{fail, ms, touchy, touchy_builder};
use futures::executor::block_on;
use seawall_breaker::{
    ByResult, CircuitBreaker, Classify, Clock, Config, ConfigError, DropPolicy, Error, ManualClock,
    Observer, Outcome, OwnedPermit, Permit, Registry, Rejected, Run, Snapshot, State,
};
use static_assertions::{assert_impl_all, assert_not_impl_any};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

assert_impl_all!(CircuitBreaker: Send, Sync, std::panic::UnwindSafe, std::panic::RefUnwindSafe);
assert_not_impl_any!(CircuitBreaker: Clone);
assert_impl_all!(Permit<'static>: Send, Sync);
assert_impl_all!(OwnedPermit: Send, Sync);
assert_impl_all!(Registry<String>: Send, Sync);
assert_impl_all!(Rejected: Send, Sync, Copy, std::error::Error);
assert_impl_all!(Error<std::io::Error>: Send, Sync, std::error::Error);
assert_impl_all!(ConfigError: Send, Sync, Clone, std::error::Error);
assert_impl_all!(Config: Send, Sync, Clone);
assert_impl_all!(Snapshot: Send, Sync, Clone);
assert_impl_all!(DropPolicy: Send, Sync, Clone);
assert_impl_all!(Run<'static, fn() -> std::future::Ready<u8>, std::future::Ready<u8>, u8>: Send);
assert_impl_all!(Arc<dyn Clock>: Clock);
assert_impl_all!(Arc<dyn Observer>: Observer);

#[test]
fn an_error_of_the_call_comes_back_as_it_was() {
    let (breaker, _) = touchy();
    assert_eq!(breaker.call(|| Ok::<_, ()>(7)), Ok(7));
    assert_eq!(
        breaker.call(|| Err::<(), _>("down")),
        Err(Error::Inner("down"))
    );
    let rejected = breaker.call(|| Ok::<_, &str>(7)).unwrap_err();
    assert_eq!(rejected.rejected().unwrap().retry_after(), Some(ms(100)));
    assert_eq!(rejected.rejected().unwrap().state(), State::Open);
}

#[test]
fn an_open_breaker_neither_calls_nor_makes_a_future() {
    let (breaker, _) = touchy();
    fail(&breaker);
    let calls = Cell::new(0);
    let count = || calls.set(calls.get() + 1);
    let counted = || {
        count();
        Ok::<_, ()>(())
    };
    breaker.call(counted).unwrap_err();
    block_on(breaker.run(|| {
        count();
        async { Ok::<_, ()>(()) }
    }))
    .unwrap_err();
    assert_eq!(calls.get(), 0);
}

#[test]
fn a_future_asks_when_it_is_first_polled() {
    let (breaker, _) = touchy();
    let run = breaker.run(|| async { Ok::<_, ()>(()) });
    fail(&breaker);
    assert!(matches!(block_on(run), Err(Error::Rejected(_))));
}

#[test]
fn results_of_futures_count() {
    let (breaker, clock) = touchy();
    assert_eq!(block_on(breaker.run(|| async { Ok::<_, ()>(7) })), Ok(7));
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(
        block_on(breaker.run(|| async { Err::<(), _>("down") })),
        Err(Error::Inner("down"))
    );
    assert_eq!(breaker.state(), State::Open);
    clock.advance(ms(100));
    block_on(breaker.run(|| async { Ok::<_, ()>(()) })).unwrap();
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn the_classification_decides() {
    let by_number = |result: &Result<u16, ()>| match result {
        Ok(200..=499) => Outcome::Success,
        Ok(503) => Outcome::FailureFor(ms(5_000)),
        Ok(_) => Outcome::Failure,
        Err(()) => Outcome::Ignored,
    };
    let (breaker, _) = touchy();
    assert_eq!(breaker.call_with(by_number, || Ok(404)), Ok(404));
    assert_eq!(
        breaker.call_with(by_number, || Err(())),
        Err(Error::Inner(()))
    );
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(
        block_on(breaker.run_with(by_number, || async { Ok(503) })),
        Ok(503)
    );
    assert_eq!(breaker.retry_after(), Some(ms(5_000)));
}

#[test]
fn a_type_can_classify_too() {
    struct Nothing;
    impl<T, E> Classify<T, E> for Nothing {
        fn classify(&self, _: &Result<T, E>) -> Outcome {
            Outcome::Ignored
        }
    }
    let (breaker, _) = touchy();
    breaker.call_with(Nothing, || Err::<(), _>(())).unwrap_err();
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn the_upstreams_wait_is_the_floor_of_the_opening_it_causes() {
    let clock = ManualClock::new();
    let breaker = touchy_builder(&clock)
        .upstream_max(ms(7_000))
        .build()
        .unwrap();
    breaker.try_acquire().unwrap().failure_for(ms(60));
    assert_eq!(breaker.retry_after(), Some(ms(100)));
    clock.advance(ms(100));
    breaker.try_acquire().unwrap().failure_for(ms(60_000));
    assert_eq!(breaker.retry_after(), Some(ms(7_000)));
}

fn unwind<T>() -> T {
    resume_unwind(Box::new("a panic"))
}

#[test]
fn a_panic_is_a_failure_in_closures_futures_and_permits() {
    for kind in 0..4 {
        let (breaker, _) = touchy();
        let panicked = catch_unwind(AssertUnwindSafe(|| match kind {
            0 => drop(breaker.call(unwind::<Result<(), ()>>)),
            1 => drop(block_on(
                breaker.run(|| async { unwind::<Result<(), ()>>() }),
            )),
            2 => drop(block_on(
                breaker.run(unwind::<std::future::Ready<Result<(), ()>>>),
            )),
            _ => {
                let _permit = breaker.try_acquire().unwrap();
                unwind::<()>();
            }
        }));
        panicked.unwrap_err();
        assert_eq!(breaker.state(), State::Open, "kind {kind}");
    }
}

#[test]
fn a_panic_elsewhere_that_drops_a_waiting_future_is_no_failure() {
    let (breaker, _) = touchy();
    let mut run = Box::pin(breaker.run(std::future::pending::<Result<(), ()>>));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(run.as_mut().poll(&mut cx).is_pending());
    let panicked = catch_unwind(AssertUnwindSafe(move || {
        let _run = run;
        unwind::<()>();
    }));
    panicked.unwrap_err();
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_watched_future_reports_and_gives_back_what_it_returned() {
    let (breaker, clock) = touchy();
    let breaker = Arc::new(breaker);
    let watch = |result: Result<u8, u8>| {
        let permit = breaker.try_acquire_owned().unwrap();
        block_on(permit.watch(ByResult, async move { result }))
    };
    assert_eq!(watch(Ok(7)), Ok(7));
    assert_eq!(watch(Err(7)), Err(7));
    assert_eq!(breaker.state(), State::Open);
    clock.advance(ms(100));
    let permit = breaker.try_acquire_owned().unwrap();
    drop(permit.watch(ByResult, std::future::pending::<Result<(), ()>>()));
    assert_eq!(breaker.snapshot().probes, 0);
    let permit = breaker.try_acquire_owned().unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        block_on(permit.watch(ByResult, async { unwind::<Result<(), ()>>() }))
    }));
    panicked.unwrap_err();
    assert_eq!(breaker.state(), State::Open, "the probe failed");
}

#[test]
fn owned_permits_outlive_the_handle_they_came_from() {
    let breaker = Arc::new(touchy().0);
    let weak = Arc::downgrade(&breaker);
    let permit = breaker.try_acquire_owned().unwrap();
    drop(breaker);
    std::thread::spawn(move || permit.failure()).join().unwrap();
    assert!(weak.upgrade().is_none());
}
