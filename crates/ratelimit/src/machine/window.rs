//! Windows aligned to the Unix epoch: one that counts whole, or two of which the earlier fades out.
//!
//! With `W` the period and `e` the time since the current window began, a sliding window has
//! `current + earlier * (W - e) / W` in use. That is compared exactly, as
//! `earlier * (W - e) <= (limit - cost - current) * W`, never after rounding down. A fixed window is
//! the same with `earlier = 0`.
//!
//! A window that the clock has not reached yet (it jumped back) stays the current one, with `e = 0`,
//! so that a step across an edge cannot open the same window twice; but it may lie one period ahead
//! at most, so that nobody waits for more than one period longer than the quota itself asks.

use crate::quota::{Algorithm, Quota};
use crate::verdict::Verdict;

/// Counts of the current and of the earlier window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "stores build it from what they read"
)]
pub struct Windows {
    /// When the current window began, in microseconds since the Unix epoch; a multiple of the period.
    pub start: u64,
    /// Units charged to the current window.
    pub current: u32,
    /// Units charged to the window before it; always 0 for a fixed window.
    pub earlier: u32,
}

impl Windows {
    /// No window at all: the state of a key that was never seen.
    pub const EMPTY: Self = Self {
        start: 0,
        current: 0,
        earlier: 0,
    };
}

#[inline]
pub(crate) fn consume(quota: &Quota, windows: Windows, cost: u32, now: u64) -> Option<Windows> {
    let windows = roll(quota, windows, now);
    fits(quota, windows, cost, now).then(|| Windows {
        current: windows.current + cost,
        ..windows
    })
}

#[inline]
pub(crate) fn consume_up_to(quota: &Quota, windows: Windows, cost: u32, now: u64) -> Windows {
    let windows = roll(quota, windows, now);
    let current = windows
        .current
        .saturating_add(cost.min(remaining(quota, windows, now)));
    Windows { current, ..windows }
}

/// A grant counts in the window in which it was given; one that has left both windows has come back
/// by itself. `paid_at` is the moment of the grant.
#[inline]
pub(crate) fn refund(
    quota: &Quota,
    windows: Windows,
    cost: u32,
    paid_at: Option<u64>,
    now: u64,
) -> Windows {
    let windows = roll(quota, windows, now);
    let period = quota.period_us();
    match paid_at {
        Some(at) if at < windows.start && windows.start - at > period => windows,
        Some(at) if at < windows.start => Windows {
            earlier: windows.earlier.saturating_sub(cost),
            ..windows
        },
        _ => Windows {
            current: windows.current.saturating_sub(cost),
            ..windows
        },
    }
}

#[inline]
pub(crate) fn measure(
    quota: &Quota,
    windows: Windows,
    cost: u32,
    now: u64,
    allowed: bool,
) -> Verdict {
    let windows = roll(quota, windows, now);
    let remaining = remaining(quota, windows, now);
    let retry_us = if allowed {
        Some(0)
    } else {
        wait_for(quota, windows, cost, now)
    };
    let end = windows.start + quota.period_us() - now;
    let reset_us = match quota.algorithm() {
        Algorithm::SlidingWindow if windows.current > 0 => end + quota.period_us(),
        Algorithm::SlidingWindow if windows.earlier == 0 => 0,
        _ => end,
    };
    let next_us = if remaining >= quota.limit() {
        0
    } else {
        wait_for(quota, windows, remaining + 1, now).unwrap_or(0)
    };
    Verdict::new(allowed, remaining, retry_us, reset_us, next_us)
}

/// What a denial has to leave behind where the window is further ahead than one period: taken as the
/// next one anew at each attempt, it would stay so until the clock has reached it.
#[inline]
pub(crate) fn clamped(quota: &Quota, windows: Windows, cost: u32, now: u64) -> Option<Windows> {
    let rolled = roll(quota, windows, now);
    (rolled.start < windows.start && cost <= quota.limit()).then_some(rolled)
}

/// The state as of `now`: the current window is the one that the clock is in.
#[inline]
fn roll(quota: &Quota, windows: Windows, now: u64) -> Windows {
    let period = quota.period_us();
    let start = now - now % period;
    // The limit may have shrunk since; nobody owes more than a whole window.
    let current = windows.current.min(quota.limit());
    let earlier = match quota.algorithm() {
        Algorithm::SlidingWindow => windows.earlier.min(quota.limit()),
        _ => 0,
    };
    if windows.start >= start {
        let start = windows.start.min(start + period);
        Windows {
            start,
            current,
            earlier,
        }
    } else if start - windows.start == period && quota.algorithm() == Algorithm::SlidingWindow {
        Windows {
            start,
            current: 0,
            earlier: current,
        }
    } else {
        Windows {
            start,
            current: 0,
            earlier: 0,
        }
    }
}

