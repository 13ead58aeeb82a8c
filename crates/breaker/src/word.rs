//! The whole state in one 64-bit word, so that one compare-and-swap decides everything.
//!
//! ```text
//! 63 62 | 61 .. 40   | 39 .. 0
//! kind  | generation | Closed      bit 0: the threshold was announced
//!       |            | Open        deadline in milliseconds since the breaker was built (34 years)
//!       |            | HalfOpen    in flight, ok, bad, slow: 10 bits each
//!       |            | Special     bits 1..0: which; bit 2: the threshold was announced
//! ```
//!
//! Kind and generation together are the grant: what a permit remembers of the state that admitted
//! it. The generation changes at every transition, so a result counts exactly if the grants agree.
//! It wraps after 4,194,304 transitions; a permit would have to outlive precisely that many, or a
//! multiple, to be mistaken.

/// The state of a breaker at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word(pub(crate) u64);

/// What a permit remembers of the state that admitted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grant(u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Closed { announced: bool },
    Open { until: u64 },
    HalfOpen(Probes),
    ForcedOpen,
    Disabled,
    MetricsOnly { announced: bool },
}

/// The calls admitted while half-open, and what came of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Probes {
    pub(crate) in_flight: u32,
    pub(crate) ok: u32,
    pub(crate) bad: u32,
    pub(crate) slow: u32,
}

const PAYLOAD_BITS: u32 = 40;
const PAYLOAD: u64 = (1 << PAYLOAD_BITS) - 1;
const GENERATIONS: u32 = 1 << 22;
/// The most that a counter of probes holds.
pub(crate) const MOST_PROBES: u32 = 1023;

const CLOSED: u64 = 0;
const OPEN: u64 = 1;
const HALF_OPEN: u64 = 2;
const SPECIAL: u64 = 3;

const FORCED_OPEN: u64 = 0;
const DISABLED: u64 = 1;
const METRICS_ONLY: u64 = 2;
const ANNOUNCED: u64 = 1 << 2;

impl Word {
    pub(crate) fn new(generation: u32, phase: Phase) -> Self {
        let (kind, payload) = match phase {
            Phase::Closed { announced } => (CLOSED, u64::from(announced)),
            Phase::Open { until } => (OPEN, until.min(PAYLOAD)),
            Phase::HalfOpen(probes) => (HALF_OPEN, probes.pack()),
            Phase::ForcedOpen => (SPECIAL, FORCED_OPEN),
            Phase::Disabled => (SPECIAL, DISABLED),
            Phase::MetricsOnly { announced } => (
                SPECIAL,
                METRICS_ONLY | if announced { ANNOUNCED } else { 0 },
            ),
        };
        Self((kind << 62) | (u64::from(generation % GENERATIONS) << PAYLOAD_BITS) | payload)
    }

    pub(crate) fn phase(self) -> Phase {
        let payload = self.0 & PAYLOAD;
        match self.0 >> 62 {
            CLOSED => Phase::Closed {
                announced: payload != 0,
            },
            OPEN => Phase::Open { until: payload },
            HALF_OPEN => Phase::HalfOpen(Probes::unpack(payload)),
            _ => match payload & 3 {
                FORCED_OPEN => Phase::ForcedOpen,
                DISABLED => Phase::Disabled,
                _ => Phase::MetricsOnly {
                    announced: payload & ANNOUNCED != 0,
                },
            },
        }
    }

    pub(crate) fn generation(self) -> u32 {
        self.grant().generation()
    }

    /// The same generation with other contents.
    pub(crate) fn with(self, phase: Phase) -> Self {
        Self::new(self.generation(), phase)
    }

    /// The next generation.
    pub(crate) fn next(self, phase: Phase) -> Self {
        Self::new(self.generation() + 1, phase)
    }

    #[inline]
    pub(crate) fn grant(self) -> Grant {
        Grant(self.0 & !PAYLOAD)
    }
}

impl Grant {
    #[inline]
    pub(crate) fn is_closed(self) -> bool {
        self.0 >> 62 == CLOSED
    }

    pub(crate) fn is_half_open(self) -> bool {
        self.0 >> 62 == HALF_OPEN
    }

    pub(crate) fn generation(self) -> u32 {
        ((self.0 >> PAYLOAD_BITS) & u64::from(GENERATIONS - 1)) as u32
    }
}

impl Probes {
    fn pack(self) -> u64 {
        let field = |count: u32, at: u32| u64::from(count.min(MOST_PROBES)) << at;
        field(self.in_flight, 30) | field(self.ok, 20) | field(self.bad, 10) | field(self.slow, 0)
    }

    fn unpack(payload: u64) -> Self {
        let field = |at: u32| ((payload >> at) & 0x3FF) as u32;
        Self {
            in_flight: field(30),
            ok: field(20),
            bad: field(10),
            slow: field(0),
        }
    }

    pub(crate) fn results(self) -> u32 {
        self.ok + self.bad
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phases() -> Vec<Phase> {
        vec![
            Phase::Closed { announced: false },
            Phase::Closed { announced: true },
            Phase::Open { until: 0 },
            Phase::Open { until: PAYLOAD },
            Phase::HalfOpen(Probes::default()),
            Phase::HalfOpen(Probes {
                in_flight: 1,
                ok: 2,
                bad: 3,
                slow: 4,
            }),
            Phase::HalfOpen(Probes {
                in_flight: 1023,
                ok: 1023,
                bad: 1023,
                slow: 1023,
            }),
            Phase::ForcedOpen,
            Phase::Disabled,
            Phase::MetricsOnly { announced: false },
            Phase::MetricsOnly { announced: true },
        ]
    }

    #[test]
    fn every_phase_survives_packing() {
        for phase in phases() {
            for generation in [0, 1, GENERATIONS - 1] {
                let word = Word::new(generation, phase);
                assert_eq!((word.generation(), word.phase()), (generation, phase));
            }
        }
    }

    #[test]
    fn a_transition_changes_the_grant_and_a_payload_does_not() {
        let word = Word::new(7, Phase::HalfOpen(Probes::default()));
        let busy = word.with(Phase::HalfOpen(Probes {
            in_flight: 1,
            ..Probes::default()
        }));
        assert_eq!(word.grant(), busy.grant());
        assert_ne!(word.grant(), word.next(word.phase()).grant());
    }

    #[test]
    fn generations_wrap_without_touching_the_kind() {
        let word = Word::new(GENERATIONS - 1, Phase::ForcedOpen).next(Phase::Disabled);
        assert_eq!((word.generation(), word.phase()), (0, Phase::Disabled));
    }

    #[test]
    fn a_deadline_beyond_the_field_is_the_last_one() {
        let word = Word::new(1, Phase::Open { until: u64::MAX });
        assert_eq!(word.phase(), Phase::Open { until: PAYLOAD });
        assert_eq!(word.generation(), 1);
    }
}
