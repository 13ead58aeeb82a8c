//! From a few words to a breaker.

use crate::clock::{Source, Time};
use crate::config::{DEFAULT_BUCKETS, EvaluateOn, IgnoredAs, Rates, SlowCalls, Trip};
use crate::rules::Rules;
use crate::{CircuitBreaker, Clock, Config, ConfigError, DropPolicy, HalfOpen, Observer, Ratio};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

impl CircuitBreaker {
    /// Opens after so many failures without a success between.
    ///
    /// The cheapest rule, and the right one where a dependency either works or does not: a
    /// database, a host. It says nothing about a dependency that fails every other call.
    pub fn consecutive(failures: u32) -> Builder {
        Builder::new(Trip::consecutive(failures))
    }

    /// Opens when too many of the last `size` calls failed, or were slow.
    ///
    /// For steady traffic. By default half of them, of at least 10.
    pub fn count_window(size: u32) -> Builder {
        Builder::new(Trip::count(size, Rates::default()))
    }

    /// Opens when too many of the calls of the last `window` failed, or were slow.
    ///
    /// For traffic that comes and goes: old failures are forgotten though no call pushes them out.
    /// By default half of them, of at least 10, in 10 buckets.
    pub fn time_window(window: Duration) -> Builder {
        Builder::new(Trip::time(window, DEFAULT_BUCKETS, Rates::default()))
    }

    /// Opens when `failures` of the last `size` calls failed, whether there were `size` or not.
    pub fn k_of_n(failures: u32, size: u32) -> Builder {
        Builder::new(Trip::k_of_n(failures, size))
    }

    /// Starts from settings that were read from somewhere.
    pub fn from_config(config: Config) -> Builder {
        Builder {
            config,
            ..Builder::new(Trip::default())
        }
    }
}

/// Builds a [`CircuitBreaker`].
#[derive(Clone)]
#[must_use = "a builder does nothing until it builds"]
pub struct Builder {
    config: Config,
    name: Arc<str>,
    source: Option<Source>,
    observer: Option<Arc<dyn Observer>>,
    seed: Option<u64>,
    misuse: Option<ConfigError>,
}

impl Builder {
    fn new(trip: Trip) -> Self {
        Self {
            config: Config {
                trip,
                ..Config::default()
            },
            name: Arc::from("unnamed"),
            source: None,
            observer: None,
            seed: None,
            misuse: None,
        }
    }

    /// What the observer knows the breaker by. Choose it yourself: a name is not the place for
    /// something that a client sent. Default: "unnamed".
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = name.into();
        self
    }

    /// How many calls a window must hold before its rates mean anything. Default: 10, or the size
    /// of a count window that is smaller.
    pub fn min_calls(self, calls: u32) -> Self {
        self.rates("min_calls", |rates| rates.min_calls = Some(calls))
    }

    /// The share of failures in the window that opens the breaker; `None` if failures alone never
    /// do. Default: a half.
    pub fn failure_rate(self, rate: impl Into<Option<Ratio>>) -> Self {
        let rate = rate.into();
        self.rates("failure_rate", |rates| rates.failures = rate)
    }

    /// A call of `after` or longer is slow; the share of slow calls in the window that opens the
    /// breaker is `rate`. Default: not measured.
    pub fn slow_calls(self, after: Duration, rate: Ratio) -> Self {
        self.rates("slow_calls", |rates| {
            rates.slow = Some(SlowCalls::new(after, rate));
        })
    }

    /// Into how many buckets a time window is cut. Default: 10.
    pub fn buckets(mut self, count: u32) -> Self {
        if let Trip::Time { buckets, .. } = &mut self.config.trip {
            *buckets = count;
            return self;
        }
        self.misused("buckets", "a time window")
    }

    /// Only a failure may open the breaker. Default: any call may, since the one that completes the
    /// minimum can be a success.
    pub fn evaluate_on_failure(mut self) -> Self {
        self.config.evaluate_on = EvaluateOn::Failure;
        self
    }

    /// Watches the trip rule without following it: the observer is told, the breaker stays closed.
    /// For finding out what a rule would do before it does it. Default: off.
    pub fn dry_run(mut self) -> Self {
        self.config.dry_run = true;
        self
    }

    /// How long the breaker stays open. Default: 30 seconds.
    pub fn reset_timeout(mut self, timeout: Duration) -> Self {
        self.config.open.base = timeout;
        self
    }

    /// Lets each opening without a closing between last `factor` times as long, up to `max`.
    /// Default: all last the same.
    pub fn backoff(mut self, factor: f64, max: Duration) -> Self {
        self.config.open.factor = factor;
        self.config.open.max = max;
        self
    }

    /// How far the open time is spread in both directions. Default: 0.
    pub fn jitter(mut self, jitter: Ratio) -> Self {
        self.config.open.jitter = jitter;
        self
    }

    /// The longest wait that is taken from the upstream. Default: 5 minutes.
    pub fn upstream_max(mut self, max: Duration) -> Self {
        self.config.open.upstream_max = max;
        self
    }

    /// What a half-open breaker asks of its probes. Default: one success.
    pub fn half_open(mut self, half_open: HalfOpen) -> Self {
        self.config.half_open = half_open;
        self
    }

    /// How a call counts that is dropped before it reports. Default: not at all.
    pub fn on_drop(mut self, policy: DropPolicy) -> Self {
        self.config.on_drop = policy;
        self
    }

    /// Counts ignored outcomes as successes. Default: they do not count at all.
    pub fn ignored_as_success(mut self) -> Self {
        self.config.ignored_as = IgnoredAs::Success;
        self
    }

    /// Who tells the time. Default: the system's monotonic clock, the coarse one where that
    /// suffices. (`wasm32-unknown-unknown` has none: there, give one.)
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.source = Some(Source::Custom(Arc::new(clock)));
        self
    }

    /// Who is told what happens. Default: nobody, which is the cheapest.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Makes the jitter repeatable. Default: a random seed.
    pub fn jitter_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Builds the breaker, closed.
    ///
    /// # Errors
    ///
    /// When a setting makes no sense, alone or beside the others; the error names it.
    pub fn build(self) -> Result<CircuitBreaker, ConfigError> {
        if let Some(misuse) = self.misuse {
            return Err(misuse);
        }
        let seed = self
            .seed
            .unwrap_or_else(|| RandomState::new().hash_one(0_u8));
        let rules = Rules::new(&self.config, seed)?;
        let time = Time::start(self.source.unwrap_or_else(Source::system));
        Ok(CircuitBreaker::assemble(
            rules,
            time,
            self.name,
            self.observer,
        ))
    }

    fn rates(mut self, key: &'static str, set: impl FnOnce(&mut Rates)) -> Self {
        if let Trip::Count { rates, .. } | Trip::Time { rates, .. } = &mut self.config.trip {
            set(rates);
            return self;
        }
        self.misused(key, "a count window or a time window")
    }

    fn misused(mut self, key: &'static str, expected: &'static str) -> Self {
        let found = match self.config.trip {
            Trip::Consecutive { .. } => "consecutive failures",
            Trip::Count { .. } => "a count window",
            Trip::Time { .. } => "a time window",
            Trip::KOfN { .. } => "k of n",
        };
        self.misuse
            .get_or_insert(ConfigError::new(key, expected, found));
        self
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("name", &self.name)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
