//! The number within a new id: a `UUIDv7` (RFC 9562, section 5.7).

use std::{cell::Cell, time::Duration};

use crate::random;

/// The next `UUIDv7` of this thread.
pub(super) fn next(unix: Duration) -> u128 {
    LAST.with(|last| {
        let stamp = Stamp::of(unix).after(last.get());
        last.set(stamp);
        stamp.uuid(random::bits())
    })
}

thread_local! {
    static LAST: Cell<Stamp> = const { Cell::new(Stamp(0)) };
}

/// A time in units of 1/4096 ms: the 48 bits of `unix_ts_ms` and the 12 of `rand_a`, which hold the
/// fraction of the millisecond (RFC 9562, section 6.2, method 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Stamp(u64);

impl Stamp {
    fn of(unix: Duration) -> Self {
        let millis = u64::try_from(unix.as_millis()).unwrap_or(u64::MAX) & ((1 << 48) - 1);
        let fraction = u64::from(unix.subsec_nanos() % 1_000_000) * 4096 / 1_000_000;
        Self((millis << 12) | fraction)
    }

    /// This time, or the one that follows `last` where the clock stands still or was set back a
    /// little. A clock that was set back by more was wrong before: then the new time is taken,
    /// rather than ids with a time from the future for as long as that lasts.
    fn after(self, last: Self) -> Self {
        if self > last || last.0 - self.0 > MAX_LEAD {
            self
        } else {
            Self(last.0 + 1)
        }
    }

    fn uuid(self, random: u64) -> u128 {
        let version = 7 << 12;
        let high = ((self.0 >> 12) << 16) | version | (self.0 & 0xfff);
        let variant = 0b10 << 62;
        let low = variant | (random >> 2);
        (u128::from(high) << 64) | u128::from(low)
    }
}

/// Ten seconds.
const MAX_LEAD: u64 = 10_000 << 12;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn t(nanos: u64) -> Stamp {
        Stamp::of(Duration::from_nanos(nanos))
    }

    #[test]
    fn holds_time_version_and_variant_where_the_rfc_puts_them() {
        // The time of the example in RFC 9562, appendix A.6.
        let stamp = Stamp::of(Duration::from_millis(0x017F_22E2_79B0));
        assert_eq!(stamp.uuid(0), 0x017F_22E2_79B0_7000_8000_0000_0000_0000);
        assert_eq!(
            stamp.uuid(u64::MAX),
            0x017F_22E2_79B0_7000_BFFF_FFFF_FFFF_FFFF
        );
        assert_eq!(t(1_999_999).uuid(0) >> 64, 0x0000_0000_0001_7FFF);
    }

    #[test]
    fn times_beyond_the_format_wrap() {
        assert!(Stamp::of(Duration::MAX).0 < 1 << 60);
    }

    #[test]
    fn a_clock_that_stands_still_is_counted_on() {
        assert_eq!(t(5).after(t(5)), Stamp(t(5).0 + 1));
        assert_eq!(t(1_000_000).after(t(5)), t(1_000_000));
    }

    #[test]
    fn a_clock_set_back_far_is_followed() {
        let future = Stamp::of(Duration::from_secs(3600));
        assert_eq!(t(0).after(future), t(0));
        let near = Stamp::of(Duration::from_secs(9));
        assert_eq!(t(0).after(near), Stamp(near.0 + 1));
    }

    proptest! {
        #[test]
        fn ids_of_a_thread_ascend_while_the_clock_is_within_its_lead(
            times in proptest::collection::vec(0_u64..10_000_000_000, 1..200)
        ) {
            let mut last = Stamp(0);
            for time in times {
                let next = t(time).after(last);
                prop_assert!(next > last);
                prop_assert!(next.uuid(0) > last.uuid(u64::MAX));
                last = next;
            }
        }
    }
}