#[inline]
fn fits(quota: &Quota, windows: Windows, cost: u32, now: u64) -> bool {
    let Some(room) = quota
        .limit()
        .checked_sub(cost)
        .and_then(|r| r.checked_sub(windows.current))
    else {
        return false;
    };
    windows.earlier == 0 || weight(quota, windows, now) <= product(room, quota.period_us())
}

/// Whole units that fit now.
#[inline]
fn remaining(quota: &Quota, windows: Windows, now: u64) -> u32 {
    let room = quota.limit().saturating_sub(windows.current);
    if windows.earlier == 0 {
        return room;
    }
    let earlier = weight(quota, windows, now).div_ceil(u128::from(quota.period_us()));
    room.saturating_sub(u32::try_from(earlier).unwrap_or(u32::MAX))
}

/// The least delay after which `cost` fits if nothing else is charged; `None` if it never does.
fn wait_for(quota: &Quota, windows: Windows, cost: u32, now: u64) -> Option<u64> {
    let period = quota.period_us();
    let room = quota.limit().checked_sub(cost)?;
    if fits(quota, windows, cost, now) {
        return Some(0);
    }
    let end = windows.start + period - now;
    if quota.algorithm() != Algorithm::SlidingWindow {
        return Some(end);
    }
    Some(match room.checked_sub(windows.current) {
        // The earlier window has to fade further, and will have faded before this one ends.
        Some(room) => windows.start + fade(period, windows.earlier, room) - now,
        // This window alone is too full: it has to become the earlier one and fade in its turn.
        None => end + fade(period, windows.current, room),
    })
}

/// How far into a window its predecessor of `count` units has faded to at most `room`.
#[inline]
fn fade(period: u64, count: u32, room: u32) -> u64 {
    let covered = product(room, period) / u128::from(count.max(1));
    period.saturating_sub(u64::try_from(covered).unwrap_or(u64::MAX))
}

/// The earlier window's part, times the period.
#[inline]
fn weight(quota: &Quota, windows: Windows, now: u64) -> u128 {
    let elapsed = now.saturating_sub(windows.start);
    product(windows.earlier, quota.period_us().saturating_sub(elapsed))
}

