//! The steps of the store, each within a transaction: a record is read, `machine` decides, and a
//! record is written.

use std::time::Duration;

use rusqlite::{Transaction, params};
use seawall_idempotency::machine::{self, Reserving};
use seawall_idempotency::{Caps, Completion, Lost, RecordId, Reserve, Reserved, Settled, Token};

use super::row::{self, micros};
use crate::store::Bounds;

/// Expired records dropped with each new one, so that they go faster than they come.
const FEW: usize = 2;

/// Expired records dropped at a time when there is no room.
const MANY: usize = 256;

pub(super) fn reserve(
    transaction: &Transaction<'_>,
    ask: &Reserve,
    bounds: Bounds,
    now: Duration,
) -> rusqlite::Result<Reserved> {
    let found = row::read(transaction, ask.id, now)?;
    let attempt = match machine::reserve(found.as_ref(), ask, now) {
        Reserving::Answer(answer) => return Ok(answer),
        Reserving::Take { attempt } => attempt,
    };
    drop_expired(transaction, FEW, now)?;
    if found.is_none() && !has_room(transaction, bounds, now)? {
        return Ok(Reserved::Full);
    }
    let fence = next_fence(transaction, now)?;
    let record = machine::take(ask, attempt, fence, now);
    row::write(transaction, ask.id, &record, ask.lease, ask.retention)?;
    Ok(Reserved::Acquired { fence, attempt })
}

/// Answers a reserve from what is committed, where nothing is to be written for it.
pub(super) fn look(
    transaction: &Transaction<'_>,
    ask: &Reserve,
    now: Duration,
) -> rusqlite::Result<Option<Reserved>> {
    let Some(found) = row::look(transaction, ask.id, now)?.filter(|found| found.is_written_so)
    else {
        return Ok(None);
    };
    Ok(match machine::reserve(Some(&found.record), ask, now) {
        Reserving::Answer(answer) => Some(answer),
        Reserving::Take { .. } => None,
    })
}

/// `most` is how many bytes the payloads of all records may have.
pub(super) fn complete(
    transaction: &Transaction<'_>,
    completion: &Completion,
    most: u64,
    now: Duration,
) -> rusqlite::Result<Settled> {
    let (id, payload) = (completion.token().id, completion.payload());
    let found = row::read(transaction, id, now)?;
    if let Err(answer) = machine::complete(found.as_ref(), completion, now) {
        return Ok(answer);
    }
    if payload.len() > Caps::ALWAYS_FITS {
        let held = fact(transaction, "bytes")?;
        if held.saturating_add(payload.len() as u64) > most {
            return Ok(Settled::TooLarge);
        }
    }
    transaction
        .prepare_cached("UPDATE seawall_record SET payload = ?2 WHERE id = ?1")?
        .execute(params![id.as_bytes(), &payload[..]])?;
    Ok(Settled::Done)
}

pub(super) fn release(
    transaction: &Transaction<'_>,
    token: Token,
    now: Duration,
) -> rusqlite::Result<Settled> {
    let found = row::read(transaction, token.id, now)?;
    if let Err(lost) = machine::owns(found.as_ref(), token, now) {
        return Ok(Settled::Lost(lost));
    }
    delete(transaction, token.id)?;
    Ok(Settled::Done)
}

pub(super) fn renew(
    transaction: &Transaction<'_>,
    token: Token,
    lease: Duration,
    now: Duration,
) -> rusqlite::Result<Settled> {
    let found = row::read(transaction, token.id, now)?;
    if let Err(lost) = machine::owns(found.as_ref(), token, now) {
        return Ok(Settled::Lost(lost));
    }
    let Some(record) = found else {
        return Ok(Settled::Lost(Lost::Gone));
    };
    let until = machine::renewed(&record, lease, now);
    transaction
        .prepare_cached("UPDATE seawall_record SET lease = ?2, lease_until = ?3 WHERE id = ?1")?
        .execute(params![token.id.as_bytes(), micros(lease), micros(until)])?;
    Ok(Settled::Done)
}

/// Drops the oldest of those that have expired, and returns how many.
pub(super) fn drop_expired(
    transaction: &Transaction<'_>,
    most: usize,
    now: Duration,
) -> rusqlite::Result<usize> {
    let oldest = "DELETE FROM seawall_record WHERE id IN
        (SELECT id FROM seawall_record WHERE expires <= ?1 ORDER BY expires LIMIT ?2)";
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    transaction
        .prepare_cached(oldest)?
        .execute(params![micros(now), most])
}

fn delete(transaction: &Transaction<'_>, id: RecordId) -> rusqlite::Result<usize> {
    transaction
        .prepare_cached("DELETE FROM seawall_record WHERE id = ?1")?
        .execute([id.as_bytes()])
}

fn has_room(
    transaction: &Transaction<'_>,
    bounds: Bounds,
    now: Duration,
) -> rusqlite::Result<bool> {
    loop {
        let held = fact(transaction, "held")?;
        if held < bounds.records && fact(transaction, "bytes")? < bounds.record_bytes {
            return Ok(true);
        }
        if drop_expired(transaction, MANY, now)? == 0 {
            return Ok(false);
        }
    }
}

/// Counts on from the present microsecond: larger than every one before it, also when the clock has
/// gone back, and when the file is replaced by an empty one.
fn next_fence(transaction: &Transaction<'_>, now: Duration) -> rusqlite::Result<u64> {
    let next = "UPDATE seawall_record_fact SET value = max(value + 1, ?1) WHERE name = 'fence'
        RETURNING value";
    transaction
        .prepare_cached(next)?
        .query_row([micros(now)], |row| row.get::<_, i64>(0))
        .map(i64::cast_unsigned)
}

/// Returns how many bytes the payloads may have by the word of whoever opened the file last.
pub(super) fn most_bytes(transaction: &Transaction<'_>) -> rusqlite::Result<u64> {
    fact(transaction, "most_bytes")
}

fn fact(transaction: &Transaction<'_>, name: &str) -> rusqlite::Result<u64> {
    let value: i64 = transaction
        .prepare_cached("SELECT value FROM seawall_record_fact WHERE name = ?1")?
        .query_row([name], |row| row.get(0))?;
    Ok(u64::try_from(value).unwrap_or(0))
}
