//! What a side of a case does in one round, and how that becomes one figure.

use std::{
    fmt,
    hint::{black_box, spin_loop},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::clock;

/// The work of one side: asked for a number of operations, it gives a figure.
pub struct Work {
    pub(crate) run: Box<dyn FnMut(u64) -> Sample>,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nanoseconds an operation; the number of operations is chosen to fill a batch.
    Loop { batch: Batch },
    /// A figure that is taken once a round.
    Figure,
    /// A figure that never changes.
    Constant,
}

/// How long one turn of a loop takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Batch {
    Whole,
    /// Threads meet more surely, and are less often disturbed, when they run for a short while.
    Short,
}

/// What one turn of a round gave.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Sample {
    /// For a loop the time of all operations in nanoseconds, for a figure the figure.
    pub value: f64,
    /// False if the turn did not measure what it should: threads that did not overlap.
    pub steady: bool,
}

impl Sample {
    fn steady(value: f64) -> Self {
        Self {
            value,
            steady: true,
        }
    }
}

/// Which thread is asking, and for which of its operations.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Turn {
    /// From zero.
    pub thread: usize,
    /// Counts on from round to round, so that no key comes up twice by accident.
    pub step: u64,
}

/// One thread calls `op` again and again; its processor time counts. The result goes through
/// `black_box`, so that the operation is not optimised away.
pub fn repeat<T>(mut op: impl FnMut() -> T + 'static) -> Work {
    Work::of_loop(Batch::Whole, move |operations| {
        let start = clock::thread_time();
        for _ in 0..operations {
            black_box(op());
        }
        Sample::steady(nanoseconds(clock::thread_time() - start))
    })
}

/// Several threads call `op` at the same time; the processor time of the slowest one counts,
/// divided by the operations of one thread.
///
/// A turn in which the threads ran together for less than four fifths of its length does not
/// count: it would report an absence of contention that no caller gets.
pub fn threads<T>(count: usize, op: impl Fn(Turn) -> T + Sync + 'static) -> Work {
    let mut done = 0;
    Work::of_loop(Batch::Short, move |operations| {
        let first = done;
        done += operations;
        together(count, first, operations, &op)
    })
}

fn together<T>(
    count: usize,
    first: u64,
    operations: u64,
    op: &(impl Fn(Turn) -> T + Sync),
) -> Sample {
    let waiting = AtomicUsize::new(0);
    let lap = |thread| {
        clock::pin(thread);
        // A spinning start: a barrier would wake its threads one after the other. Release and
        // acquire, so that what a thread wrote before the start is seen by all after it.
        waiting.fetch_add(1, Ordering::Release);
        while waiting.load(Ordering::Acquire) < count {
            spin_loop();
        }
        let (began, start) = (Instant::now(), clock::thread_time());
        for step in first..first + operations {
            black_box(op(Turn { thread, step }));
        }
        Lap {
            used: clock::thread_time() - start,
            began,
            ended: Instant::now(),
        }
    };
    let lap = &lap;
    let laps: Vec<Lap> = thread::scope(|scope| {
        let running: Vec<_> = (0..count)
            .map(|thread| scope.spawn(move || lap(thread)))
            .collect();
        running
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|cause| std::panic::resume_unwind(cause))
            })
            .collect()
    });
    let slowest = laps.iter().map(|lap| lap.used).max().unwrap_or_default();
    Sample {
        value: nanoseconds(slowest),
        steady: overlap(&laps) >= 0.8,
    }
}

#[derive(Debug, Clone, Copy)]
struct Lap {
    used: Duration,
    began: Instant,
    ended: Instant,
}

