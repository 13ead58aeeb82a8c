//! The breaker against a slow and obvious model: random settings, random histories, the same
//! answers at every step.

use crate::ms;
use proptest::prelude::*;
use proptest::sample::Index;
use seawall_breaker::{
    AfterWait, Cause, CircuitBreaker, Config, EvaluateOn, HalfOpen, IgnoredAs, ManualClock,
    Observer, OpenTime, OwnedPermit, Rates, Ratio, SlowCalls, State, Transition, Trip, Verdict,
};
use std::sync::{Arc, Mutex};

/// The whole breaker as a person would write it down who has all the time in the world.
struct Model {
    config: Config,
    now: u64,
    state: State,
    since: u64,
    until: u64,
    opens: i32,
    generation: u64,
    /// Time, failed, slow: every call that counted in this generation.
    calls: Vec<(u64, bool, bool)>,
    in_flight: u32,
    ok: u32,
    bad: u32,
    slow: u32,
    transitions: Vec<(State, State)>,
}

#[derive(Clone, Copy)]
struct Held {
    generation: u64,
    started: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Success,
    Failure,
    Ignored,
    Drop,
}

impl Model {
    fn new(config: Config) -> Self {
        Self {
            config,
            now: 0,
            state: State::Closed,
            since: 0,
            until: 0,
            opens: 0,
            generation: 1,
            calls: Vec::new(),
            in_flight: 0,
            ok: 0,
            bad: 0,
            slow: 0,
            transitions: Vec::new(),
        }
    }

    fn enter(&mut self, state: State, at: u64) {
        self.transitions.push((self.state, state));
        self.state = state;
        self.since = at;
        self.generation += 1;
        self.calls.clear();
        (self.in_flight, self.ok, self.bad, self.slow) = (0, 0, 0, 0);
        match state {
            State::Closed => self.opens = 0,
            State::Open => {
                self.opens += 1;
                let open = &self.config.open;
                let grown = open.base.as_secs_f64() * open.factor.powi(self.opens - 1);
                let capped = if open.factor > 1.0 {
                    grown.min(open.max.as_secs_f64())
                } else {
                    grown
                };
                self.until =
                    at + (0..).find(|k| f64::from(*k) > capped * 1e3 - 0.5).unwrap() as u64;
            }
            _ => {}
        }
    }

    /// What time alone does to half-open; opening in the past may be over already.
    fn lose_patience(&mut self) {
        if !self.is_overdue() {
            return;
        }
        let over = self.since + self.config.half_open.max_wait.unwrap().as_millis() as u64;
        match self.config.half_open.after_wait {
            AfterWait::Open => self.enter(State::Open, over),
            AfterWait::Closed => self.enter(State::Closed, over),
            _ => self.enter(State::HalfOpen, self.now),
        }
    }

    fn is_overdue(&self) -> bool {
        let wait = self
            .config
            .half_open
            .max_wait
            .map(|wait| wait.as_millis() as u64);
        self.state == State::HalfOpen && wait.is_some_and(|wait| self.now >= self.since + wait)
    }

    fn begin(&mut self) -> Option<Held> {
        self.lose_patience();
        if self.state == State::Open && self.now >= self.until {
            self.enter(State::HalfOpen, self.now);
        }
        match self.state {
            State::Open | State::ForcedOpen => return None,
            State::HalfOpen => {
                let (need, permits) = match self.config.half_open.verdict {
                    Verdict::AllOf { probes, .. } => (probes, 1),
                    Verdict::Sample { size, .. } | Verdict::KOfN { size, .. } => (size, size),
                    _ => unreachable!(),
                };
                let permits = self.config.half_open.permits.unwrap_or(permits);
                if self.in_flight >= permits || self.in_flight + self.ok + self.bad >= need {
                    return None;
                }
                self.in_flight += 1;
            }
            _ => {}
        }
        Some(Held {
            generation: self.generation,
            started: self.now,
        })
    }

    fn end(&mut self, held: Held, end: End) {
        if held.generation == self.generation {
            self.lose_patience();
        }
        if held.generation != self.generation || self.state == State::Disabled {
            return;
        }
        if self.state == State::HalfOpen {
            self.in_flight -= 1;
        }
        let ignored = end == End::Ignored && self.config.ignored_as == IgnoredAs::Neutral;
        if ignored || end == End::Drop {
            return;
        }
        let failed = end == End::Failure;
        let slow = self
            .slow_calls()
            .is_some_and(|slow| self.now - held.started >= slow.after.as_millis() as u64);
        if self.state == State::HalfOpen {
            self.probe(failed, slow);
        } else {
            self.calls.push((self.now, failed, slow));
            if self.state == State::Closed && !self.config.dry_run && self.condemned(failed) {
                self.enter(State::Open, self.now);
            }
        }
    }

