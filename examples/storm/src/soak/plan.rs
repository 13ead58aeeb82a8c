//! Which faults strike, when and for how long. Follows from seed and length alone.

use std::fmt;
use std::time::Duration;

use shop::domain::Component;

use crate::dice::Dice;

/// One fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// From the beginning of the soak.
    pub(super) at: Duration,
    pub(super) lasts: Duration,
    pub(super) what: What,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A dependency of the shop, in a mode and at a stage that the admin listener knows.
    Component(Component, &'static str, &'static str),
    /// The way to the store, or the store itself.
    Store(Outage),
    /// The server is killed (SIGKILL) and started again.
    Kill,
    /// The configuration is read again: a good one, or one that has to be refused.
    Reload { good: bool },
    /// Clients that do not do their part.
    Clients(Misconduct),
}

/// How a store is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outage {
    Cut,
    Stall,
    /// Killed, and started again at the end.
    Kill,
    /// Somebody else writes to the file and does not come to an end.
    Lock,
}

/// What clients do instead of their part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misconduct {
    /// They hang up while their payment is made.
    Leave,
    /// They begin a head or a body, and go on a few bytes at a time.
    Trickle,
    /// They ask and do not read.
    Unread,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Component(component, mode, stage) => write!(f, "{component} {mode} when {stage}"),
            Self::Store(Outage::Cut) => f.write_str("store cut off"),
            Self::Store(Outage::Stall) => f.write_str("store stalled"),
            Self::Store(Outage::Kill) => f.write_str("store killed"),
            Self::Store(Outage::Lock) => f.write_str("store locked"),
            Self::Kill => f.write_str("server killed"),
            Self::Reload { good: true } => f.write_str("configuration reloaded"),
            Self::Reload { good: false } => f.write_str("broken configuration reloaded"),
            Self::Clients(Misconduct::Leave) => f.write_str("clients leave"),
            Self::Clients(Misconduct::Trickle) => f.write_str("clients trickle"),
            Self::Clients(Misconduct::Unread) => f.write_str("clients do not read"),
        }
    }
}

/// What there is to break.
#[derive(Clone, Debug, Default)]
pub(super) struct Means {
    /// How the store can be lost; nothing where it is memory.
    pub(super) outages: Vec<Outage>,
    /// Whether the shop keeps what it has promised when it is killed.
    pub(super) survives_kill: bool,
}

/// A track of faults for each thing that can break: they overlap at random, and no two faults of one
/// thing do.
///
/// The server is killed in the first half alone, so that the second is one life of it, in which memory
/// has time to grow.
pub(super) fn plan(seed: u64, length: Duration, means: &Means) -> Vec<Vec<Fault>> {
    let faulty = faulty(length);
    let mut tracks = Vec::new();
    for component in Component::ALL {
        let mut track = Track::new(seed, component.name(), length);
        tracks.push(track.draw(faulty, (4_000, 16_000), (500, 3_000), |dice| {
            let stage = match component {
                Component::Payments => dice.one(&["asked", "charged", "committed"]),
                _ => "asked",
            };
            let &mode = dice.one(&MODES);
            What::Component(component, mode, stage)
        }));
    }
    if !means.outages.is_empty() {
        let mut track = Track::new(seed, "store", length);
        tracks.push(track.draw(faulty, (8_000, 24_000), (500, 2_500), |dice| {
            What::Store(*dice.one(&means.outages))
        }));
    }
    if means.survives_kill {
        let mut track = Track::new(seed, "kill", length);
        tracks.push(track.draw(length / 2, (10_000, 40_000), (0, 1), |_| What::Kill));
    }
    let mut track = Track::new(seed, "reload", length);
    tracks.push(
        track.draw(faulty, (5_000, 15_000), (0, 1), |dice| What::Reload {
            good: dice.below(4) > 0,
        }),
    );
    let mut track = Track::new(seed, "clients", length);
    tracks.push(track.draw(faulty, (2_000, 8_000), (800, 3_000), |dice| {
        What::Clients(*dice.one(&[Misconduct::Leave, Misconduct::Trickle, Misconduct::Unread]))
    }));
    tracks
}

const MODES: [&str; 4] = ["error", "slow", "hang", "panic"];

/// The part of a soak in which something may break: what was begun then is to come to a good end.
fn faulty(length: Duration) -> Duration {
    length - (length / 4).min(Duration::from_secs(10))
}

struct Track {
    dice: Dice,
    /// A short soak has its faults in quicker succession.
    haste: f64,
}

impl Track {
    fn new(seed: u64, name: &str, length: Duration) -> Self {
        Self {
            dice: Dice::new(seed, &format!("soak {name}")),
            haste: (length.as_secs_f64() / 60.0).clamp(0.15, 1.0),
        }
    }

    /// Faults with gaps and lengths between these, in milliseconds, that are over before the end.
    fn draw(
        &mut self,
        end: Duration,
        gap: (usize, usize),
        lasts: (usize, usize),
        what: impl Fn(&mut Dice) -> What,
    ) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut at = Duration::ZERO;
        loop {
            at += self.between(gap).mul_f64(self.haste);
            let lasts = self.between(lasts);
            let what = what(&mut self.dice);
            if at + lasts > end {
                return faults;
            }
            faults.push(Fault { at, lasts, what });
            at += lasts;
        }
    }

    fn between(&mut self, (least, most): (usize, usize)) -> Duration {
        let drawn = least + self.dice.below(most - least);
        Duration::from_millis(u64::try_from(drawn).expect("milliseconds of a gap fit"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn all() -> Means {
        Means {
            outages: vec![Outage::Cut, Outage::Stall, Outage::Kill],
            survives_kill: true,
        }
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn the_plan_follows_from_the_seed() {
        assert_eq!(plan(1, MINUTE, &all()), plan(1, MINUTE, &all()));
        assert_ne!(plan(1, MINUTE, &all()), plan(2, MINUTE, &all()));
    }

    #[test]
    fn every_kind_of_fault_strikes_within_ten_minutes() {
        let struck: BTreeSet<String> = plan(3, 10 * MINUTE, &all())
            .into_iter()
            .flatten()
            .map(|fault| fault.what.to_string())
            .collect();
        // Five components in four modes, payments at three stages, three outages, a kill, two reloads
        // and three kinds of clients.
        assert_eq!(struck.len(), 5 * 4 + 3 * 4 + 3 + 1 + 2 + 3, "{struck:?}");
    }

    #[test]
    fn a_track_has_one_fault_at_a_time_and_ends_early() {
        for length in [MINUTE / 6, MINUTE, 60 * MINUTE] {
            for track in plan(4, length, &all()) {
                for pair in track.windows(2) {
                    assert!(pair[0].at + pair[0].lasts <= pair[1].at, "{pair:?}");
                }
                for fault in track {
                    assert!(fault.at + fault.lasts <= faulty(length), "{fault:?}");
                    assert!(
                        fault.what != What::Kill || fault.at <= length / 2,
                        "{fault:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_cannot_break_does_not() {
        let tracks = plan(5, MINUTE, &Means::default());
        let spared = |what| matches!(what, What::Kill | What::Store(_));
        assert!(!tracks.iter().flatten().any(|fault| spared(fault.what)));
    }
}
