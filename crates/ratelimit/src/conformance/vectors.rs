//! Replays the traces of a folder over a store.

use std::fmt;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::clock::{ManualClock, Now};
use crate::key::KeyBuf;
use crate::quota::{Algorithm, Quota};
use crate::store::{Charge, Op, Store};
use crate::verdict::Verdict;

/// What [`run_vectors`] ran.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Counts {
    /// Traces that were replayed.
    pub traces: usize,
    /// Steps in those traces.
    pub steps: usize,
    /// Files and parts of files that are of no known shape.
    pub skipped: Vec<String>,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} traces, {} steps", self.traces, self.steps)?;
        for skipped in &self.skipped {
            write!(f, "\nskipped: {skipped}")?;
        }
        Ok(())
    }
}

/// Replays every trace in the `*.json` files of `dir`, and says how many there were.
///
/// `clock` is the one that `store` was built with; `run` keeps the keys of this run apart from those
/// of others, where the store outlives the test.
///
/// # Panics
///
/// If a step does not come out as its trace says, if the store fails, or if `dir` cannot be read.
pub async fn run_vectors<S: Store>(
    dir: impl AsRef<Path>,
    store: &S,
    clock: &ManualClock,
    run: &str,
) -> Counts {
    let dir = dir.as_ref();
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .unwrap_or_else(|error| panic!("{}: {error}", dir.display()))
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.sort();
    let mut counts = Counts::default();
    for path in files {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) if name.ends_with(".json") => text,
            _ => {
                counts.skipped.push(name);
                continue;
            }
        };
        let replay = Replay {
            store,
            clock,
            run,
            file: &name,
        };
        match serde_json::from_str::<Value>(&text) {
            Ok(Value::Object(parts)) => {
                for (part, traces) in &parts {
                    replay.part(part, traces, &mut counts).await;
                }
            }
            _ => counts.skipped.push(name),
        }
    }
    counts
}

struct Replay<'a, S> {
    store: &'a S,
    clock: &'a ManualClock,
    run: &'a str,
    file: &'a str,
}

impl<S: Store> Replay<'_, S> {
    async fn part(&self, part: &str, traces: &Value, counts: &mut Counts) {
        if traces.is_string() {
            return; // Prose.
        }
        let Some(traces) = traces.as_array() else {
            return counts.skipped.push(format!("{}: {part}", self.file));
        };
        for (index, trace) in traces.iter().enumerate() {
            let name = trace["name"].as_str().unwrap_or_default();
            match Trace::read(trace) {
                Some(trace) => {
                    self.trace(&format!("{part}/{name}#{index}"), &trace).await;
                    counts.traces += 1;
                    counts.steps += trace.steps.len();
                }
                None => counts
                    .skipped
                    .push(format!("{}: {part}/{name}#{index}", self.file)),
            }
        }
    }

    async fn trace(&self, name: &str, trace: &Trace) {
        for (number, step) in trace.steps.iter().enumerate() {
            self.clock.set(Now::at(Duration::from_micros(step.at_us)));
            let scopes: Vec<_> = (0..trace.quotas.len())
                .map(|layer| {
                    let policy = format!("{}/{name}/{layer}", self.file);
                    KeyBuf::new().push(self.run).push(policy)
                })
                .collect();
            let charges: Vec<_> = trace
                .quotas
                .iter()
                .zip(&scopes)
                .zip(&step.keys)
                .map(|((quota, scope), key)| {
                    Charge::new(scope.as_ref(), key.as_bytes(), *quota, step.cost)
                })
                .collect();
            let mut verdicts = vec![Verdict::UNKNOWN; charges.len()];
            let what = || format!("{}: {name}: step {number}", self.file);
            if let Err(error) = self
                .store
                .decide(Op::Consume, &charges, &mut verdicts)
                .await
            {
                panic!("{}: {error}", what());
            }
            step.expected.check(&verdicts, &what);
        }
    }
}

struct Trace {
    quotas: Vec<Quota>,
    steps: Vec<Step>,
}

struct Step {
    at_us: u64,
    keys: Vec<String>,
    cost: NonZeroU32,
    expected: Expected,
}

