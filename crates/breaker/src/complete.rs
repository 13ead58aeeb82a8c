//! How a breaker takes in what became of the calls that it admitted.

use crate::breaker::Ticket;
use crate::config::IgnoredAs;
use crate::machine::{Settlement, Step, To};
use crate::observer::End;
use crate::outcome::Sample;
use crate::rules::Stamp;
use crate::sync::Ordering;
use crate::word::{Grant, Phase, Word};
use crate::{Cause, CircuitBreaker, Completion, Counts, Ending, Outcome};
use std::time::Duration;

impl CircuitBreaker {
    /// Takes in what is said of an admitted call.
    #[inline]
    pub(crate) fn report(&self, ticket: Ticket, outcome: Outcome) {
        if outcome == Outcome::Success
            && !self.noted
            && ticket.grant.is_closed()
            && self.window.is_quiet(ticket.grant.generation())
        {
            return;
        }
        self.report_counted(ticket, outcome);
    }

    // Out of line, so that a healthy call builds nothing of what this wants to know.
    #[inline(never)]
    fn report_counted(&self, ticket: Ticket, outcome: Outcome) {
        self.complete(ticket, End::from(outcome));
    }

    /// Takes in how an admitted call ended.
    fn complete(&self, ticket: Ticket, end: End) {
        let elapsed = self.elapsed(ticket);
        let slow =
            matches!((elapsed, self.rules.slow_after), (Some(took), Some(slow)) if took >= slow);
        let late = self.take_in(ticket, self.sample(end.ending, slow), end.floor);
        if let Some(observer) = &self.observer {
            let elapsed = elapsed.map(Duration::from_nanos);
            let completion = Completion {
                ending: end.ending,
                slow,
                late,
                elapsed,
            };
            observer.completed(&self.name, &completion);
        }
    }

    /// A permit that was dropped without a report.
    #[cold]
    pub(crate) fn abandon(&self, ticket: Ticket, panicked: bool) {
        if panicked {
            return self.complete(
                ticket,
                End {
                    ending: Ending::Panicked,
                    floor: None,
                },
            );
        }
        // Should the user's closure panic, the place among the probes is given back all the same.
        let mut fallback = Fallback {
            breaker: self,
            ticket: Some(ticket),
        };
        let age = || Duration::from_nanos(self.elapsed(ticket).unwrap_or(0));
        let end = match self.rules.on_drop.judge(age) {
            Some(outcome) => End::from(outcome),
            None => End {
                ending: Ending::Dropped,
                floor: None,
            },
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
        let counts = self
            .window
            .record(generation, sample, live, || self.time.millis());
        if let Some(counts) = counts
            && self.rules.judge.condemns(counts, sample)
        {
            self.trip(ticket.grant, counts, floor);
        }
        false
    }

    /// Opens, or says that it would: once in a generation, whoever comes first.
    #[cold]
    fn trip(&self, grant: Grant, counts: Counts, floor: Option<Duration>) {
        if grant.is_closed() && !self.rules.dry_run {
            let now = self.time.millis();
            let step = Step {
                to: To::Open(floor),
                at: now,
                cause: Cause::Tripped(counts),
            };
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
                let Phase::HalfOpen(probes) = word.phase() else {
                    return None;
                };
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
}

/// Completes a ticket as ignored, unless it is taken away before.
struct Fallback<'a> {
    breaker: &'a CircuitBreaker,
    ticket: Option<Ticket>,
}

impl Drop for Fallback<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.breaker.complete(
                ticket,
                End {
                    ending: Ending::Dropped,
                    floor: None,
                },
            );
        }
    }
}
