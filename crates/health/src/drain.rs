//! Leaving without losing a request: first say so, then wait until it is heard, then close, then finish.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use crate::{Health, clock};

/// The orderly end of a server.
///
/// 1. A signal comes: `/readyz` fails at once, and everything else goes on.
/// 2. A pause, in which load balancers notice. Without it they send requests to a closed port.
/// 3. [`closing`](Self::closing) is ready: the listener stops accepting.
/// 4. What is in flight ends, or the maximum does; [`done`](Self::done) is ready.
///
/// Signals are the server's business: it calls [`signal`](Self::signal) for each, or hands
/// [`run`](Self::run) a future for the first. Clones share the state.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use seawall_health::{Drain, Health, Stop};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let health = Health::builder().build()?;
/// let drain = Drain::new(&health)
///     .pause(Duration::from_secs(5))
///     .maximum(Duration::from_secs(30));
///
/// // For each request:
/// let request = drain.enter();
///
/// let sigterm = async { Stop::Graceful }; // tokio::signal::unix in a real server
/// let server = tokio::spawn({
///     let drain = drain.clone();
///     async move { drain.run(sigterm).await }
/// });
/// drain.closing().await; // after 5 s: `axum::serve(…).with_graceful_shutdown(…)` takes this
/// assert!(!health.report().is_ready());
///
/// drop(request); // answered
/// assert!(server.await?.is_clean());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Drain {
    shared: Arc<Shared>,
    pause: Duration,
    maximum: Duration,
}

/// How a signal asks the server to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stop {
    /// Leave in order: what SIGTERM asks for.
    Graceful,
    /// Leave without the pause: what SIGINT asks for, since whoever presses the keys is no load
    /// balancer. Requests in flight still end.
    Prompt,
}

impl From<()> for Stop {
    fn from((): ()) -> Self {
        Self::Graceful
    }
}

/// How a drain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    left: usize,
}

impl Drained {
    /// Whether every request ended by itself.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.left == 0
    }

    /// How many requests were cut.
    #[must_use]
    pub fn left(&self) -> usize {
        self.left
    }
}

struct Shared {
    health: Health,
    stage: watch::Sender<Stage>,
    /// Whether any signal has come: what an answer may ask without a lock.
    signalled: AtomicBool,
    in_flight: AtomicUsize,
    idle: Notify,
}

impl Shared {
    fn is_closing(&self) -> bool {
        if !self.signalled.load(Ordering::Acquire) {
            return false;
        }
        let closes = self.stage.borrow().closes();
        closes.is_some_and(|at| at <= clock::now())
    }
}

/// How far the drain is: a value which time alone carries on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Serving,
    /// Closed from this moment on; before it, in the pause.
    Closing(Instant),
    /// Closed at this moment, and not willing to wait for what is in flight.
    Cut(Instant),
}

impl Stage {
    /// The stage after a signal at `now`.
    fn after(self, stop: Stop, now: Instant, pause: Duration) -> Self {
        match (self, stop) {
            (Self::Serving, Stop::Graceful) => Self::Closing(clock::later(now, pause)),
            (Self::Serving, Stop::Prompt) => Self::Closing(now),
            (Self::Closing(at), _) if at > now => Self::Closing(now),
            (Self::Closing(at) | Self::Cut(at), _) => Self::Cut(at),
        }
    }

    fn closes(self) -> Option<Instant> {
        match self {
            Self::Serving => None,
            Self::Closing(at) | Self::Cut(at) => Some(at),
        }
    }
}

impl Drain {
    /// A drain of the service whose `health` it is.
    #[must_use]
    pub fn new(health: &Health) -> Self {
        Self {
            shared: Arc::new(Shared {
                health: health.clone(),
                stage: watch::Sender::new(Stage::Serving),
                signalled: AtomicBool::new(false),
                in_flight: AtomicUsize::new(0),
                idle: Notify::new(),
            }),
            pause: Duration::from_secs(5),
            maximum: Duration::from_secs(30),
        }
    }

    /// How long the service goes on after it has said that it leaves. Default 5 s. It should be longer
    /// than the load balancer's probe interval times its failures.
    #[must_use]
    pub fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// How long requests in flight may take from the closing on. Default 30 s. Pause and maximum
    /// together have to be less than the grace that the platform gives before it kills.
    #[must_use]
    pub fn maximum(mut self, maximum: Duration) -> Self {
        self.maximum = maximum;
        self
    }

    /// Takes a signal. The first starts the drain; one more in the pause ends the pause; one more
    /// after that ends the wait for what is in flight.
    pub fn signal(&self, stop: Stop) {
        self.shared.health.begin_drain();
        let now = clock::now();
        self.shared
            .stage
            .send_modify(|stage| *stage = stage.after(stop, now, self.pause));
        // Release, with the acquire of who asks: the stage above is seen.
        self.shared.signalled.store(true, Ordering::Release);
    }

    /// Counts a request until the guard is dropped: when its response has been sent to the end.
    #[must_use = "the request ends when this is dropped"]
    pub fn enter(&self) -> InFlight {
        // Relaxed: a count alone. Who waits for zero is after the close, and a request that enters
        // while it looks is as good as one that enters a moment later.
        self.shared.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight {
            shared: Arc::clone(&self.shared),
        }
    }