    fn slow_calls(&self) -> Option<SlowCalls> {
        match &self.config.trip {
            Trip::Count { rates, .. } | Trip::Time { rates, .. } => rates.slow,
            _ => None,
        }
    }

    fn probe(&mut self, failed: bool, slow: bool) {
        self.ok += u32::from(!failed);
        self.bad += u32::from(failed);
        self.slow += u32::from(slow);
        let results = self.ok + self.bad;
        let open = match self.config.half_open.verdict {
            Verdict::AllOf { .. } => failed,
            Verdict::KOfN {
                successes, size, ..
            } => self.bad > size - successes,
            Verdict::Sample {
                size,
                failures,
                strict: true,
                ..
            } => f64::from(self.bad) > failures.get() * f64::from(size) + 1e-6,
            Verdict::Sample { size, failures, .. } => {
                let too_slow = self
                    .slow_calls()
                    .is_some_and(|slow| at_least(self.slow, size, slow.rate));
                results == size && (at_least(self.bad, size, failures) || too_slow)
            }
            _ => unreachable!(),
        };
        let close = match self.config.half_open.verdict {
            Verdict::AllOf { probes, .. } => self.ok == probes,
            Verdict::KOfN { successes, .. } => self.ok == successes,
            Verdict::Sample { size, .. } => results == size,
            _ => unreachable!(),
        };
        if open {
            self.enter(State::Open, self.now);
        } else if close {
            self.enter(State::Closed, self.now);
        }
    }

    /// The calls in the window: how many, failed, slow.
    fn window(&self) -> (u32, u32, u32) {
        let last = |n: u32| &self.calls[self.calls.len().saturating_sub(n as usize)..];
        let held: Vec<_> = match self.config.trip {
            Trip::Consecutive { .. } => {
                let streak = self.calls.iter().rev().take_while(|call| call.1).count();
                last(streak as u32).to_vec()
            }
            Trip::Count { size, .. } | Trip::KOfN { size, .. } => last(size).to_vec(),
            Trip::Time {
                window, buckets, ..
            } => {
                let tick = window.as_millis() as u64 / u64::from(buckets);
                let live =
                    |call: &&(u64, bool, bool)| self.now / tick - call.0 / tick < buckets.into();
                self.calls.iter().filter(live).copied().collect()
            }
            _ => unreachable!(),
        };
        let count =
            |f: &dyn Fn(&(u64, bool, bool)) -> bool| held.iter().filter(|c| f(c)).count() as u32;
        (
            held.len() as u32,
            count(&|call| call.1),
            count(&|call| call.2),
        )
    }

    fn condemned(&self, failed: bool) -> bool {
        if self.config.evaluate_on == EvaluateOn::Failure && !failed {
            return false;
        }
        let (calls, failures, slow) = self.window();
        match &self.config.trip {
            Trip::Consecutive {
                failures: limit, ..
            }
            | Trip::KOfN {
                failures: limit, ..
            } => failures >= *limit,
            Trip::Count { rates, .. } | Trip::Time { rates, .. } => {
                calls >= rates.min_calls.unwrap()
                    && (rates
                        .failures
                        .is_some_and(|rate| at_least(failures, calls, rate))
                        || rates
                            .slow
                            .is_some_and(|limit| at_least(slow, calls, limit.rate)))
            }
            _ => unreachable!(),
        }
    }

    fn effective(&self) -> State {
        let mut later = Self {
            config: self.config.clone(),
            transitions: Vec::new(),
            calls: Vec::new(),
            ..*self
        };
        later.lose_patience();
        if later.state == State::Open && later.now >= later.until {
            State::HalfOpen
        } else {
            later.state
        }
    }
}

fn at_least(part: u32, whole: u32, rate: Ratio) -> bool {
    f64::from(part) / f64::from(whole) >= rate.get() - 1e-9
}

#[derive(Clone, Debug)]
enum Act {
    Begin,
    /// Begin and end at once.
    Call(End),
    End(Index, End),
    Advance(u64),
    Control(u8),
}

fn ends() -> impl Strategy<Value = End> {
    prop_oneof![
        4 => Just(End::Success),
        5 => Just(End::Failure),
        1 => Just(End::Ignored),
        1 => Just(End::Drop),
    ]
}

fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => Just(Act::Begin),
        10 => ends().prop_map(Act::Call),
        4 => (any::<Index>(), ends()).prop_map(|(which, end)| Act::End(which, end)),
        4 => (0_u64..60).prop_map(Act::Advance),
        1 => (60_u64..1_000).prop_map(Act::Advance),
        1 => (0_u8..8).prop_map(Act::Control),
    ]
}

