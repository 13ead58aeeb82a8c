//! A record as a row: read, written, and put right when the clock has gone back.

use std::time::Duration;

use rusqlite::types::Type;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use seawall_idempotency::machine::Record;
use seawall_idempotency::{Fingerprint, Nonce, RecordId};

/// A record as it counts now.
pub(super) struct Found {
    pub(super) record: Record,
    /// False if the row has more left than it was ever given: it is from a clock that was ahead, and
    /// is given that once more from now on, so that no key is stuck until the clock has caught up.
    pub(super) is_written_so: bool,
}

/// Looks for a record, and writes nothing.
pub(super) fn look(
    transaction: &Transaction<'_>,
    id: RecordId,
    now: Duration,
) -> rusqlite::Result<Option<Found>> {
    let row = "SELECT fingerprint, nonce, fence, attempt, lease_until, expires, payload, lease,
        retention FROM seawall_record WHERE id = ?1";
    let found = transaction
        .prepare_cached(row)?
        .query_row([id.as_bytes()], |row| {
            Ok((record(row)?, moment(row, 7)?, moment(row, 8)?))
        })
        .optional()?;
    let Some((mut record, lease, retention)) = found else {
        return Ok(None);
    };
    let lease_until = record.lease_until.min(now.saturating_add(lease));
    let expires = record.expires.min(now.saturating_add(retention));
    let is_written_so = (lease_until, expires) == (record.lease_until, record.expires);
    (record.lease_until, record.expires) = (lease_until, expires);
    Ok(Some(Found {
        record,
        is_written_so,
    }))
}

/// Reads a record that may be changed, and puts it right where the clock has gone back.
pub(super) fn read(
    transaction: &Transaction<'_>,
    id: RecordId,
    now: Duration,
) -> rusqlite::Result<Option<Record>> {
    let Some(found) = look(transaction, id, now)? else {
        return Ok(None);
    };
    if !found.is_written_so {
        let right = "UPDATE seawall_record SET lease_until = ?2, expires = ?3 WHERE id = ?1";
        transaction.prepare_cached(right)?.execute(params![
            id.as_bytes(),
            micros(found.record.lease_until),
            micros(found.record.expires)
        ])?;
    }
    Ok(Some(found.record))
}

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record {
        fingerprint: Fingerprint::from_bytes(row.get(0)?),
        nonce: Nonce::from_u64(row.get::<_, i64>(1)?.cast_unsigned()),
        fence: row.get::<_, i64>(2)?.cast_unsigned(),
        attempt: row.get(3)?,
        lease_until: moment(row, 4)?,
        expires: moment(row, 5)?,
        payload: row.get::<_, Option<Vec<u8>>>(6)?.map(Into::into),
    })
}

/// Writes a record, in place of the one there may be.
pub(super) fn write(
    transaction: &Transaction<'_>,
    id: RecordId,
    record: &Record,
    lease: Duration,
    retention: Duration,
) -> rusqlite::Result<()> {
    let row =
        "INSERT INTO seawall_record (id, fingerprint, nonce, fence, attempt, lease, lease_until,
            retention, expires, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL)
        ON CONFLICT (id) DO UPDATE SET fingerprint = ?2, nonce = ?3, fence = ?4, attempt = ?5,
            lease = ?6, lease_until = ?7, retention = ?8, expires = ?9, payload = NULL";
    transaction.prepare_cached(row)?.execute(params![
        id.as_bytes(),
        record.fingerprint.as_bytes(),
        record.nonce.as_u64().cast_signed(),
        record.fence.cast_signed(),
        record.attempt,
        micros(lease),
        micros(record.lease_until),
        micros(retention),
        micros(record.expires),
    ])?;
    Ok(())
}

fn moment(row: &Row<'_>, at: usize) -> rusqlite::Result<Duration> {
    let micros: i64 = row.get(at)?;
    let micros = u64::try_from(micros).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(at, Type::Integer, Box::new(error))
    })?;
    Ok(Duration::from_micros(micros))
}

/// SQLite's integers are signed; a moment beyond them is the last one there is.
pub(super) fn micros(moment: Duration) -> i64 {
    i64::try_from(moment.as_micros()).unwrap_or(i64::MAX)
}
