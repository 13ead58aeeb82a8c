//! Changes of state: one at a time, each dated, counted and told.

use crate::machine::{Moment, Step};
use crate::sync::{Ordering, lock};
use crate::word::{Phase, Word};
use crate::{CircuitBreaker, State, Transition};
use std::time::Duration;

impl CircuitBreaker {
    /// Makes the transition that `decide` derives from the present word, and from when its phase
    /// began, and returns the new word; `None` if it derives none.
    ///
    /// The generation changes only here, under the lock. Without the lock only the payload of a
    /// word changes, and then the question is put again.
    pub(crate) fn turn(&self, mut decide: impl FnMut(Word, u64) -> Option<Step>) -> Option<Word> {
        let made = {
            let _turn = lock(&self.turn);
            loop {
                let word = self.word();
                let step = decide(word, self.since.load(Ordering::Relaxed))?;
                let generation = word.generation() + 1;
                let opens = self.opens.load(Ordering::Relaxed);
                let (phase, opens) = self.rules.laws.enter(step, generation, opens);
                let next = word.next(phase);
                if !self.swap(word, next) {
                    continue;
                }
                self.opens.store(opens, Ordering::Relaxed);
                // Release: who reads this date without the lock reads it after the word. Dates
                // only move forward, so an old one makes a phase look older than it is, which the
                // lock then corrects.
                self.since.store(step.at, Ordering::Release);
                if self.observer.is_some() {
                    self.reports.push(report(word, next, step));
                }
                break next;
            }
        };
        if let Some(observer) = &self.observer {
            self.reports
                .tell(|transition| observer.transition(&self.name, transition));
        }
        Some(made)
    }

    /// Phase, date and openings as they belong together.
    pub(crate) fn moment(&self) -> Moment {
        let _turn = lock(&self.turn);
        let word = self.word();
        Moment {
            phase: word.phase(),
            since: self.since.load(Ordering::Relaxed),
            opens: self.opens.load(Ordering::Relaxed),
            generation: word.generation(),
        }
    }
}

fn report(from: Word, to: Word, step: Step) -> Transition {
    let open_for = match to.phase() {
        Phase::Open { until } => Some(Duration::from_millis(until.saturating_sub(step.at))),
        _ => None,
    };
    Transition {
        from: State::from(from.phase()),
        to: State::from(to.phase()),
        cause: step.cause,
        generation: to.generation(),
        open_for,
    }
}
