//! The state machine: what a call, a result and the passing of time do to a phase.
//!
//! Pure functions over values. They read no clock and know nothing of threads; whoever calls them
//! installs what they say in one compare-and-swap, or asks again.

use crate::half_open::{AfterWait, Verdict};
use crate::open_time::{OpenTime, roll};
use crate::outcome::Sample;
use crate::word::{Phase, Probes};
use crate::{Cause, Ratio};
use std::time::Duration;

/// The rules that outlast the closed phase.
#[derive(Clone, Debug)]
pub(crate) struct Laws {
    pub(crate) open: OpenTime,
    /// Seeds the jitter.
    pub(crate) seed: u64,
    pub(crate) permits: u32,
    pub(crate) verdict: Verdict,
    /// The share of slow probes that opens the breaker again, where probes are sampled.
    pub(crate) slow: Option<Ratio>,
    pub(crate) max_wait: Option<u64>,
    pub(crate) after_wait: AfterWait,
    /// What a caller is told who finds all probes out.
    pub(crate) hint: u64,
}

/// What happens to a call that asks to be let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It goes through and the state stays as it is.
    Pass,
    /// It goes through as a probe, once the phase is this.
    Probe(Phase),
    /// First the breaker must move; then ask again.
    Overdue,
    /// It is rejected, for so many milliseconds if that is known.
    Reject(Option<u64>),
}

/// What a result does to the probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settlement {
    Undecided(Probes),
    Close,
    Open,
}

/// A transition to make: where to, dated when, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) to: To,
    pub(crate) at: u64,
    pub(crate) cause: Cause,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    Closed,
    /// For as long as the open time says, and no less than the floor.
    Open(Option<Duration>),
    /// For this long, whatever the open time says.
    OpenFor(u64),
    /// For this long, as the latest of so many openings in a row.
    OpenAgain {
        wait: u64,
        opens: u32,
    },
    HalfOpen(Probes),
    ForcedOpen,
    Disabled,
    MetricsOnly,
}

impl Laws {
    /// What happens to a call that arrives `now`. `since` is when half-open was entered.
    pub(crate) fn admit(&self, phase: Phase, since: u64, now: u64) -> Admission {
        match phase {
            Phase::Closed { .. } | Phase::Disabled | Phase::MetricsOnly { .. } => Admission::Pass,
            Phase::ForcedOpen => Admission::Reject(None),
            Phase::Open { until } if now >= until => Admission::Overdue,
            Phase::Open { until } => Admission::Reject(Some(until - now)),
            Phase::HalfOpen(_) if self.is_overdue(since, now) => Admission::Overdue,
            Phase::HalfOpen(probes) => {
                let asked = probes.in_flight + probes.results();
                if probes.in_flight < self.permits && asked < self.verdict.need() {
                    let in_flight = probes.in_flight + 1;
                    Admission::Probe(Phase::HalfOpen(Probes {
                        in_flight,
                        ..probes
                    }))
                } else {
                    Admission::Reject(Some(self.hint.min(self.wait_left(since, now))))
                }
            }
        }
    }

    /// The transition that time alone demands, if any. `arriving` calls become the first probes.
    pub(crate) fn overdue(
        &self,
        phase: Phase,
        since: u64,
        now: u64,
        arriving: u32,
    ) -> Option<Step> {
        let probes = Probes {
            in_flight: arriving,
            ..Probes::default()
        };
        match phase {
            Phase::Open { until } if now >= until => Some(Step {
                to: To::HalfOpen(probes),
                at: now,
                cause: Cause::WaitOver,
            }),
            Phase::HalfOpen(_) if self.is_overdue(since, now) => {
                let over = since.saturating_add(self.max_wait.unwrap_or(0));
                let (to, at) = match self.after_wait {
                    // New probes get the whole time, so theirs starts with the first of them.
                    AfterWait::Reprobe => (To::HalfOpen(probes), now),
                    AfterWait::Open => (To::Open(None), over),
                    AfterWait::Closed => (To::Closed, over),
                };
                Some(Step {
                    to,
                    at,
                    cause: Cause::NoVerdict,
                })
            }
            _ => None,
        }
    }

    /// Whether the probes should have given their verdict by now.
    pub(crate) fn is_overdue(&self, since: u64, now: u64) -> bool {
        self.wait_left(since, now) == 0
    }

    /// How long the probes still have; `u64::MAX` without a limit.
    fn wait_left(&self, since: u64, now: u64) -> u64 {
        self.max_wait.map_or(u64::MAX, |wait| {
            since.saturating_add(wait).saturating_sub(now)
        })
    }

