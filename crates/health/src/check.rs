//! One check: what is run, how often, and how its results are taken.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::Failure;

/// A question asked of a dependency, and what its answers mean for this service.
///
/// Checks are asked in the background, so a probe costs no dependency anything and cannot be used to
/// flood one. Every setter states its default; [`Builder::build`](crate::Builder::build) checks them
/// together.
///
/// Think twice before a dependency that all replicas share is critical. When it fails, all of them
/// leave the load balancer at once, and what could still have been answered is not.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use seawall_health::Check;
///
/// async fn ping() -> Result<(), std::io::Error> { Ok(()) }
///
/// let database = Check::new("database", ping)
///     .critical()
///     .every(Duration::from_secs(5))
///     .timeout(Duration::from_millis(800));
/// let disk = Check::blocking("disk", || std::fs::metadata("/").map(drop)).optional();
/// # let _ = (database, disk);
/// ```
#[derive(Clone)]
#[must_use = "a check does nothing until it is given to a builder"]
pub struct Check {
    pub(crate) name: Arc<str>,
    pub(crate) work: Work,
    pub(crate) role: Option<Role>,
    pub(crate) startup: bool,
    pub(crate) pace: Pace,
    pub(crate) jitter: f64,
    pub(crate) timeout: Duration,
    pub(crate) fail_after: u32,
    pub(crate) recover_after: u32,
    pub(crate) stale_after: Option<Duration>,
}

/// What a check means for the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Without it the service is not ready.
    Critical,
    /// Without it the service is ready but impaired.
    Optional,
    /// It has to pass once, before the service has started, and is not asked again.
    Startup,
}

impl Check {
    /// A check that awaits. The future is dropped when it takes too long.
    pub fn new<C, F, T, E>(name: &str, check: C) -> Self
    where
        C: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let work = move || -> Running {
            let running = check();
            Box::pin(async move { running.await.map(drop).map_err(Failure::of) })
        };
        Self::of(name, Work::Async(Arc::new(work)))
    }

    /// A check that blocks its thread. It runs on the runtime's threads for blocking work; since
    /// nothing can end it there, it counts as timed out until it comes back by itself.
    pub fn blocking<C, T, E>(name: &str, check: C) -> Self
    where
        C: Fn() -> Result<T, E> + Send + Sync + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let work = move || check().map(drop).map_err(Failure::of);
        Self::of(name, Work::Blocking(Arc::new(work)))
    }

    fn of(name: &str, work: Work) -> Self {
        Self {
            name: name.into(),
            work,
            role: None,
            startup: false,
            pace: Pace::Every(Duration::from_secs(5)),
            jitter: 0.1,
            timeout: Duration::from_secs(2),
            fail_after: 2,
            recover_after: 2,
            stale_after: None,
        }
    }

    /// While it fails, the service is not ready. The default for a check that is not
    /// [`startup`](Self::startup): what nobody thought about should be noticed.
    pub fn critical(mut self) -> Self {
        self.role = Some(Role::Critical);
        self
    }

    /// While it fails, the service is ready and says "warn".
    pub fn optional(mut self) -> Self {
        self.role = Some(Role::Optional);
        self
    }

    /// It has to pass once before the service counts as started. Alone it is not asked again after
    /// that; together with `critical` or `optional` it is.
    pub fn startup(mut self) -> Self {
        self.startup = true;
        self
    }

    /// Asks in the background, this often. Default 5 s.
    pub fn every(mut self, interval: Duration) -> Self {
        self.pace = Pace::Every(interval);
        self
    }

    /// Asks only when a probe wants to know and the last answer is older than `ttl`. Probes that come
    /// together share one run. For what is cheap to ask and seldom looked at.
    pub fn on_demand(mut self, ttl: Duration) -> Self {
        self.pace = Pace::OnDemand(ttl);
        self
    }

    /// Spreads the background runs by up to this part of the interval, both ways, so that replicas do
    /// not ask in step. From 0 to 1; default 0.1.
    pub fn jitter(mut self, part: f64) -> Self {
        self.jitter = part;
        self
    }

    /// How long a run may take. Default 2 s.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// How many runs in a row have to fail before the check does. Default 2: one lost packet should
    /// not take a replica out of service.
    pub fn fail_after(mut self, runs: u32) -> Self {
        self.fail_after = runs;
        self
    }

    /// How many runs in a row have to pass before a failing check passes again. Default 2. The first
    /// pass of all counts at once.
    pub fn recover_after(mut self, runs: u32) -> Self {
        self.recover_after = runs;
        self
    }

    /// When the last answer is too old to be believed: the check then fails, whatever it said. A
    /// timeout is no answer, so a dependency that hangs fails its check by then even where
    /// [`fail_after`](Self::fail_after) asks for many failures in a row.
    ///
    /// Default for background checks: three intervals and timeouts. On-demand checks are asked anew
    /// instead, and have none unless it is set.
    pub fn stale_after(mut self, age: Duration) -> Self {
        self.stale_after = Some(age);
        self
    }

    pub(crate) fn role(&self) -> Role {
        match self.role {
            Some(role) => role,
            None if self.startup => Role::Startup,
            None => Role::Critical,
        }
    }

    /// The age at which a result is no longer believed.
    pub(crate) fn greatest_age(&self) -> Option<Duration> {
        // A startup check is not asked again, so its pass does not age.
        if self.role() == Role::Startup {
            return None;
        }
        match (self.stale_after, self.pace) {
            (Some(age), _) => Some(age),
            (None, Pace::Every(interval)) => {
                Some(interval.saturating_add(self.timeout).saturating_mul(3))
            }
            (None, Pace::OnDemand(_)) => None,
        }
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check")
            .field("name", &self.name)
            .field("role", &self.role())
            .field("startup", &self.startup)
            .field("pace", &self.pace)
            .finish_non_exhaustive()
    }
}

/// When a check is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    Every(Duration),
    OnDemand(Duration),
}

/// What a check runs.
#[derive(Clone)]
pub(crate) enum Work {
    Async(Arc<dyn Fn() -> Running + Send + Sync>),
    Blocking(Arc<dyn Fn() -> Result<(), Failure> + Send + Sync>),
}

pub(crate) type Running = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;
