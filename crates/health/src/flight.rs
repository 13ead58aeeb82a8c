//! At most one run of a check at a time, whoever asks and whoever goes away.

use std::time::{Duration, Instant};

use tokio::sync::{Mutex, MutexGuard};
use tokio::task::{JoinError, JoinHandle};

use crate::check::Work;
use crate::{Check, Failure, Fault, clock};

/// The run of one check which is in flight, if one is.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    run: Mutex<Option<Run>>,
}

#[derive(Debug)]
struct Run {
    handle: JoinHandle<(Result<(), Failure>, Instant)>,
    since: Instant,
    overdue: bool,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Landed {
    pub(crate) result: Result<(), Failure>,
    pub(crate) took: Duration,
    pub(crate) at: Instant,
}

impl Flight {
    /// Waits for whoever is on board.
    pub(crate) async fn board(&self) -> Boarded<'_> {
        Boarded {
            slot: self.run.lock().await,
        }
    }
}

/// The right to run the check.
#[derive(Debug)]
pub(crate) struct Boarded<'a> {
    slot: MutexGuard<'a, Option<Run>>,
}

impl Boarded<'_> {
    /// Runs the check, or waits for the run that is under way, for no longer than its limit.
    ///
    /// A run that exceeds the limit is ended, if it can be, and stays in the slot until it really has
    /// come back: until then every question is answered with a timeout at once, and no second run piles
    /// up behind the first.
    ///
    /// The run is a task of its own. So its panics stay there, and it goes on when who asked has gone;
    /// the next to ask takes it over, and learns when it ended.
    ///
    /// What came of it is to be noted while the slot is still held: hence the guard comes back.
    pub(crate) async fn land(mut self, check: &Check) -> (Landed, Self) {
        let landed = fly(&mut self.slot, check).await;
        (landed, self)
    }
}

async fn fly(slot: &mut Option<Run>, check: &Check) -> Landed {
    if let Some(run) = slot.as_ref().filter(|run| run.overdue) {
        if !run.handle.is_finished() {
            return Landed::timeout(run.since);
        }
        // It came back at last. What it says is about another time.
        *slot = None;
    }
    let run = slot.get_or_insert_with(|| Run::start(check));
    let limit = clock::later(run.since, check.timeout);
    let limit = tokio::time::Instant::from_std(limit);
    let Ok(joined) = tokio::time::timeout_at(limit, &mut run.handle).await else {
        run.handle.abort();
        run.overdue = true;
        return Landed::timeout(run.since);
    };
    let since = run.since;
    *slot = None;
    let (result, at) = joined.unwrap_or_else(|error| (Err(panicked(error)), clock::now()));
    Landed {
        result,
        took: at.saturating_duration_since(since),
        at,
    }
}

impl Run {
    fn start(check: &Check) -> Self {
        let handle = match &check.work {
            Work::Async(work) => {
                let work = work.clone();
                tokio::spawn(async move {
                    let result = work().await;
                    (result, clock::now())
                })
            }
            Work::Blocking(work) => {
                let work = work.clone();
                tokio::task::spawn_blocking(move || (work(), clock::now()))
            }
        };
        Self {
            handle,
            since: clock::now(),
            overdue: false,
        }
    }
}

/// A task that gave nothing has panicked, or its runtime shuts down; and then nobody asks.
fn panicked(error: JoinError) -> Failure {
    let panic = match error.try_into_panic() {
        Ok(panic) => panic,
        Err(error) => return Failure::new(Fault::Panic, error),
    };
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(&text), _) => Failure::new(Fault::Panic, text),
        (_, Some(text)) => Failure::new(Fault::Panic, text.as_str()),
        _ => Failure::bare(Fault::Panic),
    }
}

impl Landed {
    fn timeout(since: Instant) -> Self {
        let now = clock::now();
        Self {
            result: Err(Failure::bare(Fault::Timeout)),
            took: now.saturating_duration_since(since),
            at: now,
        }
    }
}