/// The share of the longest lap during which all threads ran.
fn overlap(laps: &[Lap]) -> f64 {
    let last_start = laps.iter().map(|lap| lap.began).max();
    let first_end = laps.iter().map(|lap| lap.ended).min();
    let longest = laps.iter().map(|lap| lap.ended - lap.began).max();
    match (last_start, first_end, longest) {
        (Some(start), Some(end), Some(longest)) if longest > Duration::ZERO => {
            end.saturating_duration_since(start).as_secs_f64() / longest.as_secs_f64()
        }
        _ => 1.0,
    }
}

/// The work times itself: for setups that must not count, and for what waits on a server, where
/// the clock on the wall is the right one.
pub fn timed(mut run: impl FnMut(u64) -> Duration + 'static) -> Work {
    Work::of_loop(Batch::Whole, move |operations| {
        Sample::steady(nanoseconds(run(operations)))
    })
}

/// A figure that is no time an operation: bytes a key, a high percentile. Smaller is better.
pub fn figure(mut measure: impl FnMut() -> f64 + 'static) -> Work {
    Work {
        run: Box::new(move |_| Sample::steady(measure())),
        kind: Kind::Figure,
    }
}

/// The same figure every time: the other side of an absolute promise.
#[must_use]
pub fn constant(value: f64) -> Work {
    Work {
        run: Box::new(move |_| Sample::steady(value)),
        kind: Kind::Constant,
    }
}

/// Allocations an operation, after one operation that may fill caches. For [`Case::heap`].
///
/// [`Case::heap`]: crate::Case::heap
pub fn allocations<T>(mut op: impl FnMut() -> T + 'static) -> Work {
    figure(move || {
        black_box(op());
        crate::memory::heap_use(|| drop(black_box(op()))).allocations
    })
}

/// The most bytes that one operation holds at a time. For [`Case::heap`].
///
/// [`Case::heap`]: crate::Case::heap
pub fn peak_bytes<T>(mut op: impl FnMut() -> T + 'static) -> Work {
    figure(move || crate::memory::heap_use(|| drop(black_box(op()))).peak_bytes)
}

impl Work {
    /// Does this many operations, and gives what they took in all.
    pub fn perform(&mut self, operations: u64) -> Sample {
        (self.run)(operations)
    }

    /// Whether its instructions can be counted an operation.
    #[must_use]
    pub fn is_loop_of_one_thread(&self) -> bool {
        self.kind
            == Kind::Loop {
                batch: Batch::Whole,
            }
    }

    fn of_loop(batch: Batch, run: impl FnMut(u64) -> Sample + 'static) -> Self {
        Self {
            run: Box::new(run),
            kind: Kind::Loop { batch },
        }
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

fn nanoseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn every_thread_makes_each_of_its_steps_once() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&seen);
        let mut work = threads(2, move |turn| {
            record.lock().unwrap().push((turn.thread, turn.step));
        });
        (work.run)(2);
        (work.run)(1);
        let mut seen = seen.lock().unwrap().clone();
        seen.sort_unstable();
        assert_eq!(seen, [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]);
    }

    #[test]
    fn threads_that_hardly_meet_are_told_by_their_overlap() {
        let start = Instant::now();
        let lap = |from: u64, to: u64| Lap {
            used: Duration::ZERO,
            began: start + Duration::from_micros(from),
            ended: start + Duration::from_micros(to),
        };
        let share = |laps: &[Lap]| (overlap(laps) * 100.0).round();
        assert_eq!(share(&[lap(0, 100), lap(0, 100)]), 100.0);
        assert_eq!(share(&[lap(0, 100), lap(50, 150)]), 50.0);
        assert_eq!(share(&[lap(0, 100), lap(200, 300)]), 0.0);
    }

    #[test]
    fn an_operation_is_called_as_often_as_asked() {
        let mut calls = 0;
        let shared = Arc::new(Mutex::new(0));
        let counter = Arc::clone(&shared);
        let mut work = repeat(move || {
            calls += 1;
            *counter.lock().unwrap() = calls;
        });
        (work.run)(7);
        assert_eq!(*shared.lock().unwrap(), 7);
    }
}