/// A count is below 2^32 and a period below 2^45: the product needs more than 64 bits.
#[inline]
fn product(count: u32, micros: u64) -> u128 {
    u128::from(count) * u128::from(micros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const FIXED: Quota = Quota::per_second(10).with_algorithm(Algorithm::FixedWindow);
    const SLIDING: Quota = Quota::per_second(10).with_algorithm(Algorithm::SlidingWindow);

    fn t(ms: u64) -> u64 {
        1_700_000_000_000_000 + ms * 1_000
    }

    fn at(start: u64, current: u32, earlier: u32) -> Windows {
        Windows {
            start,
            current,
            earlier,
        }
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_fixed_window_admits_its_limit_and_opens_at_the_edge() {
        let full = consume(&FIXED, Windows::EMPTY, 10, t(300)).unwrap();
        assert_eq!(full, at(t(0), 10, 0));
        assert_eq!(consume(&FIXED, full, 1, t(1_000) - 1), None);
        assert_eq!(
            measure(&FIXED, full, 1, t(300), false).retry_after(),
            Some(ms(700))
        );
        assert_eq!(
            consume(&FIXED, full, 10, t(1_000)),
            Some(at(t(1_000), 10, 0))
        );
    }

    #[test]
    fn a_sliding_window_counts_the_covered_part_of_the_earlier_one() {
        let earlier = at(t(0), 10, 0);
        assert_eq!(consume(&SLIDING, earlier, 1, t(1_099)), None);
        assert_eq!(
            consume(&SLIDING, earlier, 1, t(1_100)),
            Some(at(t(1_000), 1, 10))
        );
        assert_eq!(
            consume(&SLIDING, earlier, 5, t(1_500)),
            Some(at(t(1_000), 5, 10))
        );
        assert_eq!(consume(&SLIDING, earlier, 6, t(1_500)), None);
        assert_eq!(
            consume(&SLIDING, earlier, 10, t(2_000)),
            Some(at(t(2_000), 10, 0))
        );
    }

    #[test]
    fn the_comparison_is_exact_to_the_microsecond() {
        let quota = Quota::new(3, Duration::from_micros(7)).unwrap();
        let quota = quota.with_algorithm(Algorithm::SlidingWindow);
        // 3 * (7 - e) <= 2 * 7 needs e >= 7 - 14/3, so 3 (rounded up from 2.33).
        let earlier = at(700, 3, 0);
        assert_eq!(consume(&quota, earlier, 1, 707 + 2), None);
        assert!(consume(&quota, earlier, 1, 707 + 3).is_some());
        assert_eq!(
            measure(&quota, earlier, 1, 707, false).retry_after(),
            Some(Duration::from_micros(3))
        );
    }

    #[test]
    fn a_denied_request_is_told_when_it_fits() {
        let check = |windows, cost, now, expected| {
            assert_eq!(
                measure(&SLIDING, windows, cost, now, false).retry_after(),
                expected
            );
        };
        check(at(t(0), 10, 0), 1, t(500), Some(ms(600)));
        check(at(t(0), 5, 10), 5, t(0), Some(ms(1_000)));
        check(at(t(0), 0, 10), 5, t(0), Some(ms(500)));
        check(at(t(0), 0, 0), 11, t(0), None);
    }

    #[test]
    fn tells_when_all_has_slid_out() {
        let check = |windows, expected| {
            assert_eq!(
                measure(&SLIDING, windows, 1, t(250), true).reset(),
                expected
            );
        };
        check(at(t(0), 1, 0), ms(1_750));
        check(at(t(0), 0, 1), ms(750));
        check(Windows::EMPTY, ms(0));
    }

    #[test]
    fn tells_when_the_next_unit_comes_back() {
        let check = |windows, expected| {
            assert_eq!(measure(&SLIDING, windows, 1, t(0), true).next(), expected);
        };
        check(at(t(0), 0, 10), ms(100));
        check(at(t(0), 10, 0), ms(1_100));
        check(Windows::EMPTY, ms(0));
        assert_eq!(
            measure(&FIXED, at(t(0), 1, 0), 1, t(400), true).next(),
            ms(600)
        );
    }

    #[test]
    fn a_clock_that_jumped_back_does_not_open_a_window_twice() {
        for quota in [FIXED, SLIDING] {
            let ahead = at(t(1_000), 10, 0);
            assert_eq!(consume(&quota, ahead, 1, t(999)), None);
            assert_eq!(
                measure(&FIXED, ahead, 1, t(999), false).retry_after(),
                Some(ms(1_001))
            );
            let far_ahead = at(t(3_600_000), 10, 0);
            assert_eq!(
                measure(&FIXED, far_ahead, 1, t(0), false).retry_after(),
                Some(ms(2_000))
            );
        }
    }

    #[test]
    fn a_window_far_ahead_is_brought_back_by_a_denial() {
        let far = at(t(3_600_000), 20, 0);
        assert_eq!(clamped(&FIXED, far, 1, t(0)), Some(at(t(1_000), 10, 0)));
        assert_eq!(clamped(&FIXED, at(t(1_000), 10, 0), 1, t(0)), None);
        assert_eq!(clamped(&FIXED, at(t(0), 10, 0), 1, t(0)), None);
        assert_eq!(clamped(&FIXED, far, 11, t(0)), None, "it never fits");
    }

    #[test]
    fn a_limit_that_shrank_is_owed_once() {
        let quota = Quota::per_second(2).with_algorithm(Algorithm::SlidingWindow);
        let verdict = measure(&quota, at(t(0), 1_000, 1_000), 1, t(0), false);
        assert_eq!(
            (verdict.remaining(), verdict.retry_after()),
            (0, Some(ms(1_500)))
        );
    }

    #[test]
    fn a_refund_goes_to_the_window_that_was_charged() {
        let check = |paid_at, expected| {
            let before = at(t(1_000), 3, 4);
            assert_eq!(refund(&SLIDING, before, 2, paid_at, t(1_500)), expected);
        };
        check(Some(t(1_000)), at(t(1_000), 1, 4));
        check(Some(t(999)), at(t(1_000), 3, 2));
        check(Some(t(0)), at(t(1_000), 3, 2));
        check(Some(t(0) - 1), at(t(1_000), 3, 4));
        check(None, at(t(1_000), 1, 4));
    }

    #[test]
    fn a_charge_up_to_the_limit_fills_what_is_left() {
        assert_eq!(
            consume_up_to(&SLIDING, at(t(0), 4, 0), 100, t(0)),
            at(t(0), 10, 0)
        );
        assert_eq!(
            consume_up_to(&SLIDING, at(t(0), 4, 4), 100, t(0)),
            at(t(0), 6, 4)
        );
        assert_eq!(
            consume_up_to(&SLIDING, at(t(0), 4, 4), 1, t(500)),
            at(t(0), 5, 4)
        );
    }

    #[test]
    fn survives_extremes() {
        let quota = Quota::new(u32::MAX, Quota::LONGEST_PERIOD).unwrap();
        let quota = quota.with_algorithm(Algorithm::SlidingWindow);
        let windows = at(0, u32::MAX, u32::MAX);
        assert_eq!(consume(&quota, windows, 1, 5), None);
        assert!(
            measure(&quota, windows, u32::MAX, 5, false)
                .retry_after()
                .is_some()
        );
        assert_eq!(
            consume(&quota, Windows::EMPTY, u32::MAX, 0),
            Some(at(0, u32::MAX, 0))
        );
    }
}