fn ratios() -> impl Strategy<Value = Ratio> {
    prop_oneof![
        (1_u8..=100).prop_map(Ratio::percent),
        (1_u32..=9, 1_u32..=9)
            .prop_map(|(a, b)| Ratio::new(f64::from(a.min(b)) / f64::from(a.max(b))).unwrap()),
    ]
}

fn rates(most: u32) -> impl Strategy<Value = Rates> {
    let slow = proptest::option::of((1_u64..80, ratios()));
    (1..=most, ratios(), slow, any::<bool>()).prop_map(|(min_calls, failures, slow, only_slow)| {
        let mut rates = Rates::default();
        rates.min_calls = Some(min_calls);
        rates.slow = slow.map(|(after, rate)| SlowCalls::new(ms(after), rate));
        rates.failures = if only_slow && slow.is_some() {
            None
        } else {
            Some(failures)
        };
        rates
    })
}

fn trips() -> impl Strategy<Value = Trip> {
    prop_oneof![
        (1_u32..6).prop_map(Trip::consecutive),
        (1_u32..8, 1_u32..60).prop_map(|(failures, size)| Trip::k_of_n(failures.min(size), size)),
        (1_u32..60)
            .prop_flat_map(|size| rates(size).prop_map(move |rates| Trip::count(size, rates))),
        (1_u64..50, 1_u32..13, rates(8)).prop_map(|(tick, buckets, rates)| {
            Trip::time(ms(tick * u64::from(buckets)), buckets, rates)
        }),
    ]
}

fn half_opens() -> impl Strategy<Value = HalfOpen> {
    let verdict = prop_oneof![
        (1_u32..5).prop_map(HalfOpen::all_of),
        (1_u32..6, ratios()).prop_map(|(size, rate)| HalfOpen::sample(size, rate)),
        (1_u32..6, ratios()).prop_map(|(size, rate)| HalfOpen::strict_sample(size, rate)),
        (1_u32..6, 1_u32..6).prop_map(|(a, b)| HalfOpen::k_of_n(a.min(b), a.max(b))),
    ];
    let then = prop_oneof![
        Just(AfterWait::Open),
        Just(AfterWait::Closed),
        Just(AfterWait::Reprobe),
    ];
    (
        verdict,
        proptest::option::of(1_u32..7),
        proptest::option::of(1_u64..300),
        then,
    )
        .prop_map(|(half_open, permits, wait, then)| {
            let half_open = half_open.max_wait(wait.map(ms), then);
            permits.map_or(half_open.clone(), |permits| half_open.permits(permits))
        })
}

fn configs() -> impl Strategy<Value = Config> {
    let open = (1_u64..200, prop_oneof![Just(1.0), Just(2.0), Just(3.0)]);
    (trips(), half_opens(), open, any::<[bool; 2]>(), 0_u8..10).prop_map(
        |(trip, half_open, (base, factor), [on_failure, as_success], dry)| {
            let mut config = Config::default();
            config.trip = trip;
            config.half_open = half_open;
            config.open = OpenTime::default();
            config.open.base = ms(base);
            config.open.factor = factor;
            config.open.max = ms(base * 5);
            config.dry_run = dry == 0;
            if on_failure {
                config.evaluate_on = EvaluateOn::Failure;
            }
            if as_success {
                config.ignored_as = IgnoredAs::Success;
            }
            config
        },
    )
}

#[derive(Default)]
struct Log(Mutex<Vec<Transition>>);

impl Observer for Log {
    fn transition(&self, _: &str, transition: &Transition) {
        self.0.lock().unwrap().push(*transition);
    }
}

fn finish(permit: OwnedPermit, end: End) {
    match end {
        End::Success => permit.success(),
        End::Failure => permit.failure(),
        End::Ignored => permit.ignore(),
        End::Drop => drop(permit),
    }
}

fn control(breaker: &CircuitBreaker, model: &mut Model, which: u8) {
    let state = match which {
        0 => {
            breaker.trip_now();
            State::Open
        }
        1 => {
            breaker.force_open();
            State::ForcedOpen
        }
        2 => {
            breaker.disable();
            State::Disabled
        }
        3 => {
            breaker.metrics_only();
            State::MetricsOnly
        }
        4 => {
            breaker.probe_now();
            State::HalfOpen
        }
        _ => {
            breaker.reset();
            State::Closed
        }
    };
    model.enter(state, model.now);
}

