//! What is broken on purpose right now, or was a moment ago: it excuses what would break a promise in
//! fair weather.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use shop::domain::Component;

/// Something that storm breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    Component(Component),
    Store,
    Server,
    Reload,
}

impl Cause {
    /// How long after it is mended it may still be felt.
    const fn echo(self) -> Duration {
        match self {
            // A breaker stays open for a second, and asks by one probe after the other then.
            Self::Component(_) => Duration::from_secs(4),
            // Connections are made anew.
            Self::Store => Duration::from_secs(6),
            // Whatever was sent to the old process.
            Self::Server => Duration::from_secs(1),
            Self::Reload => Duration::from_millis(500),
        }
    }
}

/// The spells of each cause.
#[derive(Debug, Default)]
pub(super) struct Weather(Mutex<BTreeMap<Cause, Spell>>);

#[derive(Clone, Copy, Debug, Default)]
struct Spell {
    begun: u64,
    is_on: bool,
    ended: Option<Instant>,
}

impl Weather {
    pub(super) fn begins(&self, cause: Cause) {
        let mut spells = self.0.lock();
        let spell = spells.entry(cause).or_default();
        spell.begun += 1;
        spell.is_on = true;
    }

    pub(super) fn ends(&self, cause: Cause) {
        let mut spells = self.0.lock();
        let spell = spells.entry(cause).or_default();
        spell.is_on = false;
        spell.ended = Some(Instant::now());
    }

    /// Whether any of these was felt at any time since.
    pub(super) fn was_felt(&self, causes: &[Cause], since: Instant) -> bool {
        let spells = self.0.lock();
        causes.iter().any(|cause| {
            spells.get(cause).is_some_and(|spell| {
                let echoes = |ended: Instant| ended + cause.echo() >= since;
                spell.is_on || spell.ended.is_some_and(echoes)
            })
        })
    }

    /// How many spells of this there have been.
    pub(super) fn spells(&self, cause: Cause) -> u64 {
        self.0.lock().get(&cause).map_or(0, |spell| spell.begun)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spell_excuses_what_overlaps_with_it_and_its_echo() {
        let weather = Weather::default();
        let before = Instant::now();
        assert!(!weather.was_felt(&[Cause::Server], before));
        weather.begins(Cause::Server);
        assert!(weather.was_felt(&[Cause::Store, Cause::Server], before));
        assert!(!weather.was_felt(&[Cause::Store], before));
        weather.ends(Cause::Server);
        let now = Instant::now();
        assert!(weather.was_felt(&[Cause::Server], before), "in between");
        assert!(weather.was_felt(&[Cause::Server], now), "a moment ago");
        let later = now + Cause::Server.echo() + Duration::from_millis(1);
        assert!(!weather.was_felt(&[Cause::Server], later), "long ago");
        assert_eq!(weather.spells(Cause::Server), 1);
    }
}
