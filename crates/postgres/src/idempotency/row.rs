//! What the statements are asked, and what their rows say.

use std::time::Duration;

use seawall_idempotency::{Lost, OnLapse, Reserve, Reserved, Settled};
use tokio_postgres::Row;

use crate::error::Error;

/// Whole microseconds. Postgres has signed numbers, whose sums with a moment must fit as well: what is
/// longer lasts for ever.
pub(super) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(LAST).min(LAST)
}

/// Some seventy thousand years.
const LAST: i64 = 1 << 61;

pub(super) fn takes_over(ask: &Reserve) -> bool {
    ask.on_lapse == OnLapse::TakeOver
}

/// `None`: it looked free, and was not to be had.
pub(super) fn reserved(row: &Row) -> Result<Option<Reserved>, Error> {
    Ok(Some(match row.try_get::<_, i32>(0)? {
        0 => Reserved::Acquired {
            fence: row.try_get::<_, i64>(1)?.cast_unsigned(),
            attempt: number(row.try_get(2)?)?,
        },
        1 => Reserved::Completed(row.try_get::<_, Vec<u8>>(4)?.into()),
        2 => Reserved::Mismatch,
        3 => Reserved::InProgress {
            lease_left: u64::try_from(row.try_get::<_, i64>(3)?)
                .map(Duration::from_micros)
                .map_err(|_| Error::answer())?,
        },
        4 => Reserved::Unknown {
            attempt: number(row.try_get(2)?)?,
        },
        5 => match row.try_get::<_, Option<Vec<i64>>>(5)?.as_deref() {
            None => return Ok(None),
            Some(&[fence, attempt]) => Reserved::Acquired {
                fence: fence.cast_unsigned(),
                attempt: u32::try_from(attempt).map_err(|_| Error::answer())?,
            },
            Some(_) => return Err(Error::answer()),
        },
        _ => return Err(Error::answer()),
    }))
}

fn number(attempt: i32) -> Result<u32, Error> {
    u32::try_from(attempt).map_err(|_| Error::answer())
}

/// `None`: it was changed meanwhile, or is locked.
pub(super) fn settled(row: &Row) -> Result<Option<Settled>, Error> {
    Ok(Some(match row.try_get::<_, i32>(0)? {
        0 => Settled::Done,
        1 => Settled::Lost(Lost::Completed),
        2 => Settled::Lost(Lost::TakenOver),
        3 => Settled::Lost(Lost::Gone),
        4 => return Ok(None),
        _ => return Err(Error::answer()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_leaves_room_for_a_sum() {
        assert_eq!(micros(Duration::from_nanos(1_999)), 1);
        let year_9999 = 253_402_300_800_000_000_i64;
        for long in [Duration::MAX, Duration::from_secs(1 << 50)] {
            assert!(micros(long).checked_add(year_9999).is_some());
            assert!(micros(long).checked_add(micros(long)).is_some());
        }
    }
}
