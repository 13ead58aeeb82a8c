//! How one component is polled: isolated from the others' panics, and ended when its time is up.

use std::any::Any;
use std::error::Error;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::{Sleep, sleep_until};

use crate::{Degrade, Reason, clock};

/// What the components of one join share from poll to poll.
#[derive(Debug)]
#[expect(unnameable_types, reason = "seen only through a sealed trait")]
pub struct Pace {
    concurrency: usize,
    running: usize,
    per_component: Duration,
    overall: Option<Duration>,
    /// The end of the whole: given, or made by the first wait.
    deadline: Option<Instant>,
    /// The clock in this round; read when a component first asks.
    now: Option<Instant>,
    /// The next end of a component that waits.
    next: Option<Instant>,
}

/// One component's time.
#[derive(Debug)]
pub(crate) struct Turn {
    limit: Duration,
    started: bool,
    end: Option<Instant>,
}

impl Pace {
    #[inline]
    pub(crate) fn new(settings: &Degrade) -> Self {
        Self {
            concurrency: settings.concurrency.get(),
            running: 0,
            per_component: settings.per_component,
            overall: settings.overall,
            deadline: settings.deadline,
            now: None,
            next: None,
        }
    }

    #[inline]
    pub(crate) fn turn(&self, own: Option<Duration>) -> Turn {
        Turn {
            limit: own.unwrap_or(self.per_component),
            started: false,
            end: None,
        }
    }

    /// Starts a new round: each component is about to be polled once.
    #[inline]
    pub(crate) fn round(&mut self) {
        self.now = None;
        self.next = None;
    }

    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.running >= self.concurrency
    }

    fn now(&mut self) -> Instant {
        *self.now.get_or_insert_with(clock::now)
    }

    fn is_over(&mut self) -> bool {
        match self.deadline {
            Some(deadline) => deadline <= self.now(),
            None => false,
        }
    }

    /// Polls a component whose turn may have come. `Pending` with no wake-up means that the turn has
    /// not come yet; the end of another's turn is a wake-up of the join.
    pub(crate) fn poll<F, T, E>(
        &mut self,
        turn: &mut Turn,
        future: Pin<&mut F>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, Reason>>
    where
        F: Future<Output = Result<T, E>>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        if !turn.started {
            if self.is_over() {
                return Poll::Ready(Err(Reason::Deadline));
            }
            if self.is_full() {
                return Poll::Pending;
            }
            turn.started = true;
            self.running += 1;
        }
        let polled = poll_isolated(future, cx);
        let result = match polled {
            Poll::Ready(result) => result,
            Poll::Pending => match self.wait(turn) {
                None => return Poll::Pending,
                Some(reason) => Err(reason),
            },
        };
        self.running -= 1;
        Poll::Ready(result)
    }

    /// The component has to wait: is there time?
    fn wait(&mut self, turn: &mut Turn) -> Option<Reason> {
        let now = self.now();
        if let Some(overall) = self.overall.take() {
            let end = clock::later(now, overall);
            self.deadline = Some(self.deadline.map_or(end, |deadline| deadline.min(end)));
        }
        let own = *turn
            .end
            .get_or_insert_with(|| clock::later(now, turn.limit));
        if own <= now {
            return Some(Reason::Timeout(turn.limit));
        }
        if self.is_over() {
            return Some(Reason::Deadline);
        }
        let end = self.deadline.map_or(own, |deadline| deadline.min(own));
        self.next = Some(self.next.map_or(end, |next| next.min(end)));
        None
    }
}

/// The one timer of a join, set for the next end of any component. Boxed, so that a join that never
/// waits is not moved about with room for it.
#[derive(Debug)]
pub(crate) struct Alarm {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    #[inline]
    pub(crate) fn new() -> Self {
        Self { sleep: None }
    }

    /// Ready when a round is due; otherwise the task is woken then.
    pub(crate) fn poll(&mut self, pace: &Pace, cx: &mut Context<'_>) -> Poll<()> {
        let Some(next) = pace.next else {
            return Poll::Pending;
        };
        let next = tokio::time::Instant::from_std(next);
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(sleep_until(next)));
        if sleep.deadline() != next {
            sleep.as_mut().reset(next);
        }
        sleep.as_mut().poll(cx)
    }
}

/// Polls, and makes a panic a reason. The future is not polled again afterwards, so whatever state the
/// panic left it in is not seen.
fn poll_isolated<F, T, E>(future: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<Result<T, Reason>>
where
    F: Future<Output = Result<T, E>>,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(Ok(value))) => Poll::Ready(Ok(value)),
        Ok(Poll::Ready(Err(error))) => Poll::Ready(Err(Reason::Error(error.into()))),
        Err(panic) => Poll::Ready(Err(Reason::Panic(message(&*panic)))),
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "no message".to_owned(),
    }
}
