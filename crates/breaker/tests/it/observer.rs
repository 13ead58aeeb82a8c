//! What the observer is told, and in which order.

use crate::{fail, ms, touchy_builder};
use seawall_breaker::{
    Cause, CircuitBreaker, Completion, Counts, Ending, ManualClock, Observer, OwnedPermit,
    Rejected, State, Transition,
};
use std::sync::{Arc, Mutex, OnceLock};

#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Log {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn say(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

impl Observer for Log {
    fn transition(&self, breaker: &str, told: &Transition) {
        let Transition {
            from,
            to,
            generation,
            ..
        } = told;
        self.say(format!("{breaker} {generation}: {from} to {to}"));
    }

    fn rejected(&self, _: &str, rejected: &Rejected) {
        self.say(rejected.to_string());
    }

    fn completed(&self, _: &str, completion: &Completion) {
        let late = if completion.late { ", late" } else { "" };
        self.say(format!("{:?}{late}", completion.ending));
    }

    fn threshold_reached(&self, _: &str, counts: &Counts) {
        self.say(format!("{} of {} failed", counts.failures, counts.calls));
    }
}

fn watched(clock: &ManualClock) -> (Arc<CircuitBreaker>, Arc<Log>) {
    let log = Arc::new(Log::default());
    let builder = touchy_builder(clock)
        .name("database")
        .observer(Arc::clone(&log));
    (Arc::new(builder.build().unwrap()), log)
}

#[test]
fn a_whole_life_is_told_in_order() {
    let clock = ManualClock::new();
    let (breaker, log) = watched(&clock);
    let late = breaker.try_acquire().unwrap();
    fail(&breaker);
    drop(breaker.try_acquire());
    clock.advance(ms(100));
    let probe = breaker.try_acquire().unwrap();
    late.success();
    probe.success();
    drop(breaker.try_acquire());
    breaker.reset();
    assert_eq!(
        log.take(),
        [
            "database 2: closed to open",
            "Failure",
            "circuit breaker is open, retry after 0.1s",
            "database 3: open to half-open",
            "Success, late",
            "database 4: half-open to closed",
            "Success",
            "Dropped",
            "database 5: closed to closed",
        ]
    );
}

#[test]
fn a_dry_run_only_tells() {
    let clock = ManualClock::new();
    let log = Arc::new(Log::default());
    let builder = CircuitBreaker::count_window(4).min_calls(2).dry_run();
    let breaker = builder
        .clock(clock)
        .observer(Arc::clone(&log))
        .build()
        .unwrap();
    for _ in 0..5 {
        fail(&breaker);
    }
    assert_eq!(breaker.state(), State::Closed);
    let told = log.take();
    assert_eq!(
        told.iter().filter(|line| line.ends_with("failed")).count(),
        1
    );
    assert!(told.contains(&"2 of 2 failed".to_owned()));
    breaker.metrics_only();
    for _ in 0..3 {
        fail(&breaker);
    }
    assert_eq!(breaker.state(), State::MetricsOnly);
    assert!(log.take().contains(&"2 of 2 failed".to_owned()));
    assert_eq!(breaker.snapshot().counts.failures, 3);
}

/// Overrules the breaker from within the report, and looks at it.
#[derive(Default)]
struct Meddler {
    breaker: OnceLock<Arc<CircuitBreaker>>,
    told: Mutex<Vec<u32>>,
    busy: Mutex<()>,
}

impl Observer for Meddler {
    fn transition(&self, _: &str, told: &Transition) {
        let _never_two_at_a_time = self.busy.try_lock().unwrap();
        self.told.lock().unwrap().push(told.generation);
        let breaker = self.breaker.get().unwrap();
        match told.cause {
            Cause::Tripped(_) => breaker.force_open(),
            Cause::Manual if told.to == State::ForcedOpen => breaker.reset(),
            _ => assert_eq!(breaker.state(), State::Closed),
        }
    }
}

#[test]
fn an_observer_may_use_the_breaker() {
    let meddler = Arc::new(Meddler::default());
    let builder = touchy_builder(&ManualClock::new()).observer(Arc::clone(&meddler));
    let breaker = Arc::new(builder.build().unwrap());
    meddler.breaker.set(Arc::clone(&breaker)).unwrap();
    fail(&breaker);
    assert_eq!(*meddler.told.lock().unwrap(), [2, 3, 4]);
    assert_eq!(breaker.state(), State::Closed);
}

#[derive(Default)]
struct Generations(Mutex<Vec<u32>>);

impl Observer for Generations {
    fn transition(&self, _: &str, told: &Transition) {
        self.0
            .try_lock()
            .expect("one at a time")
            .push(told.generation);
    }
}

#[test]
fn many_threads_get_each_transition_told_once_and_in_order() {
    let told = Arc::new(Generations::default());
    let builder = touchy_builder(&ManualClock::new()).observer(Arc::clone(&told));
    let breaker = builder.build().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..250 {
                    breaker.reset();
                    let _ = breaker.try_acquire().map(|permit| permit.failure());
                }
            });
        }
    });
    let told = told.0.lock().unwrap();
    assert!(told.len() >= 1_000);
    assert_eq!(*told, (2..).take(told.len()).collect::<Vec<u32>>());
    assert_eq!(breaker.snapshot().generation, *told.last().unwrap());
}

struct Panics;

impl Observer for Panics {
    fn transition(&self, _: &str, _: &Transition) {
        std::panic::resume_unwind(Box::new(()));
    }
}

#[test]
fn an_observer_that_panics_does_not_break_the_breaker() {
    let clock = ManualClock::new();
    let breaker = Arc::new(touchy_builder(&clock).observer(Panics).build().unwrap());
    let report = |permit: OwnedPermit| {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| permit.failure())).unwrap_err();
    };
    report(breaker.try_acquire_owned().unwrap());
    assert_eq!(breaker.state(), State::Open);
    clock.advance(ms(100));
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| breaker.try_acquire()))
        .map(|_| ())
        .unwrap_err();
    assert_eq!(breaker.state(), State::HalfOpen);
}

#[test]
fn endings_are_told_apart() {
    let clock = ManualClock::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    struct Endings(Arc<Mutex<Vec<(Ending, bool)>>>);
    impl Observer for Endings {
        fn completed(&self, _: &str, completion: &Completion) {
            self.0
                .lock()
                .unwrap()
                .push((completion.ending, completion.slow));
            assert!(completion.elapsed.is_some());
        }
    }
    let builder = CircuitBreaker::count_window(50).slow_calls(ms(10), seawall_breaker::Ratio::ONE);
    let builder = builder
        .clock(clock.clone())
        .observer(Endings(Arc::clone(&seen)));
    let breaker = builder.build().unwrap();
    breaker.try_acquire().unwrap().success();
    let slow = breaker.try_acquire().unwrap();
    clock.advance(ms(10));
    slow.ignore();
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        breaker.call(|| -> Result<(), ()> { std::panic::resume_unwind(Box::new(())) })
    }));
    let expected = [
        (Ending::Success, false),
        (Ending::Ignored, true),
        (Ending::Panicked, false),
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
}
