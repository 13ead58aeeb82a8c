//! The generic cell rate algorithm: a token bucket kept as the moment at which it is full again.
//!
//! With `T` the interval of one unit and `tau = burst * T` the time in which an empty bucket
//! refills, the theoretical arrival time `tat` is clamped to `now ..= now + tau`, a charge of `n`
//! moves it to `tat + n * T`, and the charge fits as long as that is not after `now + tau`.
//! The upper clamp forgives a clock that jumped back, and a quota that shrank: nobody is locked out
//! for longer than one refill. That takes a denial that writes ([`clamped`]): clamped anew at each
//! attempt, an arrival time far ahead would stay one refill away until the clock has reached it.

use crate::quota::Quota;
use crate::verdict::Verdict;

/// The new `tat`, if `cost` fits.
#[inline]
pub(crate) fn consume(quota: &Quota, tat: u64, cost: u32, now: u64) -> Option<u64> {
    if cost > quota.burst() {
        return None;
    }
    let full = now + quota.refill_us();
    // No overflow: cost <= burst bounds the product by the refill, which is at most 2^50.
    let charged = tat.max(now).min(full) + u64::from(cost) * quota.interval_us();
    (charged <= full).then_some(charged)
}

#[inline]
pub(crate) fn consume_up_to(quota: &Quota, tat: u64, cost: u32, now: u64) -> u64 {
    let full = now + quota.refill_us();
    tat.clamp(now, full)
        .saturating_add(price(quota, cost))
        .min(full)
}

/// `paid_until` is what `tat` was right after the grant: from then on that grant has come back by
/// itself, whoever used the capacity since. A plain `tat - cost * T` would credit it twice.
#[inline]
pub(crate) fn refund(quota: &Quota, tat: u64, cost: u32, paid_until: Option<u64>, now: u64) -> u64 {
    let tat = tat.clamp(now, now + quota.refill_us());
    let outstanding = paid_until.unwrap_or(tat).min(tat).saturating_sub(now);
    tat - price(quota, cost).min(outstanding)
}

#[inline]
pub(crate) fn measure(quota: &Quota, tat: u64, cost: u32, now: u64, allowed: bool) -> Verdict {
    let interval = quota.interval_us();
    let in_use = tat.clamp(now, now + quota.refill_us()) - now;
    let units_in_use = in_use.div_ceil(interval);
    let retry_us = if allowed {
        Some(0)
    } else {
        wait(quota, tat, cost, now)
    };
    let remaining = u64::from(quota.burst()).saturating_sub(units_in_use);
    Verdict::new(
        allowed,
        u32::try_from(remaining).unwrap_or(u32::MAX),
        retry_us,
        in_use,
        // The youngest unit in use comes back last; what is due next is the part above the others.
        in_use - units_in_use.saturating_sub(1) * interval,
    )
}

/// What a denial has to leave behind where `tat` is further ahead than this quota can owe. A cost
/// that never fits clamps nothing: whoever has such a quota for a moment does not pardon the key.
#[inline]
pub(crate) fn clamped(quota: &Quota, tat: u64, cost: u32, now: u64) -> Option<u64> {
    let full = now + quota.refill_us();
    (tat > full && cost <= quota.burst()).then_some(full)
}

/// The least delay after which `cost` fits if nothing else is charged; `None` if it never does.
#[inline]
pub(crate) fn wait(quota: &Quota, tat: u64, cost: u32, now: u64) -> Option<u64> {
    let room = u64::from(quota.burst().checked_sub(cost)?) * quota.interval_us();
    let in_use = tat.clamp(now, now + quota.refill_us()) - now;
    Some(in_use.saturating_sub(room))
}

