//! One claim, within a transaction.

use std::time::Duration;

use rusqlite::{OptionalExtension, Transaction, params};
use seawall_signing::{Claim, Nonce, UnixTime};

use crate::store::Bounds;

/// A claim that stands on its own, to be sent to the thread that answers it.
#[derive(Debug)]
pub(super) struct Question {
    digest: [u8; 32],
    scope: Vec<u8>,
    expires: UnixTime,
    now: UnixTime,
    max_skew: Duration,
}

impl Question {
    pub(super) fn of(nonce: &Nonce<'_>) -> Self {
        let mut scope = Vec::with_capacity(1 + nonce.scope.len());
        scope.push(1);
        scope.extend_from_slice(nonce.scope.as_bytes());
        Self {
            digest: *nonce.digest,
            scope,
            expires: nonce.expires,
            now: nonce.now,
            max_skew: nonce.max_skew,
        }
    }
}

/// Expired entries dropped with each claim, so that they go faster than they come.
const FEW: u32 = 4;

/// Expired entries dropped at a time when there is no room.
const MANY: u32 = 256;

pub(super) fn claim(
    transaction: &Transaction<'_>,
    question: &Question,
    bounds: Bounds,
    now: UnixTime,
) -> rusqlite::Result<Claim> {
    let nonce = Nonce::new(&question.digest, question.expires, question.now);
    if let Some(no) = nonce.max_skew(question.max_skew).judged_by(now) {
        return Ok(no);
    }
    drop_expired(transaction, now, FEW)?;
    let known = "SELECT 1 FROM seawall_nonce WHERE digest = ?1";
    let known = transaction
        .prepare_cached(known)?
        .query_row([&question.digest], |_| Ok(()))
        .optional()?;
    if known.is_some() {
        return Ok(Claim::Replayed);
    }
    let expires = seconds(question.expires);
    // A clock that ran backwards: what expires by then may have been dropped.
    if expires <= forgotten(transaction)? {
        return Ok(Claim::Expired);
    }
    let mut held = held(transaction, &[0])?;
    while held >= bounds.capacity {
        drop_expired(transaction, now, MANY)?;
        let left = self::held(transaction, &[0])?;
        if left == held {
            return Ok(Claim::Full);
        }
        held = left;
    }
    if let Some(quota) = bounds.quota
        && self::held(transaction, &question.scope)? >= quota
    {
        return Ok(Claim::Full);
    }
    transaction
        .prepare_cached("INSERT INTO seawall_nonce (digest, scope, expires) VALUES (?1, ?2, ?3)")?
        .execute(params![question.digest, question.scope, expires])?;
    Ok(Claim::Fresh)
}

/// Drops the oldest of those that have expired, and remembers until when.
fn drop_expired(transaction: &Transaction<'_>, now: UnixTime, most: u32) -> rusqlite::Result<()> {
    let oldest = "DELETE FROM seawall_nonce WHERE digest IN
        (SELECT digest FROM seawall_nonce WHERE expires < ?1 ORDER BY expires LIMIT ?2)
        RETURNING expires";
    let mut oldest = transaction.prepare_cached(oldest)?;
    let mut last = None;
    let mut rows = oldest.query(params![seconds(now), most])?;
    while let Some(row) = rows.next()? {
        last = last.max(Some(row.get::<_, i64>(0)?));
    }
    if let Some(last) = last {
        let remember =
            "UPDATE seawall_nonce_fact SET value = max(value, ?1) WHERE name = 'forgotten'";
        transaction.prepare_cached(remember)?.execute([last])?;
    }
    Ok(())
}

fn forgotten(transaction: &Transaction<'_>) -> rusqlite::Result<i64> {
    transaction
        .prepare_cached("SELECT value FROM seawall_nonce_fact WHERE name = 'forgotten'")?
        .query_row([], |row| row.get(0))
}

fn held(transaction: &Transaction<'_>, scope: &[u8]) -> rusqlite::Result<u64> {
    let held: Option<i64> = transaction
        .prepare_cached("SELECT held FROM seawall_nonce_held WHERE scope = ?1")?
        .query_row([scope], |row| row.get(0))
        .optional()?;
    Ok(u64::try_from(held.unwrap_or(0)).unwrap_or(0))
}

/// SQLite's integers are signed; a time beyond them is the last one there is.
fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}
