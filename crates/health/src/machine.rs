//! The pure part: what a check's results so far amount to.

use std::time::{Duration, Instant};

use crate::{Fault, State};

/// How many results in a row change a check's state, and how long a result is believed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) fail_after: u32,
    pub(crate) recover_after: u32,
    pub(crate) greatest_age: Option<Duration>,
}

/// What is known of a check.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    state: State,
    /// Results in a row that speak against the state.
    against: u32,
    last: Option<Instant>,
    /// The last result that was an answer. A timeout is none: it tells how long one waited, and
    /// nothing new about who was asked.
    answered: Option<Instant>,
    passed_once: bool,
}

impl Standing {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Pending,
            against: 0,
            last: None,
            answered: None,
            passed_once: false,
        }
    }

    /// Takes a result of `now` into account.
    pub(crate) fn observe(&mut self, result: Result<(), Fault>, now: Instant, rules: Rules) {
        self.last = Some(now);
        if result != Err(Fault::Timeout) {
            self.answered = Some(now);
        }
        self.passed_once |= result.is_ok();
        self.state = match (self.state, result) {
            // The first pass of all counts at once; until then there is nothing to speak against.
            (State::Pending, Ok(())) => self.settle(State::Pass),
            (State::Pass, Ok(())) => self.settle(State::Pass),
            (State::Fail(_), Err(fault)) => self.settle(State::Fail(fault)),
            (State::Fail(_), Ok(())) => self.oppose(State::Pass, rules.recover_after),
            (_, Err(fault)) => self.oppose(State::Fail(fault), rules.fail_after),
        };
    }

    fn settle(&mut self, state: State) -> State {
        self.against = 0;
        state
    }

    fn oppose(&mut self, other: State, needed: u32) -> State {
        self.against = self.against.saturating_add(1);
        if self.against >= needed {
            self.settle(other)
        } else {
            self.state
        }
    }

    /// The state at `now`: an old answer is worth nothing, however many timeouts in a row it takes
    /// to fail.
    pub(crate) fn state(&self, now: Instant, rules: Rules) -> State {
        let age = self
            .answered
            .map(|answered| now.saturating_duration_since(answered));
        match (self.state, age, rules.greatest_age) {
            // While runs do end, by their timeout, that is the better name for what is wrong.
            (State::Fail(Fault::Timeout), ..) if !self.is_silent(now, rules) => self.state,
            (_, Some(age), Some(greatest)) if age > greatest => State::Fail(Fault::Stale),
            _ => self.state,
        }
    }

    /// Whether not even a timeout has been noted for so long that nobody seems to ask any more.
    fn is_silent(&self, now: Instant, rules: Rules) -> bool {
        matches!((self.age(now), rules.greatest_age), (Some(age), Some(greatest)) if age > greatest)
    }

    /// The age of the last result.
    pub(crate) fn age(&self, now: Instant) -> Option<Duration> {
        self.last.map(|last| now.saturating_duration_since(last))
    }

    /// Whether any run has ever passed.
    pub(crate) fn passed_once(&self) -> bool {
        self.passed_once
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Feeds results, one a second (`+` passes, `-` fails), and tells the state after each.
    fn check(fail_after: u32, recover_after: u32, results: &str, expected: &str) {
        let rules = Rules {
            fail_after,
            recover_after,
            greatest_age: None,
        };
        let mut standing = Standing::new();
        let mut now = crate::clock::now();
        let states: String = results
            .chars()
            .map(|result| {
                now += SECOND;
                let result = if result == '+' {
                    Ok(())
                } else {
                    Err(Fault::Error)
                };
                standing.observe(result, now, rules);
                letter(standing.state(now, rules))
            })
            .collect();
        assert_eq!(states, expected, "after {results}");
    }

    fn letter(state: State) -> char {
        match state {
            State::Pending => '?',
            State::Pass => 'P',
            State::Fail(_) => 'F',
        }
    }

    #[test]
    fn the_first_pass_counts_at_once() {
        check(3, 2, "+", "P");
        check(3, 2, "--+", "??P");
    }

    #[test]
    fn fails_after_so_many_in_a_row() {
        check(3, 1, "+--+---", "PPPPPPF");
        check(1, 1, "+-", "PF");
        check(3, 1, "---", "??F");
    }

    #[test]
    fn recovers_after_so_many_in_a_row() {
        check(1, 3, "-++-+++", "FFFFFFP");
        check(1, 1, "-+", "FP");
    }

    #[test]
    fn the_latest_fault_is_told() {
        let rules = Rules {
            fail_after: 1,
            recover_after: 2,
            greatest_age: None,
        };
        let mut standing = Standing::new();
        let now = crate::clock::now();
        standing.observe(Err(Fault::Timeout), now, rules);
        standing.observe(Ok(()), now, rules);
        standing.observe(Err(Fault::Refused), now, rules);
        assert_eq!(standing.state(now, rules), State::Fail(Fault::Refused));
    }

    #[test]
    fn an_old_result_is_stale_and_a_new_one_is_what_it_is() {
        let rules = Rules {
            fail_after: 1,
            recover_after: 1,
            greatest_age: Some(SECOND),
        };
        let mut standing = Standing::new();
        let now = crate::clock::now();
        assert_eq!(standing.state(now + 9 * SECOND, rules), State::Pending);
        standing.observe(Ok(()), now, rules);
        assert_eq!(standing.state(now + SECOND, rules), State::Pass);
        let late = now + SECOND + Duration::from_nanos(1);
        assert_eq!(standing.state(late, rules), State::Fail(Fault::Stale));
        standing.observe(Ok(()), late, rules);
        assert_eq!(standing.state(late, rules), State::Pass);
    }

    #[test]
    fn timeouts_do_not_keep_an_answer_young() {
        let rules = Rules {
            fail_after: 1000,
            recover_after: 1,
            greatest_age: Some(3 * SECOND),
        };
        let mut standing = Standing::new();
        let now = crate::clock::now();
        standing.observe(Ok(()), now, rules);
        for second in 1..=4 {
            standing.observe(Err(Fault::Timeout), now + second * SECOND, rules);
        }
        assert_eq!(
            standing.state(now + 3 * SECOND, rules),
            State::Pass,
            "not yet"
        );
        let late = now + 4 * SECOND;
        assert_eq!(standing.state(late, rules), State::Fail(Fault::Stale));
        assert_eq!(standing.age(late), Some(Duration::ZERO), "asked just now");
        standing.observe(Err(Fault::Error), late, rules);
        assert_eq!(
            standing.state(late, rules),
            State::Pass,
            "one of a thousand"
        );
    }

    #[test]
    fn a_check_that_fails_by_timeouts_says_so_while_it_is_asked() {
        let rules = Rules {
            fail_after: 1,
            recover_after: 1,
            greatest_age: Some(3 * SECOND),
        };
        let mut standing = Standing::new();
        let now = crate::clock::now();
        standing.observe(Ok(()), now, rules);
        standing.observe(Err(Fault::Timeout), now + 9 * SECOND, rules);
        let timeout = State::Fail(Fault::Timeout);
        assert_eq!(standing.state(now + 12 * SECOND, rules), timeout);
        let late = now + 13 * SECOND;
        assert_eq!(standing.state(late, rules), State::Fail(Fault::Stale));
    }

    proptest! {
        /// The model looks back over all results for the last run of equal ones that was long enough.
        #[test]
        fn agrees_with_a_look_back(
            fail_after in 1..4_u32,
            recover_after in 1..4_u32,
            results in proptest::collection::vec(any::<bool>(), 0..40),
        ) {
            let mut states = String::new();
            let mut state = '?';
            for end in 1..=results.len() {
                let past = &results[..end];
                let last = past[end - 1];
                let in_a_row = past.iter().rev().take_while(|&&result| result == last).count();
                let in_a_row = u32::try_from(in_a_row).unwrap();
                state = match (state, last) {
                    ('?', true) => 'P',
                    ('F', true) if in_a_row >= recover_after => 'P',
                    ('?' | 'P', false) if in_a_row >= fail_after => 'F',
                    (state, _) => state,
                };
                states.push(state);
            }
            let results: String = results.iter().map(|&ok| if ok { '+' } else { '-' }).collect();
            check(fail_after, recover_after, &results, &states);
        }
    }
}