    /// The result of a probe; `None` is one that does not count.
    pub(crate) fn settle(&self, probes: Probes, sample: Option<Sample>) -> Settlement {
        let mut probes = Probes {
            in_flight: probes.in_flight.saturating_sub(1),
            ..probes
        };
        let Some(sample) = sample else {
            return Settlement::Undecided(probes);
        };
        probes.ok += u32::from(!sample.bad);
        probes.bad += u32::from(sample.bad);
        probes.slow += u32::from(sample.slow);
        let (close, open) = match self.verdict {
            Verdict::AllOf { probes: need } => (probes.ok >= need, sample.bad),
            Verdict::KOfN { successes, size } => {
                (probes.ok >= successes, probes.bad > size - successes)
            }
            Verdict::Sample {
                size,
                failures,
                strict: true,
            } => (
                probes.results() >= size,
                failures.exceeded(probes.bad, size),
            ),
            Verdict::Sample {
                size,
                failures,
                strict: false,
            } => {
                let done = probes.results() >= size;
                let bad = failures.reached(probes.bad, size)
                    || self
                        .slow
                        .is_some_and(|slow| slow.reached(probes.slow, size));
                (done, done && bad)
            }
        };
        // Both may hold at the last result of a sample, and then the failures decide.
        match (open, close) {
            (true, _) => Settlement::Open,
            (false, true) => Settlement::Close,
            (false, false) => Settlement::Undecided(probes),
        }
    }

    /// The phase that a step leads to, and how many openings in a row there are then.
    pub(crate) fn enter(&self, step: Step, generation: u32, opens: u32) -> (Phase, u32) {
        match step.to {
            To::Closed => (Phase::Closed { announced: false }, 0),
            To::Open(floor) => {
                let opens = opens.saturating_add(1);
                let wait = self.open.wait(opens, roll(self.seed, generation), floor);
                (
                    Phase::Open {
                        until: step.at.saturating_add(wait),
                    },
                    opens,
                )
            }
            To::OpenFor(wait) => (
                Phase::Open {
                    until: step.at.saturating_add(wait),
                },
                opens.saturating_add(1),
            ),
            To::OpenAgain { wait, opens } => (
                Phase::Open {
                    until: step.at.saturating_add(wait),
                },
                opens.max(1),
            ),
            To::HalfOpen(probes) => (Phase::HalfOpen(probes), opens),
            To::ForcedOpen => (Phase::ForcedOpen, opens),
            To::Disabled => (Phase::Disabled, opens),
            To::MetricsOnly => (Phase::MetricsOnly { announced: false }, opens),
        }
    }

    /// The phase as a call would find it that arrived `now`: what time demands is done in thought.
    /// The clock is read only where time matters.
    pub(crate) fn effective(&self, from: Moment, now: impl FnOnce() -> u64) -> Phase {
        let Moment {
            mut phase,
            mut since,
            mut opens,
            mut generation,
        } = from;
        if !matches!(phase, Phase::Open { .. } | Phase::HalfOpen(_)) {
            return phase;
        }
        let now = now();
        // At most from half-open by way of open to half-open, whose time starts now.
        while let Some(step) = self.overdue(phase, since, now, 0) {
            generation += 1;
            (phase, opens) = self.enter(step, generation, opens);
            since = step.at;
        }
        phase
    }
}

