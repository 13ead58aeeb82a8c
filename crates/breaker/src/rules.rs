//! From settings to rules: here, and nowhere else, nonsense is refused.

use crate::clock::{millis, nanos};
use crate::config::{Config, DEFAULT_BUCKETS, EvaluateOn, IgnoredAs, Rates, SlowCalls, Trip};
use crate::half_open::{HalfOpen, Verdict};
use crate::judge::{Judge, Threshold};
use crate::machine::Laws;
use crate::open_time::{LONGEST, check_wait};
use crate::window::{Bitmap, Buckets, Ring, Streak, Window};
use crate::word::MOST_PROBES;
use crate::{ConfigError, DropPolicy, Ratio, window};
use std::time::Duration;

/// All that a breaker obeys, checked.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) shape: Shape,
    pub(crate) judge: Judge,
    pub(crate) laws: Laws,
    pub(crate) stamp: Stamp,
    /// Calls of so many nanoseconds are slow.
    pub(crate) slow_after: Option<u64>,
    pub(crate) dry_run: bool,
    pub(crate) ignored_as: IgnoredAs,
    pub(crate) on_drop: DropPolicy,
}

/// The window to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Streak,
    Calls { size: u32, slow: bool },
    Buckets { live: u32, tick: u64 },
}

/// Whether the start of a call is noted, and by which clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamp {
    Never,
    Coarse,
    Precise,
}

impl Rules {
    pub(crate) fn new(config: &Config, seed: u64) -> Result<Self, ConfigError> {
        config.open.check()?;
        let (shape, judge, slow) = trip(&config.trip, config.evaluate_on)?;
        let stamp = match (slow, config.on_drop.wants_age()) {
            (Some(_), _) => Stamp::Precise,
            (None, true) => Stamp::Coarse,
            (None, false) => Stamp::Never,
        };
        Ok(Self {
            shape,
            judge,
            laws: laws(config, slow.map(|slow| slow.rate), seed)?,
            stamp,
            slow_after: slow.map(|slow| nanos(slow.after)),
            dry_run: config.dry_run,
            ignored_as: config.ignored_as,
            on_drop: config.on_drop.clone(),
        })
    }

    pub(crate) fn window(&self) -> Window {
        match self.shape {
            Shape::Streak => Window::Streak(Streak::new()),
            Shape::Calls { size, slow } if size <= Bitmap::most(slow) => {
                Window::Bitmap(Bitmap::new(size, slow))
            }
            Shape::Calls { size, .. } => Window::Ring(Ring::new(size)),
            Shape::Buckets { live, tick } => Window::Buckets(Buckets::new(
                live,
                tick,
                self.judge.min_calls,
                self.judge.on_success,
            )),
        }
    }
}

fn trip(
    trip: &Trip,
    evaluate_on: EvaluateOn,
) -> Result<(Shape, Judge, Option<SlowCalls>), ConfigError> {
    let on_success = evaluate_on == EvaluateOn::Any;
    let counting = |count| Judge {
        min_calls: 1,
        failures: Threshold::Count(count),
        slow: Threshold::Never,
        on_success,
    };
    match trip {
        Trip::Consecutive { failures } => {
            at_least_one("trip.failures", *failures)?;
            Ok((Shape::Streak, counting(*failures), None))
        }
        Trip::KOfN { failures, size } => {
            check_size(*size)?;
            if !(1..=*size).contains(failures) {
                return Err(ConfigError::new(
                    "trip.failures",
                    "from 1 to trip.size",
                    failures,
                ));
            }
            Ok((
                Shape::Calls {
                    size: *size,
                    slow: false,
                },
                counting(*failures),
                None,
            ))
        }
        Trip::Count { size, rates } => {
            check_size(*size)?;
            let judge = shares(rates, on_success, Some(*size))?;
            let slow = rates.slow.is_some();
            Ok((Shape::Calls { size: *size, slow }, judge, rates.slow))
        }
        Trip::Time {
            window,
            buckets,
            rates,
        } => {
            let tick = check_buckets(*window, *buckets)?;
            let judge = shares(rates, on_success, None)?;
            Ok((
                Shape::Buckets {
                    live: *buckets,
                    tick,
                },
                judge,
                rates.slow,
            ))
        }
    }
}

