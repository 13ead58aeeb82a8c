//! Counts that many cores write: to the recorder at once, or gathered by core until they are asked for.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use ::metrics::Counter;
#[cfg(feature = "errors")]
use ::metrics::Gauge;

/// A counter of the recorder.
pub(crate) enum Count {
    Direct(Counter),
    Gathered(Arc<Gathered>),
}

impl Count {
    #[inline]
    pub(crate) fn increment(&self, by: u64) {
        match self {
            Self::Direct(counter) => counter.increment(by),
            Self::Gathered(gathered) => gathered.stripes.add(by),
        }
    }
}

/// A gauge of the recorder that goes up and down by one.
#[cfg(feature = "errors")]
pub(crate) enum Level {
    Direct(Gauge),
    Gathered(Arc<Gathered>),
}

#[cfg(feature = "errors")]
impl Level {
    #[inline]
    pub(crate) fn up(&self) {
        match self {
            Self::Direct(gauge) => gauge.increment(1.0),
            Self::Gathered(gathered) => gathered.stripes.add(1),
        }
    }

    #[inline]
    pub(crate) fn down(&self) {
        match self {
            Self::Direct(gauge) => gauge.decrement(1.0),
            // Below zero by wrapping around: only the sum of all stripes means something.
            Self::Gathered(gathered) => gathered.stripes.add(u64::MAX),
        }
    }
}

/// What has been counted and not yet passed on.
pub(crate) struct Gathered {
    stripes: Stripes,
    to: To,
}

enum To {
    Counter(Counter),
    #[cfg(feature = "errors")]
    Gauge(Gauge),
}

impl Gathered {
    fn pass_on(&self) {
        match &self.to {
            To::Counter(counter) => match self.stripes.take() {
                0 => {}
                count => counter.increment(count),
            },
            #[cfg(feature = "errors")]
            To::Gauge(gauge) => {
                // Who is subtracted before he is added, on another stripe, shows for a moment.
                let level = self.stripes.sum().cast_signed().max(0);
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "requests in flight, in whole numbers"
                )]
                gauge.set(level as f64);
            }
        }
    }
}

/// Everything that is gathered, of all families.
pub(crate) struct Gatherer {
    all: Mutex<Vec<Arc<Gathered>>>,
    stripes: usize,
}

impl Gatherer {
    pub(super) fn new() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self {
            all: Mutex::default(),
            stripes: cores.next_power_of_two().min(MOST_STRIPES),
        }
    }

    pub(super) fn counter(&self, counter: Counter) -> Count {
        Count::Gathered(self.gather(To::Counter(counter)))
    }

    #[cfg(feature = "errors")]
    pub(super) fn gauge(&self, gauge: Gauge) -> Level {
        Level::Gathered(self.gather(To::Gauge(gauge)))
    }

    fn gather(&self, to: To) -> Arc<Gathered> {
        let gathered = Arc::new(Gathered {
            stripes: Stripes::new(self.stripes),
            to,
        });
        self.all().push(Arc::clone(&gathered));
        gathered
    }

    pub(super) fn pass_on(&self) {
        self.all().iter().for_each(|gathered| gathered.pass_on());
    }

    fn all(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Gathered>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Gatherer {
    fn drop(&mut self) {
        self.pass_on();
    }
}

/// One number, in as many parts as there are cores. Each thread adds to one of them, so that cores do
/// not take a cache line from each other at every request.
struct Stripes(Box<[Stripe]>);

/// Two lines: processors fetch them in pairs.
#[repr(align(128))]
#[derive(Default)]
struct Stripe(AtomicU64);

/// Beyond this, threads share: the memory of a series is bounded.
const MOST_STRIPES: usize = 16;

impl Stripes {
    /// A power of two of them.
    fn new(count: usize) -> Self {
        Self((0..count).map(|_| Stripe::default()).collect())
    }

    #[inline]
    fn add(&self, count: u64) {
        let stripe = place() & (self.0.len() - 1);
        // Relaxed, here and below: a number alone, and nothing else is ordered by it.
        self.0[stripe].0.fetch_add(count, Ordering::Relaxed);
    }

    fn take(&self) -> u64 {
        self.sum_of(|part| part.swap(0, Ordering::Relaxed))
    }

    #[cfg(feature = "errors")]
    fn sum(&self) -> u64 {
        self.sum_of(|part| part.load(Ordering::Relaxed))
    }

    fn sum_of(&self, part: impl Fn(&AtomicU64) -> u64) -> u64 {
        let parts = self.0.iter().map(|stripe| part(&stripe.0));
        parts.fold(0, u64::wrapping_add)
    }
}

/// The number of this thread, in the order in which threads first count something.
#[inline]
fn place() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static PLACE: Cell<Option<usize>> = const { Cell::new(None) };
    }
    PLACE.with(|place| {
        place.get().unwrap_or_else(|| {
            let next = NEXT.fetch_add(1, Ordering::Relaxed);
            place.set(Some(next));
            next
        })
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use ::metrics::CounterFn;

    use super::*;

    /// What a recorder keeps of one counter.
    #[derive(Default)]
    struct Told(AtomicU64);

    impl CounterFn for Told {
        fn increment(&self, by: u64) {
            self.0.fetch_add(by, Ordering::Relaxed);
        }

        fn absolute(&self, _: u64) {
            unreachable!("it is added to");
        }
    }

    fn told() -> (Arc<Told>, Counter) {
        let told = Arc::new(Told::default());
        (Arc::clone(&told), Counter::from_arc(told))
    }

    #[test]
    fn what_is_gathered_is_told_when_it_is_passed_on_and_at_the_end() {
        let (told, counter) = told();
        let gatherer = Gatherer::new();
        let count = gatherer.counter(counter);
        count.increment(2);
        assert_eq!(told.0.load(Ordering::Relaxed), 0);
        gatherer.pass_on();
        gatherer.pass_on();
        assert_eq!(told.0.load(Ordering::Relaxed), 2);
        count.increment(3);
        drop(gatherer);
        assert_eq!(told.0.load(Ordering::Relaxed), 5);
    }

    #[test]
    fn threads_that_count_while_it_is_passed_on_lose_nothing() {
        let (told, counter) = told();
        // Fewer stripes than threads: some share.
        let gatherer = Gatherer {
            all: Mutex::default(),
            stripes: 2,
        };
        let count = gatherer.counter(counter);
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let counting: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..10_000).for_each(|_| count.increment(1))))
                .collect();
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    gatherer.pass_on();
                }
            });
            for thread in counting {
                thread.join().unwrap();
            }
            done.store(true, Ordering::Relaxed);
        });
        gatherer.pass_on();
        assert_eq!(told.0.load(Ordering::Relaxed), 40_000);
    }

    #[test]
    fn a_level_is_the_sum_of_all_threads() {
        let stripes = Stripes::new(4);
        stripes.add(1);
        stripes.add(1);
        thread::scope(|scope| scope.spawn(|| stripes.add(u64::MAX)).join()).unwrap();
        assert_eq!(stripes.sum_of(|part| part.load(Ordering::Relaxed)), 1);
    }
}
