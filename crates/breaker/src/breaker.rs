//! The breaker itself, and how it admits calls.

use crate::clock::Time;
use crate::machine::Admission;
use crate::observer::Reports;
use crate::rules::{Rules, Stamp};
use crate::sync::{AtomicU32, AtomicU64, Mutex, Ordering, Padded};
use crate::window::Window;
use crate::word::{Grant, Phase, Word};
use crate::{Observer, OwnedPermit, Permit, Rejected, State};
use std::fmt;
use std::sync::Arc;

/// Stops calling what does not answer, and finds out when it does again.
///
/// One breaker guards one dependency. It is not cloned; share it by reference or in an [`Arc`], and
/// keep that `Arc` where it lives as long as the dependency is used. A middleware that builds its
/// own breaker each time the framework clones it never opens.
///
/// Build one with [`consecutive`](Self::consecutive), [`count_window`](Self::count_window),
/// [`time_window`](Self::time_window), [`k_of_n`](Self::k_of_n) or
/// [`from_config`](Self::from_config).
pub struct CircuitBreaker {
    /// Read by every call, written at transitions and by probes.
    pub(crate) state: Padded<AtomicU64>,
    pub(crate) window: Padded<Window>,
    /// When the present phase began. Written under `turn`.
    pub(crate) since: AtomicU64,
    /// Openings since the last closing. Written under `turn`.
    pub(crate) opens: AtomicU32,
    /// Held while the generation changes, and only then. A transition is rare and brief, and under
    /// a lock its order, its date and its report cannot disagree.
    pub(crate) turn: Mutex<()>,
    pub(crate) reports: Reports,
    pub(crate) rules: Rules,
    /// Whether somebody wants to know of every call, its time or its end.
    pub(crate) noted: bool,
    pub(crate) time: Time,
    pub(crate) name: Arc<str>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
}

/// What a permit holds besides its breaker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    pub(crate) grant: Grant,
    /// Nanoseconds, where the rules want them.
    pub(crate) started: u64,
}

impl CircuitBreaker {
    pub(crate) fn assemble(
        rules: Rules,
        time: Time,
        name: Arc<str>,
        observer: Option<Arc<dyn Observer>>,
    ) -> Self {
        let window = rules.window();
        Self {
            // Generations start at 1: a window whose words are zero belongs to none.
            state: Padded(AtomicU64::new(
                Word::new(1, Phase::Closed { announced: false }).0,
            )),
            noted: observer.is_some() || rules.stamp != Stamp::Never,
            window: Padded(window),
            since: AtomicU64::new(0),
            opens: AtomicU32::new(0),
            turn: Mutex::new(()),
            reports: Reports::new(),
            rules,
            time,
            name,
            observer,
        }
    }