fn shares(rates: &Rates, on_success: bool, size: Option<u32>) -> Result<Judge, ConfigError> {
    const ENOUGH: u32 = 10;
    let min_calls = rates
        .min_calls
        .unwrap_or_else(|| size.unwrap_or(ENOUGH).min(ENOUGH));
    at_least_one("trip.rates.min_calls", min_calls)?;
    if size.is_some_and(|size| min_calls > size) {
        return Err(ConfigError::new(
            "trip.rates.min_calls",
            "at most trip.size (set dry_run for a window that never opens the breaker)",
            min_calls,
        ));
    }
    if rates.failures.is_none() && rates.slow.is_none() {
        return Err(ConfigError::new(
            "trip.rates",
            "a rate of failures or of slow calls",
            "none",
        ));
    }
    let failures = match rates.failures {
        Some(rate) => share("trip.rates.failures", rate)?,
        None => Threshold::Never,
    };
    let slow = match rates.slow {
        Some(slow) => {
            check_wait("trip.rates.slow.after", slow.after)?;
            share("trip.rates.slow.rate", slow.rate)?
        }
        None => Threshold::Never,
    };
    Ok(Judge {
        min_calls,
        failures,
        slow,
        on_success,
    })
}

fn laws(config: &Config, slow: Option<Ratio>, seed: u64) -> Result<Laws, ConfigError> {
    let HalfOpen {
        verdict,
        permits,
        max_wait,
        after_wait,
    } = config.half_open;
    let need = verdict.need();
    if !(1..=MOST_PROBES).contains(&need) {
        return Err(ConfigError::new(
            "half_open.verdict",
            "from 1 to 1023 probes",
            need,
        ));
    }
    match verdict {
        Verdict::AllOf { .. } => {}
        // A strict sample with rate 0 is sensible: it opens at the first failure.
        Verdict::Sample { strict: true, .. } => {}
        Verdict::Sample { failures, .. } => {
            share("half_open.verdict.failures", failures)?;
        }
        Verdict::KOfN { successes, size } => {
            if !(1..=size).contains(&successes) {
                let expected = "from 1 to half_open.verdict.size";
                return Err(ConfigError::new(
                    "half_open.verdict.successes",
                    expected,
                    successes,
                ));
            }
        }
    }
    let permits = permits.unwrap_or(match verdict {
        Verdict::AllOf { .. } => 1,
        Verdict::Sample { .. } | Verdict::KOfN { .. } => need,
    });
    at_least_one("half_open.permits", permits)?;
    if let Some(wait) = max_wait {
        check_wait("half_open.max_wait", wait)?;
    }
    Ok(Laws {
        open: config.open.clone(),
        seed,
        permits,
        verdict,
        slow,
        max_wait: max_wait.map(millis_up),
        after_wait,
        hint: millis_up(config.open.base).min(1_000),
    })
}

fn share(key: &'static str, rate: Ratio) -> Result<Threshold, ConfigError> {
    if rate == Ratio::ZERO {
        return Err(ConfigError::new(key, "more than 0", rate.get()));
    }
    Ok(Threshold::Share(rate))
}

fn at_least_one(key: &'static str, count: u32) -> Result<(), ConfigError> {
    if count == 0 {
        return Err(ConfigError::new(key, "at least 1", count));
    }
    Ok(())
}

fn check_size(size: u32) -> Result<(), ConfigError> {
    if (1..=window::LARGEST).contains(&size) {
        return Ok(());
    }
    Err(ConfigError::new(
        "trip.size",
        "from 1 to 1000000 calls",
        size,
    ))
}

fn check_buckets(window: Duration, buckets: u32) -> Result<u64, ConfigError> {
    if !(1..=window::MOST).contains(&buckets) {
        return Err(ConfigError::new("trip.buckets", "from 1 to 128", buckets));
    }
    if window > LONGEST {
        return Err(ConfigError::new("trip.window", "at most a year", window));
    }
    let tick = millis(window) / u64::from(buckets);
    if tick == 0 {
        return Err(ConfigError::new(
            "trip.window",
            "a millisecond a bucket or more",
            window,
        ));
    }
    if window != Duration::from_millis(tick * u64::from(buckets)) {
        let expected = "whole milliseconds that divide evenly into the buckets";
        return Err(ConfigError::new("trip.window", expected, window));
    }
    Ok(tick)
}

fn millis_up(duration: Duration) -> u64 {
    millis(duration.saturating_add(Duration::from_nanos(999_999)))
}

const _: () = assert!(DEFAULT_BUCKETS <= window::MOST);
