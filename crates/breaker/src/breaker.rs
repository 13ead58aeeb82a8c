//! The breaker itself: admits calls, takes in their results.

use crate::clock::Time;
use crate::config::IgnoredAs;
use crate::machine::{Admission, Settlement, Step, To};
use crate::observer::{End, Reports};
use crate::outcome::Sample;
use crate::rules::{Rules, Stamp};
use crate::sync::{AtomicU32, AtomicU64, Mutex, Ordering, Padded};
use crate::window::Window;
use crate::word::{Grant, Phase, Word};
use crate::{Cause, Completion, Ending, Observer, OwnedPermit, Permit, Rejected, State};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

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
    /// Whether a success in a quiet streak is all there is to a call.
    plain: bool,
    pub(crate) time: Time,
    pub(crate) name: Arc<str>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
}

/// What a permit holds besides its breaker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    grant: Grant,
    /// Nanoseconds, where the rules want them.
    started: u64,
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
            state: Padded(AtomicU64::new(Word::new(1, Phase::Closed { announced: false }).0)),
            plain: observer.is_none() && matches!(window, Window::Streak(_)),
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
        self.admit().map(|ticket| OwnedPermit::new(Arc::clone(self), ticket))
    }

    #[inline]
    pub(crate) fn admit(&self) -> Result<Ticket, Rejected> {
        // Acquire: whoever records for this generation must see that it has begun.
        let word = Word(self.state.load(Ordering::Acquire));
        if word.grant().is_closed() {
            return Ok(self.ticket(word));
        }
        self.admit_guarded()
    }

    /// Admission when not plainly closed.
    #[inline(never)]
    fn admit_guarded(&self) -> Result<Ticket, Rejected> {
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
                    if let Some(word) = self.turn(|word, since| {
                        self.rules.laws.overdue(word.phase(), since, now, 1)
                    }) && word.grant().is_half_open()
                    {
                        return Ok(self.ticket(word));
                    }
                }
                Admission::Reject(wait) => {
                    let state = State::from(word.phase());
                    let rejected = Rejected::new(state, wait.map(Duration::from_millis));
                    if let Some(observer) = &self.observer {
                        observer.rejected(&self.name, &rejected);
                    }
                    return Err(rejected);
                }
            }
        }
    }

    #[inline]
    fn ticket(&self, word: Word) -> Ticket {
        let started = if self.rules.stamp == Stamp::Never { 0 } else { self.stamp() };
        Ticket { grant: word.grant(), started }
    }

    fn stamp(&self) -> u64 {
        match self.rules.stamp {
            Stamp::Never => 0,
            Stamp::Coarse => self.time.coarse_nanos(),
            Stamp::Precise => self.time.precise_nanos(),
        }
    }

    /// Takes in how an admitted call ended.
    #[inline]
    pub(crate) fn complete(&self, ticket: Ticket, end: End) {
        if self.plain
            && end.ending == Ending::Success
            && ticket.grant.is_closed()
            && let Window::Streak(streak) = &*self.window
            && streak.is_quiet()
        {
            return;
        }
        self.complete_counted(ticket, end);
    }

    #[inline(never)]
    fn complete_counted(&self, ticket: Ticket, end: End) {
        let elapsed = self.elapsed(ticket);
        let slow = matches!((elapsed, self.rules.slow_after), (Some(took), Some(slow)) if took >= slow);
        let late = self.take_in(ticket, self.sample(end.ending, slow), end.floor);
        if let Some(observer) = &self.observer {
            let elapsed = elapsed.map(Duration::from_nanos);
            let completion = Completion { ending: end.ending, slow, late, elapsed };
            observer.completed(&self.name, &completion);
        }
    }

    /// A permit that was dropped without a report.
    #[cold]
    pub(crate) fn abandon(&self, ticket: Ticket, panicked: bool) {
        if panicked {
            return self.complete(ticket, End { ending: Ending::Panicked, floor: None });
        }
        // Should the user's closure panic, the place among the probes is given back all the same.
        let mut fallback = Fallback { breaker: self, ticket: Some(ticket) };
        let age = || Duration::from_nanos(self.elapsed(ticket).unwrap_or(0));
        let end = match self.rules.on_drop.judge(age) {
            Some(outcome) => End::from(outcome),
            None => End { ending: Ending::Dropped, floor: None },
        };
        fallback.ticket = None;
        self.complete(ticket, end);
    }

    fn elapsed(&self, ticket: Ticket) -> Option<u64> {
        (self.rules.stamp != Stamp::Never).then(|| self.stamp().saturating_sub(ticket.started))
    }

    /// How a call counts; `None` if it does not.
    fn sample(&self, ending: Ending, slow: bool) -> Option<Sample> {
        match ending {
            Ending::Success => Some(Sample { bad: false, slow }),
            Ending::Failure | Ending::Panicked => Some(Sample { bad: true, slow }),
            Ending::Ignored if self.rules.ignored_as == IgnoredAs::Success => {
                Some(Sample { bad: false, slow })
            }
            Ending::Ignored | Ending::Dropped => None,
        }
    }

    /// Returns whether the result came too late to count.
    fn take_in(&self, ticket: Ticket, sample: Option<Sample>, floor: Option<Duration>) -> bool {
        if ticket.grant.is_half_open() {
            return self.take_in_probe(ticket, sample, floor);
        }
        let word = self.word();
        if word.grant() != ticket.grant {
            return true;
        }
        let Some(sample) = sample else { return false };
        if word.phase() == Phase::Disabled {
            return false;
        }
        let live = || self.word().grant() == ticket.grant;
        let generation = ticket.grant.generation();
        let counts = self.window.record(generation, sample, live, || self.time.millis());
        if let Some(counts) = counts
            && self.rules.judge.condemns(counts, sample)
        {
            self.trip(ticket.grant, counts, floor);
        }
        false
    }

    /// Opens, or says that it would: once in a generation, whoever comes first.
    #[cold]
    fn trip(&self, grant: Grant, counts: crate::Counts, floor: Option<Duration>) {
        if grant.is_closed() && !self.rules.dry_run {
            let now = self.time.millis();
            let step = Step { to: To::Open(floor), at: now, cause: Cause::Tripped(counts) };
            self.turn(|word, _| (word.grant() == grant).then_some(step));
            return;
        }
        loop {
            let word = self.word();
            let announced = match word.phase() {
                Phase::Closed { announced: false } => Phase::Closed { announced: true },
                Phase::MetricsOnly { announced: false } => Phase::MetricsOnly { announced: true },
                _ => return,
            };
            if word.grant() != grant {
                return;
            }
            if self.swap(word, word.with(announced)) {
                if let Some(observer) = &self.observer {
                    observer.threshold_reached(&self.name, &counts);
                }
                return;
            }
        }
    }

    fn take_in_probe(
        &self,
        ticket: Ticket,
        sample: Option<Sample>,
        floor: Option<Duration>,
    ) -> bool {
        let laws = &self.rules.laws;
        let now = self.time.millis();
        loop {
            let word = self.word();
            if word.grant() != ticket.grant {
                return true;
            }
            if laws.is_overdue(self.since.load(Ordering::Acquire), now) {
                // Too late by the clock, whether or not anybody has noticed yet.
                self.turn(|word, since| laws.overdue(word.phase(), since, now, 0));
                continue;
            }
            let verdict = |word: Word| {
                let Phase::HalfOpen(probes) = word.phase() else { return None };
                let (to, cause) = match laws.settle(probes, sample) {
                    Settlement::Close => (To::Closed, Cause::ProbesPassed),
                    Settlement::Open => (To::Open(floor), Cause::ProbesFailed),
                    Settlement::Undecided(probes) => return Some(Err(probes)),
                };
                Some(Ok(Step { to, at: now, cause }))
            };
            match verdict(word) {
                Some(Err(probes)) => {
                    if self.swap(word, word.with(Phase::HalfOpen(probes))) {
                        return false;
                    }
                }
                Some(Ok(_)) => {
                    // The step is worked out again under the lock, from the word that it replaces.
                    let decided = self.turn(|word, _| {
                        let ours = word.grant() == ticket.grant;
                        ours.then(|| verdict(word)).flatten().and_then(Result::ok)
                    });
                    if decided.is_some() {
                        return false;
                    }
                }
                None => return true,
            }
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
            self.state.compare_exchange(from.0, to.0, Ordering::AcqRel, Ordering::Relaxed);
        swapped.is_ok()
    }
}

/// Completes a ticket as ignored, unless it is taken away before.
struct Fallback<'a> {
    breaker: &'a CircuitBreaker,
    ticket: Option<Ticket>,
}

impl Drop for Fallback<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.breaker.complete(ticket, End { ending: Ending::Dropped, floor: None });
        }
    }
}

impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreaker")
            .field("name", &self.name)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