    /// How many requests are in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.shared.in_flight.load(Ordering::Acquire)
    }

    /// Whether the listener has to stop accepting: what [`closing`](Self::closing) waits for. A server
    /// that answers from then on says so on the connection, so that its client opens no other request
    /// there.
    ///
    /// One atomic load before the first signal; after it, a lock and a reading of the clock.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.shared.is_closing()
    }

    /// Ready when the listener has to stop accepting, and from then on.
    ///
    /// The future holds nothing borrowed, so a server can be given it.
    pub fn closing(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        let mut stage = self.shared.stage.subscribe();
        async move {
            loop {
                let closes = stage.borrow_and_update().closes();
                let changed = changed(&mut stage);
                match closes {
                    None => changed.await,
                    Some(at) => {
                        let at = tokio::time::Instant::from_std(at);
                        // A signal may have moved the moment; else it has come.
                        if tokio::time::timeout_at(at, changed).await.is_err() {
                            return;
                        }
                    }
                }
            }
        }
    }

    /// Ready when everything has ended: closed, and nothing in flight any more or the maximum over.
    pub async fn done(&self) -> Drained {
        self.done_with(self.idle()).await
    }

    /// The same for a server which counts for itself: `finished` is ready when its connections are.
    /// What is still counted here by [`enter`](Self::enter) is told, and not waited for.
    pub async fn done_with(&self, finished: impl Future<Output = ()>) -> Drained {
        self.closing().await;
        let closed = self
            .shared
            .stage
            .borrow()
            .closes()
            .unwrap_or_else(clock::now);
        let limit = tokio::time::Instant::from_std(clock::later(closed, self.maximum));
        let mut finished = pin!(finished);
        let mut cut = pin!(self.cut());
        // Finished is asked first: what ended in time is not cut.
        let either = poll_fn(|cx| match finished.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => cut.as_mut().poll(cx),
        });
        let _ = tokio::time::timeout_at(limit, either).await;
        Drained {
            left: self.in_flight(),
        }
    }

    /// Waits for the first signal and then for the end: [`signal`](Self::signal) with what `shutdown`
    /// gives, then [`done`](Self::done).
    pub async fn run<S>(&self, shutdown: S) -> Drained
    where
        S: Future<Output: Into<Stop>>,
    {
        self.signal(shutdown.await.into());
        self.done().await
    }

    /// Ready when nothing is in flight.
    async fn idle(&self) {
        loop {
            // Made before the count is read: it hears of every end from now on, though not yet polled.
            let notified = self.shared.idle.notified();
            if self.in_flight() == 0 {
                return;
            }
            notified.await;
        }
    }

    /// Ready when a signal said not to wait any longer.
    async fn cut(&self) {
        let mut stage = self.shared.stage.subscribe();
        while !matches!(*stage.borrow_and_update(), Stage::Cut(_)) {
            changed(&mut stage).await;
        }
    }
}

impl fmt::Debug for Drain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain")
            .field("stage", &*self.shared.stage.borrow())
            .field("in_flight", &self.in_flight())
            .field("pause", &self.pause)
            .field("maximum", &self.maximum)
            .finish_non_exhaustive()
    }
}

/// A request in flight; it ends when this is dropped.
pub struct InFlight {
    shared: Arc<Shared>,
}

impl InFlight {
    /// Whether the server is to close this request's connection after its answer: see
    /// [`Drain::is_closing`].
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.shared.is_closing()
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        // Release, with the acquire of who reads the count: at zero, what the requests did is seen.
        // Acquire, so that the last to leave does not wake anybody before the others have left.
        if self.shared.in_flight.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.shared.idle.notify_waiters();
        }
    }
}

impl fmt::Debug for InFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InFlight").finish_non_exhaustive()
    }
}

/// Ready at the next change. When every `Drain` has been dropped there is none, ever.
async fn changed(stage: &mut watch::Receiver<Stage>) {
    if stage.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn each_signal_takes_the_drain_a_step_further() {
        let start = clock::now();
        let at = |seconds: u32| start + seconds * SECOND;
        let check = |signals: &[(u32, Stop)], expected| {
            let stage = signals.iter().fold(Stage::Serving, |stage, &(when, stop)| {
                stage.after(stop, at(when), 5 * SECOND)
            });
            assert_eq!(stage, expected);
        };
        use Stop::{Graceful, Prompt};
        check(&[], Stage::Serving);
        check(&[(1, Graceful)], Stage::Closing(at(6)));
        check(&[(1, Prompt)], Stage::Closing(at(1)));
        check(&[(1, Graceful), (3, Graceful)], Stage::Closing(at(3)));
        check(&[(1, Graceful), (3, Prompt)], Stage::Closing(at(3)));
        check(&[(1, Graceful), (6, Graceful)], Stage::Cut(at(6)));
        check(
            &[(1, Graceful), (3, Graceful), (4, Graceful)],
            Stage::Cut(at(3)),
        );
        check(
            &[(1, Prompt), (2, Prompt), (3, Graceful)],
            Stage::Cut(at(1)),
        );
    }
}
