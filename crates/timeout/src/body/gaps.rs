//! The pure part: when a body that is waited for has taken too long.

use std::time::{Duration, Instant};

use crate::{Cause, Deadline, Elapsed};

/// How long a body may take; both limits are off by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    idle: Option<Duration>,
    whole: Option<Duration>,
}

impl Limits {
    /// No limits.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            idle: None,
            whole: None,
        }
    }

    /// How long we wait for the next part. Only waiting counts: a handler which computes between two
    /// parts is not the client's fault.
    #[must_use]
    pub const fn idle(mut self, limit: Duration) -> Self {
        self.idle = Some(limit);
        self
    }

    /// How long the whole may take, from the first time that it made us wait.
    #[must_use]
    pub const fn whole(mut self, limit: Duration) -> Self {
        self.whole = Some(limit);
        self
    }
}

/// What is known of one body.
#[derive(Debug)]
pub(super) struct Gaps {
    limits: Limits,
    /// Set by the first wait.
    whole: Option<Deadline>,
    /// Set while we wait.
    gap: Option<Deadline>,
}

impl Gaps {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            whole: None,
            gap: None,
        }
    }

    /// There is no part yet at `now`. Tells when to give up, if ever; that moment never moves
    /// backwards, so a timer set for an earlier one only has to look again.
    pub(super) fn wait(&mut self, now: Instant) -> Option<(Deadline, Cause)> {
        if self.whole.is_none() {
            self.whole = self
                .limits
                .whole
                .map(|limit| Deadline::starting(now, limit));
        }
        if self.gap.is_none() {
            self.gap = self.limits.idle.map(|limit| Deadline::starting(now, limit));
        }
        match (self.gap, self.whole) {
            (Some(gap), Some(whole)) if whole.instant() <= gap.instant() => {
                Some((whole, Cause::Body))
            }
            (Some(gap), _) => Some((gap, Cause::Idle)),
            (None, Some(whole)) => Some((whole, Cause::Body)),
            (None, None) => None,
        }
    }

    /// A part came.
    pub(super) fn advance(&mut self) {
        self.gap = None;
    }
}

pub(super) fn elapsed((deadline, cause): (Deadline, Cause)) -> Elapsed {
    Elapsed::new(deadline.limit(), cause, None, true)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What happens to a body: so many milliseconds later there is a part, or there is none.
    type Event = (u64, bool);

    /// Looks at the whole past each time, as the documentation reads.
    fn model(limits: Limits, past: &[Event]) -> Option<Cause> {
        let times = past.iter().scan(0, |at, &(later, part)| {
            *at += later;
            Some((*at, part))
        });
        let first_wait = times.clone().find(|(_, part)| !part)?.0;
        let (now, _) = times.clone().last()?;
        let gap_start = times
            .clone()
            .fold(None, |gap, (at, part)| match (gap, part) {
                (_, true) => None,
                (None, false) => Some(at),
                (gap, false) => gap,
            })?;
        let ms =
            |limit: Option<Duration>| limit.map(|limit| u64::try_from(limit.as_millis()).unwrap());
        let whole = ms(limits.whole).map(|limit| first_wait + limit);
        let idle = ms(limits.idle).map(|limit| gap_start + limit);
        match (idle, whole) {
            (_, Some(whole)) if whole <= now && idle.is_none_or(|idle| whole <= idle) => {
                Some(Cause::Body)
            }
            (Some(idle), _) if idle <= now => Some(Cause::Idle),
            _ => None,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_a_look_at_the_whole_past(
            idle in proptest::option::of(0..50_u64),
            whole in proptest::option::of(0..200_u64),
            events in proptest::collection::vec((0..30_u64, any::<bool>()), 1..30),
        ) {
            let limits = Limits {
                idle: idle.map(Duration::from_millis),
                whole: whole.map(Duration::from_millis),
            };
            let mut gaps = Gaps::new(limits);
            let mut now = crate::clock::now();
            let mut last_end = None;
            for (index, &(later, part)) in events.iter().enumerate() {
                now += Duration::from_millis(later);
                if part {
                    gaps.advance();
                    continue;
                }
                let end = gaps.wait(now);
                let over = end.filter(|(end, _)| end.is_past_at(now)).map(|(_, cause)| cause);
                prop_assert_eq!(over, model(limits, &events[..=index]));
                let at = end.map(|(end, _)| end.instant());
                prop_assert!(at >= last_end, "the end moved backwards");
                last_end = at;
            }
        }
    }
}
