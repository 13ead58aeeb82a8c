//! Every interleaving of the races that matter, by loom.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p seawall-breaker --lib --release loom_models`
//!
//! Each model has two or three threads of one or two operations. Preemptions are bounded by three,
//! and by two where a ring or buckets meet three threads, so that a model takes seconds; by
//! experience with bounded exploration (Musuvathi and Qadeer 2007) two find nearly all races. The
//! clock is not modelled: it stands still or moves between operations.

use crate::{
    AfterWait, Builder, CircuitBreaker, HalfOpen, ManualClock, Observer, OwnedPermit, Ratio, State,
    Transition,
};
use loom::thread;
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn model(f: impl Fn() + Send + Sync + 'static) {
    model_within(3, f);
}

fn model_within(preemptions: usize, f: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(f);
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Of the standard library, so that looking at it adds no interleavings.
#[derive(Default)]
struct Log(Mutex<Vec<(u32, State)>>);

impl Observer for Log {
    fn transition(&self, _: &str, told: &Transition) {
        self.0.lock().unwrap().push((told.generation, told.to));
    }
}

impl Log {
    fn states(&self) -> Vec<State> {
        let told = self.0.lock().unwrap();
        assert!(
            told.iter()
                .zip(2..)
                .all(|(told, generation)| told.0 == generation),
            "{told:?}"
        );
        told.iter().map(|told| told.1).collect()
    }
}

struct Rig {
    clock: ManualClock,
    breaker: Arc<CircuitBreaker>,
    log: Arc<Log>,
}

/// Opens for 100 ms and takes one probe, unless the builder says otherwise.
fn rig(builder: Builder) -> Rig {
    let clock = ManualClock::new();
    let log = Arc::new(Log::default());
    let builder = builder
        .reset_timeout(ms(100))
        .clock(clock.clone())
        .observer(Arc::clone(&log));
    Rig {
        clock,
        breaker: Arc::new(builder.build().unwrap()),
        log,
    }
}

fn one_probe(failures: u32) -> Builder {
    let probe = HalfOpen::all_of(1).max_wait(None, AfterWait::Reprobe);
    CircuitBreaker::consecutive(failures).half_open(probe)
}

fn permit(breaker: &Arc<CircuitBreaker>) -> OwnedPermit {
    breaker.try_acquire_owned().unwrap()
}

/// Half-open, with one probe out and a permit from before it opened.
fn half_open(rig: &Rig) -> (OwnedPermit, OwnedPermit) {
    let early = permit(&rig.breaker);
    permit(&rig.breaker).failure();
    rig.clock.advance(ms(100));
    (early, permit(&rig.breaker))
}

#[test]
fn a_two_that_trip_open_it_once() {
    model(|| {
        let rig = rig(one_probe(2));
        let (first, second) = (permit(&rig.breaker), permit(&rig.breaker));
        let other = thread::spawn(move || first.failure());
        second.failure();
        other.join().unwrap();
        assert_eq!(rig.log.states(), [State::Open]);
        assert_eq!(rig.breaker.state(), State::Open);
    });
}

#[test]
fn b_three_that_come_when_the_wait_is_over_get_one_probe() {
    model(|| {
        let rig = rig(one_probe(1));
        permit(&rig.breaker).failure();
        rig.clock.advance(ms(100));
        let ask = |breaker: &Arc<CircuitBreaker>| {
            let breaker = Arc::clone(breaker);
            move || breaker.try_acquire_owned().ok()
        };
        let others = [
            thread::spawn(ask(&rig.breaker)),
            thread::spawn(ask(&rig.breaker)),
        ];
        let mine = ask(&rig.breaker)();
        let theirs = others.map(|other| other.join().unwrap());
        assert_eq!(theirs.iter().chain([&mine]).flatten().count(), 1);
        assert_eq!(rig.log.states(), [State::Open, State::HalfOpen]);
        assert_eq!(rig.breaker.snapshot().probes, 1);
    });
}

#[test]
fn c_a_failing_probe_a_dropped_probe_and_a_newcomer_agree() {
    model(|| {
        let probes = HalfOpen::all_of(2)
            .permits(2)
            .max_wait(None, AfterWait::Reprobe);
        let rig = rig(CircuitBreaker::consecutive(1).half_open(probes));
        let (_early, first) = half_open(&rig);
        let second = permit(&rig.breaker);
        let failing = thread::spawn(move || first.failure());
        let dropping = thread::spawn(move || drop(second));
        let newcomer = rig.breaker.try_acquire_owned();
        failing.join().unwrap();
        dropping.join().unwrap();
        assert_eq!(rig.breaker.state(), State::Open, "a failure is never lost");
        assert_eq!(
            rig.log.states(),
            [State::Open, State::HalfOpen, State::Open]
        );
        drop(newcomer);
    });
}

#[test]
fn d_a_late_result_changes_nothing_while_it_closes() {
    model(|| {
        let rig = rig(one_probe(1));
        let (early, probe) = half_open(&rig);
        let late = thread::spawn(move || early.failure());
        probe.success();
        // Counts in the new generation, where the late failure must not.
        let fresh = rig.breaker.try_acquire_owned().map(OwnedPermit::success);
        late.join().unwrap();
        assert!(fresh.is_ok());
        assert_eq!(rig.breaker.state(), State::Closed);
        assert_eq!(rig.breaker.snapshot().counts.failures, 0);
        assert_eq!(
            rig.log.states(),
            [State::Open, State::HalfOpen, State::Closed]
        );
    });
}

#[test]
fn e_a_probe_given_up_and_its_result_that_comes_at_last_do_not_meet() {
    model(|| {
        let probe = HalfOpen::all_of(1).max_wait(ms(50), AfterWait::Reprobe);
        let rig = rig(CircuitBreaker::consecutive(1).half_open(probe));
        let (_early, lost) = half_open(&rig);
        rig.clock.advance(ms(50));
        let late = thread::spawn(move || lost.success());
        let new = rig.breaker.try_acquire_owned();
        late.join().unwrap();
        // The old result never closes it. It may be what gives the probes up, and then the
        // newcomer simply takes the place; either way there is one probe, the newcomer's.
        assert!(new.is_ok());
        assert_eq!(rig.breaker.state(), State::HalfOpen);
        assert_eq!(rig.breaker.snapshot().probes, 1);
        assert_eq!(
            rig.log.states(),
            [State::Open, State::HalfOpen, State::HalfOpen]
        );
    });
}

#[test]
fn f_a_reset_and_a_trip_come_in_one_order_or_the_other() {
    model(|| {
        let rig = rig(one_probe(1));
        let failing = permit(&rig.breaker);
        let trip = thread::spawn(move || failing.failure());
        rig.breaker.reset();
        trip.join().unwrap();
        assert_eq!(
            rig.breaker.state(),
            State::Closed,
            "a reset is never overruled by the past"
        );
        let states = rig.log.states();
        assert!(
            states == [State::Closed] || states == [State::Open, State::Closed],
            "{states:?}"
        );
    });
}

/// Two results of one generation and one of the next, around a reset.
fn around_a_reset(preemptions: usize, builder: fn() -> Builder) {
    model_within(preemptions, move || {
        let rig = rig(builder());
        let (first, second) = (permit(&rig.breaker), permit(&rig.breaker));
        let other = thread::spawn(move || first.failure());
        let breaker = Arc::clone(&rig.breaker);
        let reset = thread::spawn(move || {
            breaker.reset();
            permit(&breaker).failure();
        });
        second.success();
        other.join().unwrap();
        reset.join().unwrap();
        let counts = rig.breaker.snapshot().counts;
        assert_eq!(
            (counts.calls, counts.failures),
            (1, 1),
            "what came after the reset, no more"
        );
    });
}

#[test]
fn g_a_bitmap_keeps_generations_apart() {
    around_a_reset(3, || CircuitBreaker::count_window(8).min_calls(8));
}

#[test]
fn g_a_ring_keeps_generations_apart() {
    around_a_reset(2, || CircuitBreaker::count_window(43).min_calls(43));
}

#[test]
fn g_buckets_keep_generations_apart() {
    around_a_reset(2, || {
        CircuitBreaker::time_window(ms(100)).buckets(1).min_calls(8)
    });
}

#[test]
fn h_two_that_complete_the_minimum_trip_whatever_their_order() {
    let windows: [fn() -> Builder; 3] = [
        || CircuitBreaker::count_window(8),
        || CircuitBreaker::count_window(43),
        || CircuitBreaker::time_window(ms(100)).buckets(1),
    ];
    for window in windows {
        model(move || {
            let rig = rig(window().min_calls(2).failure_rate(Ratio::percent(50)));
            let (good, bad) = (permit(&rig.breaker), permit(&rig.breaker));
            let other = thread::spawn(move || good.success());
            bad.failure();
            other.join().unwrap();
            assert_eq!(rig.log.states(), [State::Open]);
        });
    }
}
