//! Scenarios as data: facts kept in the repository, and every file of
//! `$SEAWALL_VECTORS/breaker/*.json`.
//!
//! A scenario is a configuration and a list of steps; each step may move the clock, make a call or
//! overrule the breaker, and says what to expect then. What this driver does not know it names and
//! skips.

#![allow(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    missing_docs,
    reason = "tests"
)]

use seawall_breaker::{
    AfterWait, Builder, Cause, CircuitBreaker, Counts, DropPolicy, HalfOpen, ManualClock, Observer,
    OwnedPermit, Ratio, Transition,
};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "fields are named so that only unknown ones are refused"
)]
struct Scenario {
    name: String,
    source: Option<Value>,
    tags: Option<Value>,
    note: Option<Value>,
    config: Config,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    trip: Trip,
    open_ms: u64,
    #[serde(default)]
    half_open: Option<Probing>,
    evaluate_on: Option<EvaluateOn>,
    ignored_counts_as: Option<IgnoredAs>,
    backoff: Option<Backoff>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum EvaluateOn {
    Any,
    Failure,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum IgnoredAs {
    Neutral,
    Success,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Backoff {
    #[serde(default = "one")]
    factor: f64,
    max_ms: Option<u64>,
}

fn one() -> f64 {
    1.0
}

/// Flat, since numbers do not pass through a tagged enum under `serde_json/arbitrary_precision`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Trip {
    kind: Kind,
    failures: Option<u32>,
    size: Option<u32>,
    window_ms: Option<u64>,
    buckets: Option<u32>,
    min_calls: Option<u32>,
    failure_rate: Option<f64>,
    slow_rate: Option<f64>,
    slow_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Consecutive,
    KOfN,
    Count,
    Time,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Probing {
    mode: Mode,
    permits: Option<u32>,
    close_after: Option<u32>,
    size: Option<u32>,
    successes: Option<u32>,
    failure_rate: Option<f64>,
    #[serde(default)]
    strict: bool,
    max_wait_ms: Option<u64>,
    after_wait: Option<After>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    AllSuccess,
    Sample,
    KOfN,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum After {
    Open,
    Closed,
    Reprobe,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "as above")]
struct Step {
    call: Option<String>,
    control: Option<Control>,
    advance_ms: Option<u64>,
    repeat: Option<u32>,
    note: Option<Value>,
    expect_permitted: Option<bool>,
    expect_state: Option<String>,
    expect_retry_after_ms: Option<u64>,
    expect_window: Option<(u32, u32, u32)>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Control {
    Open,
    ForceOpen,
    Isolate,
    Reset,
    Close,
    Disable,
    MetricsOnly,
    HalfOpen,
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn ratio(value: f64) -> Ratio {
    Ratio::new(value).unwrap()
}

fn rates(builder: Builder, min_calls: u32, trip: &Trip) -> Builder {
    let builder = builder
        .min_calls(min_calls.max(1))
        .failure_rate(trip.failure_rate.map(ratio));
    match (trip.slow_rate, trip.slow_ms) {
        (Some(rate), Some(after)) => builder.slow_calls(ms(after), ratio(rate)),
        _ => builder,
    }
}

/// `None`: a key that the kind needs is missing.
fn trip(trip: &Trip) -> Option<Builder> {
    let min_calls = trip.min_calls.unwrap_or(1);
    let builder = match trip.kind {
        Kind::Consecutive => CircuitBreaker::consecutive(trip.failures?),
        Kind::KOfN => {
            let (failures, size) = (trip.failures?, trip.size?);
            // What the window cannot hold means, here and below: watch, and never open.
            if failures > size {
                CircuitBreaker::k_of_n(size, size).dry_run()
            } else {
                CircuitBreaker::k_of_n(failures, size)
            }
        }
        Kind::Count => {
            let size = trip.size?;
            let builder = rates(
                CircuitBreaker::count_window(size),
                min_calls.min(size),
                trip,
            );
            if min_calls > size {
                builder.dry_run()
            } else {
                builder
            }
        }
        Kind::Time => {
            let buckets = trip.buckets?;
            let tick = trip.window_ms? / u64::from(buckets);
            let window = CircuitBreaker::time_window(ms(tick * u64::from(buckets)));
            rates(window.buckets(buckets), min_calls, trip)
        }
    };
    Some(builder)
}

fn builder(config: &Config) -> Option<Builder> {
    let mut builder = trip(&config.trip)?;
    builder = builder.on_drop(DropPolicy::Neutral);
    let max = config.backoff.as_ref().and_then(|backoff| backoff.max_ms);
    let max = max.map_or(Duration::from_secs(300 * 24 * 3600), ms);
    let factor = config
        .backoff
        .as_ref()
        .map_or(1.0, |backoff| backoff.factor);
    builder = builder
        .reset_timeout(ms(config.open_ms).min(max))
        .backoff(factor, max);
    if let Some(EvaluateOn::Failure) = config.evaluate_on {
        builder = builder.evaluate_on_failure();
    }
    if let Some(IgnoredAs::Success) = config.ignored_counts_as {
        builder = builder.ignored_as_success();
    }
    Some(builder.half_open(match &config.half_open {
        Some(probing) => half_open(probing)?,
        None => HalfOpen::all_of(1).max_wait(None, AfterWait::Reprobe),
    }))
}

fn half_open(probing: &Probing) -> Option<HalfOpen> {
    let half_open = match probing.mode {
        Mode::AllSuccess => HalfOpen::all_of(probing.close_after.unwrap_or(1)),
        Mode::Sample => {
            let (size, rate) = (probing.size?, ratio(probing.failure_rate?));
            if probing.strict {
                HalfOpen::strict_sample(size, rate)
            } else {
                HalfOpen::sample(size, rate)
            }
        }
        Mode::KOfN => HalfOpen::k_of_n(probing.successes?, probing.size?),
    };
    let then = match probing.after_wait {
        Some(After::Reprobe) => AfterWait::Reprobe,
        Some(After::Closed) => AfterWait::Closed,
        Some(After::Open) | None => AfterWait::Open,
    };
    Some(
        half_open
            .permits(probing.permits.unwrap_or(1))
            .max_wait(probing.max_wait_ms.map(ms), then),
    )
}

/// What the window held when the breaker opened.
#[derive(Default)]
struct LastTrip(Mutex<Option<Counts>>);

impl Observer for LastTrip {
    fn transition(&self, _: &str, transition: &Transition) {
        if let Cause::Tripped(counts) = transition.cause {
            *self.0.lock().unwrap() = Some(counts);
        }
    }
}

struct Run {
    clock: ManualClock,
    breaker: Arc<CircuitBreaker>,
    last_trip: Arc<LastTrip>,
    permits: HashMap<String, OwnedPermit>,
    /// Permits whose name was given to another call, and which nobody ends.
    orphans: Vec<OwnedPermit>,
}

impl Run {
    fn new(builder: Builder) -> Result<Self, String> {
        let clock = ManualClock::new();
        let last_trip = Arc::new(LastTrip::default());
        let builder = builder
            .clock(clock.clone())
            .observer(Arc::clone(&last_trip));
        let breaker = Arc::new(builder.build().map_err(|error| error.to_string())?);
        Ok(Self {
            clock,
            breaker,
            last_trip,
            permits: HashMap::new(),
            orphans: Vec::new(),
        })
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        for _ in 0..step.repeat.unwrap_or(1) {
            if let Some(by) = step.advance_ms {
                self.clock.advance(ms(by));
            }
            if let Some(control) = step.control {
                self.control(control);
            }
            let mut told = self.breaker.retry_after();
            if let Some(call) = &step.call {
                let rejected = self.call(call)?;
                if let Some(rejected) = rejected {
                    told = rejected.retry_after();
                }
                expect("permitted", step.expect_permitted, rejected.is_none())?;
            }
            if let Some(expected) = step.expect_retry_after_ms {
                let told = told.map(|wait| u64::try_from(wait.as_millis()).unwrap());
                expect("retry_after_ms", Some(Some(expected)), told)?;
            }
        }
        let state = self.breaker.state().as_str();
        expect("state", step.expect_state.as_deref(), state)?;
        let counts = match state {
            "closed" | "metrics_only" => self.breaker.snapshot().counts,
            _ => self.last_trip.0.lock().unwrap().unwrap_or_default(),
        };
        expect(
            "window",
            step.expect_window,
            (counts.calls, counts.failures, counts.slow),
        )
    }

    /// Returns the rejection, if there was one.
    fn call(&mut self, call: &str) -> Result<Option<seawall_breaker::Rejected>, String> {
        let words: Vec<&str> = call.split(':').collect();
        if let ["end", id, how] = words[..] {
            let permit = self.permits.remove(id).ok_or("no such permit")?;
            end(permit, how)?;
            return Ok(None);
        }
        if let ["drop", id] = words[..] {
            drop(self.permits.remove(id).ok_or("no such permit")?);
            return Ok(None);
        }
        let permit = match self.breaker.try_acquire_owned() {
            Ok(permit) => permit,
            Err(rejected) => return Ok(Some(rejected)),
        };
        match words[..] {
            ["begin", id] => self
                .orphans
                .extend(self.permits.insert(id.to_owned(), permit)),
            [how @ ("slow" | "slow_err"), millis] => {
                self.clock
                    .advance(ms(millis.parse().map_err(|_| "no number")?));
                end(permit, if how == "slow" { "ok" } else { "err" })?;
            }
            [how] => end(permit, how)?,
            _ => return Err(format!("unknown call {call}")),
        }
        Ok(None)
    }

    fn control(&self, control: Control) {
        match control {
            Control::Open => self.breaker.trip_now(),
            Control::ForceOpen | Control::Isolate => self.breaker.force_open(),
            Control::Reset | Control::Close => self.breaker.reset(),
            Control::Disable => self.breaker.disable(),
            Control::MetricsOnly => self.breaker.metrics_only(),
            Control::HalfOpen => self.breaker.probe_now(),
        }
    }
}

fn end(permit: OwnedPermit, how: &str) -> Result<(), String> {
    match how {
        "ok" => permit.success(),
        "err" => permit.failure(),
        "ignored" => permit.ignore(),
        "drop" => drop(permit),
        "panic" => {
            let panicking = std::panic::AssertUnwindSafe(move || {
                let _permit = permit;
                // Unwinds without the hook that would print.
                std::panic::resume_unwind(Box::new(()));
            });
            std::panic::catch_unwind(panicking).unwrap_err();
        }
        _ => return Err(format!("unknown outcome {how}")),
    }
    Ok(())
}

fn expect<T: PartialEq + std::fmt::Debug>(
    what: &str,
    expected: Option<T>,
    found: T,
) -> Result<(), String> {
    match expected {
        Some(expected) if expected != found => {
            Err(format!("{what}: expected {expected:?}, found {found:?}"))
        }
        _ => Ok(()),
    }
}

fn run(scenario: &Scenario, builder: Builder) -> Result<(), String> {
    let mut run = Run::new(builder)?;
    for (at, step) in scenario.steps.iter().enumerate() {
        run.step(step)
            .map_err(|error| format!("step {at}: {error}"))?;
    }
    Ok(())
}

/// Past the capture of the test harness: the counts are the point of this target.
fn say(line: &str) {
    std::io::stdout()
        .write_all(format!("{line}\n").as_bytes())
        .unwrap();
}

fn run_file(path: &Path) -> usize {
    let shown = path.display();
    let text = std::fs::read_to_string(path).unwrap();
    let Ok(Value::Object(file)) = serde_json::from_str(&text) else {
        say(&format!("{shown}: not a JSON object, skipped"));
        return 0;
    };
    let Some(Value::Array(scenarios)) = file.get("scenarios") else {
        say(&format!("{shown}: no scenarios, skipped"));
        return 0;
    };
    let (mut passed, mut skipped, mut failures) = (0, 0, Vec::new());
    for value in scenarios {
        let name = value
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or("unnamed");
        let scenario = match serde_json::from_value::<Scenario>(value.clone()) {
            Ok(scenario) => scenario,
            Err(error) => {
                skipped += 1;
                say(&format!("{shown}: {name}: unknown shape, skipped: {error}"));
                continue;
            }
        };
        let Some(builder) = builder(&scenario.config) else {
            skipped += 1;
            say(&format!("{shown}: {name}: incomplete, skipped"));
            continue;
        };
        match run(&scenario, builder) {
            Ok(()) => passed += 1,
            Err(error) => failures.push(format!("{}: {error}", scenario.name)),
        }
    }
    say(&format!(
        "{shown}: {} scenarios: {passed} passed, {} failed, {skipped} skipped",
        scenarios.len(),
        failures.len()
    ));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    passed
}

#[test]
fn facts_of_the_repository() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/facts.json");
    assert!(run_file(&path) >= 10);
}

#[test]
fn scenarios_from_outside() {
    let Some(folder) = std::env::var_os("SEAWALL_VECTORS") else {
        say("SEAWALL_VECTORS is not set: only the facts of the repository were run");
        return;
    };
    let folder = PathBuf::from(folder).join("breaker");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut passed = 0;
    for path in files {
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            passed += run_file(&path);
        } else {
            say(&format!("{}: not JSON, skipped", path.display()));
        }
    }
    assert!(passed > 0, "no scenario was found in {}", folder.display());
}