fn compare(config: Config, acts: Vec<Act>, observed: bool) {
    let clock = ManualClock::new();
    let log = Arc::new(Log::default());
    let mut builder = CircuitBreaker::from_config(config.clone()).clock(clock.clone());
    if observed {
        builder = builder.observer(Arc::clone(&log));
    }
    let breaker = Arc::new(builder.build().unwrap());
    let mut model = Model::new(config);
    let mut held: Vec<(OwnedPermit, Held)> = Vec::new();
    let begin = |model: &mut Model| {
        let (ours, theirs) = (breaker.try_acquire_owned(), model.begin());
        assert_eq!(ours.is_ok(), theirs.is_some(), "admitted");
        if let Err(rejected) = &ours
            && model.state == State::Open
        {
            assert_eq!(rejected.retry_after(), Some(ms(model.until - model.now)));
        }
        Some((ours.ok()?, theirs?))
    };
    for act in acts {
        match act {
            Act::Begin => held.extend(begin(&mut model)),
            Act::Call(end) => {
                if let Some((permit, theirs)) = begin(&mut model) {
                    finish(permit, end);
                    model.end(theirs, end);
                }
            }
            Act::End(which, end) => {
                if !held.is_empty() {
                    let (permit, theirs) = held.swap_remove(which.index(held.len()));
                    finish(permit, end);
                    model.end(theirs, end);
                }
            }
            Act::Advance(by) => {
                clock.advance(ms(by));
                model.now += by;
            }
            Act::Control(which) => control(&breaker, &mut model, which),
        }
        let snapshot = breaker.snapshot();
        assert_eq!(breaker.state(), model.effective());
        assert_eq!(snapshot.state, model.effective());
        assert_eq!(u64::from(snapshot.generation), model.generation);
        if snapshot.state == model.state {
            match model.state {
                State::Closed | State::MetricsOnly => {
                    let (calls, failures, slow) = model.window();
                    let counts = snapshot.counts;
                    assert_eq!(
                        (counts.calls, counts.failures, counts.slow),
                        (calls, failures, slow)
                    );
                }
                // Probes that a call would give up are none.
                State::HalfOpen if model.is_overdue() => assert_eq!(snapshot.probes, 0),
                State::HalfOpen => assert_eq!(snapshot.probes, model.in_flight),
                _ => {}
            }
        }
    }
    if observed {
        let log = log.0.lock().unwrap();
        let told: Vec<_> = log.iter().map(|told| (told.from, told.to)).collect();
        assert_eq!(told, model.transitions);
        assert!(
            log.iter()
                .zip(2..)
                .all(|(told, generation)| told.generation == generation)
        );
        assert!(
            log.iter()
                .all(|told| told.open_for.is_some() == (told.to == State::Open))
        );
    }
    never_wedges(&breaker, &clock, held);
}

/// With all permits gone and enough time, a call is admitted, whatever came before.
fn never_wedges(
    breaker: &Arc<CircuitBreaker>,
    clock: &ManualClock,
    held: Vec<(OwnedPermit, Held)>,
) {
    drop(held);
    clock.advance(ms(2_000));
    let admitted = breaker.try_acquire();
    assert_eq!(admitted.is_ok(), breaker.state() != State::ForcedOpen);
}

/// The transitions that exist, apart from those an operator asks for.
fn lawful(told: &Transition) -> bool {
    matches!(
        (told.from, told.to, told.cause),
        (_, _, Cause::Manual)
            | (State::Closed, State::Open, Cause::Tripped(_))
            | (State::Open, State::HalfOpen, Cause::WaitOver)
            | (State::HalfOpen, State::Closed, Cause::ProbesPassed)
            | (State::HalfOpen, State::Open, Cause::ProbesFailed)
            | (
                State::HalfOpen,
                State::Open | State::Closed | State::HalfOpen,
                Cause::NoVerdict
            )
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_history_ends_as_in_the_model(
        config in configs(),
        acts in proptest::collection::vec(acts(), 1..100),
        observed in any::<bool>(),
    ) {
        compare(config, acts, observed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn only_lawful_transitions_happen(
        config in configs(),
        acts in proptest::collection::vec(acts(), 1..100),
    ) {
        let clock = ManualClock::new();
        let log = Arc::new(Log::default());
        let breaker = CircuitBreaker::from_config(config).clock(clock.clone()).observer(Arc::clone(&log));
        let breaker = Arc::new(breaker.build().unwrap());
        let mut held = Vec::new();
        for act in acts {
            match act {
                Act::Begin => held.extend(breaker.try_acquire_owned()),
                Act::Call(end) => breaker.try_acquire_owned().map_or((), |permit| finish(permit, end)),
                Act::End(_, end) => held.pop().map_or((), |permit| finish(permit, end)),
                Act::Advance(by) => clock.advance(ms(by)),
                Act::Control(_) => {}
            }
        }
        let log = log.0.lock().unwrap();
        prop_assert!(log.iter().all(lawful), "{log:?}");
        prop_assert!(log.windows(2).all(|pair| pair[0].to == pair[1].from), "{log:?}");
    }
}