#[inline]
fn price(quota: &Quota, cost: u32) -> u64 {
    u64::from(cost).saturating_mul(quota.interval_us())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Five a second, all five at once; T = 200 ms.
    const QUOTA: Quota = Quota::per_second(5);
    const T: u64 = 200_000;

    fn t(ms: u64) -> u64 {
        10_000_000 + ms * 1_000
    }

    #[test]
    fn admits_the_burst_and_then_one_an_interval() {
        let mut tat = 0;
        for _ in 0..5 {
            tat = consume(&QUOTA, tat, 1, t(0)).unwrap();
        }
        assert_eq!(consume(&QUOTA, tat, 1, t(0)), None);
        assert_eq!(consume(&QUOTA, tat, 1, t(200) - 1), None);
        tat = consume(&QUOTA, tat, 1, t(200)).unwrap();
        assert_eq!(consume(&QUOTA, tat, 1, t(200)), None);
    }

    #[test]
    fn idling_saves_up_no_more_than_the_burst() {
        let tat = consume(&QUOTA, 0, 1, t(0)).unwrap();
        assert!(consume(&QUOTA, tat, 5, t(3_600_000)).is_some());
        assert_eq!(consume(&QUOTA, tat, 6, t(3_600_000)), None);
    }

    #[test]
    fn a_clock_that_jumped_back_locks_nobody_out_for_longer_than_a_refill() {
        let far = t(3_600_000);
        assert_eq!(consume(&QUOTA, far, 1, t(0)), None);
        assert_eq!(
            measure(&QUOTA, far, 1, t(0), false).retry_after(),
            Some(Duration::from_millis(200))
        );
        assert_eq!(
            measure(&QUOTA, far, 1, t(0), false).reset(),
            Duration::from_secs(1)
        );
    }

    #[test]
    fn a_denial_far_ahead_starts_the_wait_that_it_tells() {
        let far = t(3_600_000);
        assert_eq!(clamped(&QUOTA, far, 1, t(0)), Some(t(1_000)));
        assert_eq!(clamped(&QUOTA, t(1_000) + 1, 5, t(0)), Some(t(1_000)));
        assert_eq!(clamped(&QUOTA, t(1_000), 1, t(0)), None);
        assert_eq!(clamped(&QUOTA, far, 6, t(0)), None, "it never fits");
        assert_eq!(clamped(&Quota::per_second(0), far, 1, t(0)), None);
    }

    #[test]
    fn a_charge_up_to_the_capacity_never_goes_below_zero() {
        let tat = consume_up_to(&QUOTA, 0, 3, t(0));
        assert_eq!(tat, t(600));
        assert_eq!(consume_up_to(&QUOTA, tat, u32::MAX, t(0)), t(1_000));
    }

    #[test]
    fn a_refund_credits_what_has_not_come_back_by_itself() {
        let check = |tat, cost, paid_until, now, expected| {
            assert_eq!(refund(&QUOTA, tat, cost, paid_until, now), expected);
        };
        // At once: all of it.
        check(t(400), 2, Some(t(400)), t(0), t(0));
        // One interval later one of two has come back.
        check(t(400), 2, Some(t(400)), t(200), t(200));
        // It has all come back, and somebody else has used the capacity since.
        check(t(900), 2, Some(t(400)), t(500), t(900));
        // Without a grant: what is in use.
        check(t(900), 2, None, t(500), t(500));
        check(t(900), 1, None, t(500), t(700));
        // Never below now.
        check(t(100), u32::MAX, None, t(500), t(500));
    }

    #[test]
    fn measures_what_a_caller_is_shown() {
        let verdict = measure(&QUOTA, t(0) + 2 * T + 1, 1, t(0), true);
        assert_eq!(verdict.remaining(), 2);
        assert_eq!(verdict.retry_after(), Some(Duration::ZERO));
        assert_eq!(verdict.reset(), Duration::from_micros(2 * T + 1));
        assert_eq!(verdict.next(), Duration::from_micros(1));

        let verdict = measure(&QUOTA, t(0), 1, t(0), true);
        assert_eq!((verdict.remaining(), verdict.next()), (5, Duration::ZERO));

        let verdict = measure(&QUOTA, t(1_000), 2, t(0), false);
        assert_eq!(verdict.retry_after(), Some(Duration::from_millis(400)));
        assert_eq!(verdict.next(), Duration::from_millis(200));

        assert_eq!(measure(&QUOTA, 0, 6, t(0), false).retry_after(), None);
    }

    #[test]
    fn a_limit_of_zero_blocks_all_and_for_ever() {
        let none = Quota::per_second(0);
        assert_eq!(consume(&none, 0, 1, t(0)), None);
        let verdict = measure(&none, 0, 1, t(0), false);
        assert_eq!((verdict.remaining(), verdict.retry_after()), (0, None));
    }
}