/// All that the future of a breaker depends on, read at one instant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) phase: Phase,
    pub(crate) since: u64,
    pub(crate) opens: u32,
    pub(crate) generation: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: Sample = Sample {
        bad: false,
        slow: false,
    };
    const BAD: Sample = Sample {
        bad: true,
        slow: false,
    };
    const SLOW: Sample = Sample {
        bad: false,
        slow: true,
    };

    fn laws(verdict: Verdict) -> Laws {
        Laws {
            open: OpenTime {
                base: Duration::from_millis(100),
                ..OpenTime::default()
            },
            seed: 0,
            permits: 2,
            verdict,
            slow: Some(Ratio::percent(50)),
            max_wait: Some(1_000),
            after_wait: AfterWait::Reprobe,
            hint: 70,
        }
    }

    fn all_of(probes: u32) -> Laws {
        laws(Verdict::AllOf { probes })
    }

    fn half_open(in_flight: u32, ok: u32, bad: u32) -> Phase {
        Phase::HalfOpen(Probes {
            in_flight,
            ok,
            bad,
            slow: 0,
        })
    }

    /// Feeds results to fresh probes until one decides.
    #[track_caller]
    fn check(laws: &Laws, samples: &[Sample], expected: Option<Settlement>) {
        let mut probes = Probes::default();
        for (at, sample) in samples.iter().enumerate() {
            probes.in_flight += 1;
            match laws.settle(probes, Some(*sample)) {
                Settlement::Undecided(next) => probes = next,
                verdict => {
                    assert_eq!(at + 1, samples.len(), "decided too early");
                    assert_eq!(Some(verdict), expected);
                    return;
                }
            }
        }
        assert_eq!(expected, None);
        assert_eq!(probes.in_flight, 0);
    }

    #[test]
    fn all_must_succeed() {
        check(&all_of(3), &[OK, OK], None);
        check(&all_of(3), &[OK, SLOW, OK], Some(Settlement::Close));
        check(&all_of(3), &[OK, OK, BAD], Some(Settlement::Open));
        check(&all_of(1), &[BAD], Some(Settlement::Open));
    }

    #[test]
    fn a_sample_decides_when_it_is_complete() {
        let laws = laws(Verdict::Sample {
            size: 4,
            failures: Ratio::percent(50),
            strict: false,
        });
        check(&laws, &[BAD, BAD, BAD], None);
        check(&laws, &[BAD, OK, OK, OK], Some(Settlement::Close));
        check(&laws, &[BAD, BAD, OK, OK], Some(Settlement::Open));
        check(&laws, &[SLOW, SLOW, OK, OK], Some(Settlement::Open));
        check(&laws, &[SLOW, OK, OK, OK], Some(Settlement::Close));
    }

    #[test]
    fn a_strict_sample_opens_as_soon_as_the_share_is_exceeded() {
        let laws = laws(Verdict::Sample {
            size: 4,
            failures: Ratio::percent(50),
            strict: true,
        });
        check(&laws, &[BAD, BAD, BAD], Some(Settlement::Open));
        check(&laws, &[BAD, BAD, OK, OK], Some(Settlement::Close));
        check(&laws, &[OK, BAD, BAD, BAD], Some(Settlement::Open));
    }

    #[test]
    fn k_of_n_decides_as_soon_as_it_can() {
        let laws = laws(Verdict::KOfN {
            successes: 2,
            size: 3,
        });
        check(&laws, &[OK, OK], Some(Settlement::Close));
        check(&laws, &[OK, BAD], None);
        check(&laws, &[BAD, BAD], Some(Settlement::Open));
        check(&laws, &[BAD, OK, OK], Some(Settlement::Close));
        let laws = Laws {
            verdict: Verdict::KOfN {
                successes: 2,
                size: 5,
            },
            ..laws
        };
        check(&laws, &[BAD, BAD, BAD], None);
        check(&laws, &[BAD, BAD, BAD, BAD], Some(Settlement::Open));
    }

    #[test]
    fn what_does_not_count_only_gives_its_place_back() {
        let probes = Probes {
            in_flight: 2,
            ok: 1,
            bad: 1,
            slow: 1,
        };
        let left = Probes {
            in_flight: 1,
            ..probes
        };
        assert_eq!(all_of(3).settle(probes, None), Settlement::Undecided(left));
    }

    #[test]
    fn probes_are_bounded_in_flight_and_in_all() {
        let laws = all_of(3);
        let admit = |phase| laws.admit(phase, 0, 0);
        assert_eq!(
            admit(half_open(0, 0, 0)),
            Admission::Probe(half_open(1, 0, 0))
        );
        assert_eq!(
            admit(half_open(1, 1, 0)),
            Admission::Probe(half_open(2, 1, 0))
        );
        assert_eq!(admit(half_open(2, 0, 0)), Admission::Reject(Some(70)));
        assert_eq!(admit(half_open(1, 2, 0)), Admission::Reject(Some(70)));
        assert_eq!(admit(half_open(1, 1, 1)), Admission::Reject(Some(70)));
    }

    #[test]
    fn the_hint_is_no_longer_than_the_wait_for_a_verdict() {
        let reject = |now| all_of(1).admit(half_open(1, 0, 0), 0, now);
        assert_eq!(reject(929), Admission::Reject(Some(70)));
        assert_eq!(reject(980), Admission::Reject(Some(20)));
        assert_eq!(reject(1_000), Admission::Overdue);
    }

    #[test]
    fn an_open_breaker_counts_down_to_its_deadline() {
        let admit = |now| all_of(1).admit(Phase::Open { until: 100 }, 0, now);
        assert_eq!(admit(0), Admission::Reject(Some(100)));
        assert_eq!(admit(99), Admission::Reject(Some(1)));
        assert_eq!(admit(100), Admission::Overdue);
        assert_eq!(
            all_of(1).admit(Phase::ForcedOpen, 0, 0),
            Admission::Reject(None)
        );
        for phase in [
            Phase::Closed { announced: true },
            Phase::Disabled,
            Phase::MetricsOnly { announced: false },
        ] {
            assert_eq!(all_of(1).admit(phase, 0, 0), Admission::Pass);
        }
    }

    #[test]
    fn a_wait_without_verdict_ends_as_configured() {
        let end = |after_wait| {
            let laws = Laws {
                after_wait,
                ..all_of(1)
            };
            let step = laws.overdue(half_open(1, 0, 0), 500, 1_700, 1)?;
            assert_eq!(step.cause, Cause::NoVerdict);
            Some((step.to, step.at))
        };
        let probes = Probes {
            in_flight: 1,
            ..Probes::default()
        };
        assert_eq!(end(AfterWait::Reprobe), Some((To::HalfOpen(probes), 1_700)));
        assert_eq!(end(AfterWait::Open), Some((To::Open(None), 1_500)));
        assert_eq!(end(AfterWait::Closed), Some((To::Closed, 1_500)));
        assert_eq!(all_of(1).overdue(half_open(1, 0, 0), 500, 1_499, 1), None);
        let patient = Laws {
            max_wait: None,
            ..all_of(1)
        };
        assert_eq!(patient.overdue(half_open(1, 0, 0), 0, u64::MAX, 1), None);
    }

    #[test]
    fn only_a_closing_forgets_the_openings() {
        let enter = |to| {
            all_of(1).enter(
                Step {
                    to,
                    at: 10,
                    cause: Cause::Manual,
                },
                2,
                3,
            )
        };
        assert_eq!(enter(To::Closed), (Phase::Closed { announced: false }, 0));
        assert_eq!(enter(To::Open(None)), (Phase::Open { until: 110 }, 4));
        assert_eq!(enter(To::OpenFor(5)), (Phase::Open { until: 15 }, 4));
        let again = To::OpenAgain { wait: 5, opens: 7 };
        assert_eq!(enter(again), (Phase::Open { until: 15 }, 7));
        assert_eq!(enter(To::ForcedOpen), (Phase::ForcedOpen, 3));
        assert_eq!(enter(To::Disabled), (Phase::Disabled, 3));
        assert_eq!(
            enter(To::MetricsOnly),
            (Phase::MetricsOnly { announced: false }, 3)
        );
        assert_eq!(
            enter(To::HalfOpen(Probes::default())),
            (half_open(0, 0, 0), 3)
        );
    }

    #[test]
    fn the_effective_phase_is_what_a_call_would_meet() {
        let laws = Laws {
            after_wait: AfterWait::Open,
            ..all_of(1)
        };
        let at = |phase, now| {
            let from = Moment {
                phase,
                since: 0,
                opens: 1,
                generation: 5,
            };
            laws.effective(from, || now)
        };
        assert_eq!(
            at(Phase::Open { until: 100 }, 99),
            Phase::Open { until: 100 }
        );
        assert_eq!(at(Phase::Open { until: 100 }, 100), half_open(0, 0, 0));
        assert_eq!(at(half_open(1, 0, 0), 999), half_open(1, 0, 0));
        assert_eq!(at(half_open(1, 0, 0), 1_000), Phase::Open { until: 1_100 });
        assert_eq!(at(half_open(1, 0, 0), 1_100), half_open(0, 0, 0));
        assert_eq!(at(Phase::Disabled, 1_100), Phase::Disabled);
    }

    #[test]
    fn the_effective_phase_has_the_jitter_of_the_transition_to_come() {
        let mut laws = Laws {
            after_wait: AfterWait::Open,
            ..all_of(1)
        };
        laws.open.jitter = Ratio::percent(50);
        let from = Moment {
            phase: half_open(1, 0, 0),
            since: 0,
            opens: 1,
            generation: 5,
        };
        let step = Step {
            to: To::Open(None),
            at: 1_000,
            cause: Cause::NoVerdict,
        };
        let (phase, _) = laws.enter(step, 6, 1);
        assert_eq!(laws.effective(from, || 1_000), phase);
        assert_ne!(phase, laws.enter(step, 5, 1).0);
    }
}