struct Expected {
    allow: bool,
    denied_by: Option<Vec<usize>>,
    remaining: Option<u32>,
    retry_after_us: Option<Option<u64>>,
    reset_after_us: Option<u64>,
}

impl Trace {
    /// `None`: not a shape that is known here.
    fn read(trace: &Value) -> Option<Self> {
        let quotas = match (trace.get("quota"), trace.get("layers")) {
            (Some(one), None) => vec![quota(one)?],
            (None, Some(layers)) => layers
                .as_array()?
                .iter()
                .map(quota)
                .collect::<Option<Vec<_>>>()?,
            _ => return None,
        };
        let steps = trace.get("steps")?.as_array()?;
        let steps = steps
            .iter()
            .map(|step| Step::read(step, quotas.len()))
            .collect::<Option<_>>()?;
        Some(Self { quotas, steps })
    }
}

impl Step {
    fn read(step: &Value, layers: usize) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let keys = match (step.get("key"), step.get("keys")) {
            (Some(key), None) => vec![text(key)?],
            (None, Some(keys)) => keys
                .as_array()?
                .iter()
                .map(text)
                .collect::<Option<Vec<_>>>()?,
            _ => return None,
        };
        if keys.len() != layers {
            return None;
        }
        let index = |value: &Value| usize::try_from(value.as_u64()?).ok();
        let denied_by = match step.get("denied_by") {
            Some(by) => Some(
                by.as_array()?
                    .iter()
                    .map(index)
                    .collect::<Option<Vec<_>>>()?,
            ),
            None => None,
        };
        let retry_after_us = match step.get("retry_after_us") {
            Some(Value::Null) => Some(None),
            Some(wait) => Some(Some(wait.as_u64()?)),
            None => None,
        };
        Some(Self {
            at_us: step.get("at_us")?.as_u64()?,
            keys,
            cost: NonZeroU32::new(number(step.get("cost")?)?)?,
            expected: Expected {
                allow: step.get("allow")?.as_bool()?,
                denied_by,
                remaining: step.get("remaining").and_then(number),
                retry_after_us,
                reset_after_us: step.get("reset_after_us").and_then(Value::as_u64),
            },
        })
    }
}

impl Expected {
    fn check(&self, verdicts: &[Verdict], what: &dyn Fn() -> String) {
        let denied: Vec<_> = verdicts
            .iter()
            .enumerate()
            .filter(|(_, verdict)| !verdict.is_allowed())
            .map(|(index, _)| index)
            .collect();
        assert_eq!(
            denied.is_empty(),
            self.allow,
            "{}: allow; {verdicts:?}",
            what()
        );
        if let Some(by) = &self.denied_by {
            assert_eq!(&denied, by, "{}: denied by", what());
        }
        let [verdict] = verdicts else { return };
        if let Some(remaining) = self.remaining {
            assert_eq!(verdict.remaining(), remaining, "{}: remaining", what());
        }
        if let Some(wait) = self.retry_after_us {
            let wait = wait.map(Duration::from_micros);
            assert_eq!(verdict.retry_after(), wait, "{}: retry after", what());
        }
        if let Some(reset) = self.reset_after_us {
            assert_eq!(
                verdict.reset(),
                Duration::from_micros(reset),
                "{}: reset",
                what()
            );
        }
    }
}

fn quota(value: &Value) -> Option<Quota> {
    let period = Duration::from_micros(value.get("period_us")?.as_u64()?);
    let quota = Quota::new(number(value.get("limit")?)?, period).ok()?;
    match value.get("algorithm")?.as_str()? {
        "gcra" => match value.get("burst") {
            Some(burst) => quota.try_with_burst(number(burst)?).ok(),
            None => Some(quota),
        },
        "sliding_window" => Some(quota.with_algorithm(Algorithm::SlidingWindow)),
        "fixed_window" => Some(quota.with_algorithm(Algorithm::FixedWindow)),
        _ => None,
    }
}

fn number(value: &Value) -> Option<u32> {
    u32::try_from(value.as_u64()?).ok()
}
