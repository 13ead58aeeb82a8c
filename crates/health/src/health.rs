//! The engine: runs the checks, keeps what they say, and answers probes.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::answer::Told;
use crate::builder::{Builder, Heartbeat};
use crate::check::Pace;
use crate::flight::{Flight, Landed};
use crate::jitter::Jitter;
use crate::observer::Observers;
use crate::service::{Service, changes};
use crate::{Access, Answer, Check, Details, Probe, Report, Role, clock};

/// The state of this service, from the checks that watch its dependencies. Clones share it.
///
/// See the [crate's front page](crate) for an example.
#[derive(Clone)]
pub struct Health {
    shared: Arc<Shared>,
}

struct Shared {
    checks: Vec<Arc<Check>>,
    flights: Vec<Flight>,
    service: Mutex<Service>,
    report: watch::Sender<Arc<Report>>,
    observers: Observers,
    heartbeat: Option<Heartbeat>,
    details: Details,
    identity: Option<(String, String)>,
    /// The background tasks, once they run.
    tasks: Mutex<Option<Vec<AbortHandle>>>,
}

impl Health {
    /// Starts from the defaults.
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(crate) fn new(builder: Builder) -> Self {
        let stall_after = builder.heartbeat.map(|heartbeat| heartbeat.stall_after);
        let service = Service::new(&builder.checks, stall_after);
        let (report, _) = watch::channel(Arc::new(service.report(clock::now())));
        let shared = Shared {
            flights: builder.checks.iter().map(|_| Flight::default()).collect(),
            checks: builder.checks.into_iter().map(Arc::new).collect(),
            service: Mutex::new(service),
            report,
            observers: Observers::new(builder.observers),
            heartbeat: builder.heartbeat,
            details: builder.details,
            identity: builder.service,
            tasks: Mutex::new(None),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Starts the background checks and the heartbeat, once. The first probe does it too; but then the
    /// service is not ready before somebody asks.
    ///
    /// They end when the last clone of this value is dropped, or with the runtime.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with its timer enabled.
    pub fn start(&self) {
        self.shared.start(&Handle::current());
    }

    /// Answers a probe. `method` is the request's: anything but `GET` and `HEAD` is answered with 405.
    ///
    /// No probe runs a background check. `/readyz` and `/health` run on-demand checks whose last result
    /// is too old, probes at a time sharing one run; `/startupz` only those that have to pass once and
    /// have not; `/livez` runs nothing.
    ///
    /// # Cancel safety
    ///
    /// A run which a dropped probe had started goes on, and the next probe takes it over.
    pub async fn answer(&self, probe: Probe, method: &str, access: Access) -> Answer {
        if method != "GET" && method != "HEAD" {
            return Answer::not_allowed();
        }
        if let Ok(runtime) = Handle::try_current() {
            self.shared.start(&runtime);
            self.shared.refresh(probe).await;
        }
        let details = match access {
            Access::Public => self.shared.details,
            Access::Authorized => Details::Full,
        };
        let report = self.report();
        let now = clock::now();
        let ages: Vec<_> = {
            let service = self.shared.lock();
            (0..self.shared.checks.len())
                .map(|index| service.age(index, now))
                .collect()
        };
        let told = Told {
            report: &report,
            details,
            service: self.shared.identity.as_ref(),
            ages: &ages,
        };
        Answer::of(
            probe,
            &told,
            self.shared.shortest_interval(),
            method == "HEAD",
        )
    }

    /// The state at this moment, from what is known. Runs nothing.
    #[must_use]
    pub fn report(&self) -> Arc<Report> {
        self.shared.change(|_, _| {});
        Arc::clone(&self.shared.report.borrow())
    }

    /// The state as it changes. With a heartbeat, a result that has become stale changes it too.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<Report>> {
        self.shared.report.subscribe()
    }

    /// Says that the service is about to leave: `/readyz` fails from now on and `/livez` does not.
    /// [`Drain`](crate::Drain) does this and what has to follow. There is no way back.
    pub fn begin_drain(&self) {
        self.shared.change(|service, _| service.drain());
    }

    /// Says that this process cannot go on and should be replaced: `/livez` fails from now on. There
    /// is no way back, for a process that mends itself was not broken.
    pub fn mark_broken(&self) {
        self.shared.change(|service, _| service.break_down());
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health")
            .field("report", &*self.shared.report.borrow())
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn start(self: &Arc<Self>, runtime: &Handle) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        if tasks.is_some() {
            return;
        }
        let mut started = Vec::new();
        if let Some(heartbeat) = self.heartbeat {
            let task = runtime.spawn(beat(Arc::downgrade(self), heartbeat.every));
            started.push(task.abort_handle());
        }
        for (index, check) in self.checks.iter().enumerate() {
            if let Pace::Every(interval) = check.pace {
                let poller = poll(Arc::downgrade(self), index, Arc::clone(check), interval);
                started.push(runtime.spawn(poller).abort_handle());
            }
        }
        *tasks = Some(started);
    }

    /// Runs a check once, or takes over its run, and notes what came of it.
    async fn run(&self, index: usize) {
        let check = &self.checks[index];
        let (landed, _flight) = self.flights[index].board().await.land(check).await;
        self.note(index, landed);
    }

    fn note(&self, index: usize, landed: Landed) {
        let name = &self.checks[index].name;
        self.observers
            .ran(name, landed.took, landed.result.as_ref().err());
        let result = landed.result.map_err(|failure| failure.fault());
        self.change(|service, _| service.observe(index, result, landed.at));
    }

    /// Runs those on-demand checks which the probe needs and whose results are too old, all at once.
    async fn refresh(&self, probe: Probe) {
        let asked = clock::now();
        let mut runs: Vec<Pin<Box<dyn Future<Output = ()> + Send + '_>>> = Vec::new();
        for (index, check) in self.checks.iter().enumerate() {
            let Pace::OnDemand(ttl) = check.pace else {
                continue;
            };
            let wanted = match probe {
                Probe::Live => false,
                Probe::Startup => check.startup && !self.lock().passed_once(index),
                Probe::Ready | Probe::Health => {
                    check.role() != Role::Startup || !self.lock().passed_once(index)
                }
            };
            if wanted && !self.is_fresh(index, asked, ttl) {
                runs.push(Box::pin(self.freshen(index, asked, ttl)));
            }
        }
        if runs.is_empty() {
            return;
        }
        poll_fn(|cx| {
            runs.retain_mut(|run| run.as_mut().poll(cx).is_pending());
            if runs.is_empty() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    /// Two runs at most: the first may be one that was left behind and ended long ago.
    async fn freshen(&self, index: usize, asked: Instant, ttl: Duration) {
        for _ in 0..2 {
            let flight = self.flights[index].board().await;
            // Whoever flew before us may have noted what we need.
            if self.is_fresh(index, asked, ttl) {
                return;
            }
            let (landed, _flight) = flight.land(&self.checks[index]).await;
            self.note(index, landed);
        }
    }

    /// Whether the last result came after the question, or not too long before it.
    fn is_fresh(&self, index: usize, asked: Instant, ttl: Duration) -> bool {
        match self.lock().age(index, asked) {
            Some(age) => age <= ttl,
            None => false,
        }
    }

    /// Changes what is known, and tells everybody what follows from that.
    fn change(&self, change: impl FnOnce(&mut Service, Instant)) {
        {
            let mut service = self.lock();
            let now = clock::now();
            change(&mut service, now);
            let after = service.report(now);
            let before = Arc::clone(&self.report.borrow());
            if *before != after {
                // Under the lock, so that reports and changes come in the order of the facts.
                self.observers.note(changes(&before, &after));
                self.report.send_replace(Arc::new(after));
            }
        }
        self.observers.tell();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Service> {
        self.service.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When it is worth asking again.
    fn shortest_interval(&self) -> Duration {
        let intervals = self.checks.iter().map(|check| match check.pace {
            Pace::Every(interval) | Pace::OnDemand(interval) => interval,
        });
        intervals.min().unwrap_or(Duration::from_secs(1))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let tasks = self.tasks.get_mut().unwrap_or_else(PoisonError::into_inner);
        for task in tasks.iter().flatten() {
            task.abort();
        }
    }
}

/// Asks a check for ever, or a startup check until it has passed.
async fn poll(shared: Weak<Shared>, index: usize, check: Arc<Check>, interval: Duration) {
    let mut jitter = Jitter::new();
    tokio::time::sleep(jitter.first(interval, check.jitter)).await;
    loop {
        let since = clock::now();
        {
            let Some(shared) = shared.upgrade() else {
                return;
            };
            shared.run(index).await;
            if check.role() == Role::Startup && shared.lock().passed_once(index) {
                return;
            }
        }
        // From the start of the last run, however long it took: its limit is what slows the pace.
        let next = clock::later(since, jitter.spread(interval, check.jitter));
        clock::sleep_until(next).await;
    }
}

/// Beats for ever, and lets what has become stale show.
async fn beat(shared: Weak<Shared>, every: Duration) {
    loop {
        match shared.upgrade() {
            Some(shared) => shared.change(Service::beat),
            None => return,
        }
        tokio::time::sleep(every).await;
    }
}