    /// Asks to make a call. Report what came of it to the permit.
    ///
    /// # Errors
    ///
    /// [`Rejected`] while open, while half-open with all probes out, and while forced open.
    ///
    /// # Examples
    ///
    /// Two steps fit what a closure does not, such as a stream whose failure comes late:
    ///
    /// ```
    /// use seawall_breaker::CircuitBreaker;
    ///
    /// let breaker = CircuitBreaker::consecutive(5).build()?;
    ///
    /// let permit = breaker.try_acquire()?;
    /// let lines = ["one", "two"].map(Ok::<_, std::io::Error>);
    /// if lines.into_iter().all(|line| line.is_ok()) {
    ///     permit.success();
    /// } else {
    ///     permit.failure();
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Cost
    ///
    /// Closed: one load, and no reading of the clock unless slow calls or the age of dropped calls
    /// matter. Open: one load and one reading of the coarse clock. Half-open: one
    /// compare-and-swap.
    #[inline]
    pub fn try_acquire(&self) -> Result<Permit<'_>, Rejected> {
        self.admit().map(|ticket| Permit::new(self, ticket))
    }

    /// As [`try_acquire`](Self::try_acquire), with a permit that holds the breaker itself, for
    /// futures and tasks that outlive the borrow.
    ///
    /// # Errors
    ///
    /// As [`try_acquire`](Self::try_acquire).
    #[inline]
    pub fn try_acquire_owned(self: &Arc<Self>) -> Result<OwnedPermit, Rejected> {
        self.admit()
            .map(|ticket| OwnedPermit::new(Arc::clone(self), ticket))
    }

    #[inline]
    pub(crate) fn admit(&self) -> Result<Ticket, Rejected> {
        // Acquire: whoever records for this generation must see that it has begun.
        let word = Word(self.state.load(Ordering::Acquire));
        if word.grant().is_closed() {
            return Ok(self.ticket(word));
        }
        self.admit_guarded(word)
    }

    /// Admission when not plainly closed.
    #[inline(never)]
    fn admit_guarded(&self, word: Word) -> Result<Ticket, Rejected> {
        // What a dependency that is down costs: decided from one word and one reading of the clock.
        if let Phase::Open { until } = word.phase()
            && let wait @ 1.. = until.saturating_sub(self.time.millis())
        {
            return Err(self.rejection(State::Open, Some(wait)));
        }
        self.admit_by_law()
    }

    /// Admission when more than a deadline decides.
    #[cold]
    fn admit_by_law(&self) -> Result<Ticket, Rejected> {
        loop {
            let word = self.word();
            let now = self.time.millis();
            // `since` may belong to the generation before. Then it is too early rather than too
            // late, and whatever is overdue on account of it is looked at again under the lock.
            let since = self.since.load(Ordering::Acquire);
            match self.rules.laws.admit(word.phase(), since, now) {
                Admission::Pass => return Ok(self.ticket(word)),
                Admission::Probe(phase) => {
                    if self.swap(word, word.with(phase)) {
                        return Ok(self.ticket(word));
                    }
                }
                Admission::Overdue => {
                    // Whoever makes the transition to half-open is the first probe.
                    if let Some(word) = self
                        .turn(|word, since| self.rules.laws.overdue(word.phase(), since, now, 1))
                        && word.grant().is_half_open()
                    {
                        return Ok(self.ticket(word));
                    }
                }
                Admission::Reject(wait) => {
                    return Err(self.rejection(State::from(word.phase()), wait));
                }
            }
        }
    }

    #[inline]
    fn rejection(&self, state: State, wait: Option<u64>) -> Rejected {
        let rejected = Rejected::new(state, wait);
        if self.observer.is_some() {
            self.tell_rejected(rejected);
        }
        rejected
    }

    // Out of line: the address of a rejection would keep it out of the registers.
    #[inline(never)]
    fn tell_rejected(&self, rejected: Rejected) {
        if let Some(observer) = &self.observer {
            observer.rejected(&self.name, &rejected);
        }
    }

    #[inline]
    fn ticket(&self, word: Word) -> Ticket {
        let started = if self.noted { self.stamp() } else { 0 };
        Ticket {
            grant: word.grant(),
            started,
        }
    }

    pub(crate) fn stamp(&self) -> u64 {
        match self.rules.stamp {
            Stamp::Never => 0,
            Stamp::Coarse => self.time.coarse_nanos(),
            Stamp::Precise => self.time.precise_nanos(),
        }
    }

    /// The name given to the builder.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn word(&self) -> Word {
        Word(self.state.load(Ordering::Acquire))
    }

    /// Release: what was recorded under a word is seen by whoever sees its successor. Acquire: the
    /// swapped word's own history is seen before anything is done on the strength of it.
    pub(crate) fn swap(&self, from: Word, to: Word) -> bool {
        let swapped =
            self.state
                .compare_exchange(from.0, to.0, Ordering::AcqRel, Ordering::Relaxed);
        swapped.is_ok()
    }
}

// A panic under the breaker leaves it whole: no lock is held while code of the user runs, and each
// word is replaced in one step. Only the trait objects keep the compiler from seeing it.
impl std::panic::UnwindSafe for CircuitBreaker {}
impl std::panic::RefUnwindSafe for CircuitBreaker {}

impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreaker")
            .field("name", &self.name)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
