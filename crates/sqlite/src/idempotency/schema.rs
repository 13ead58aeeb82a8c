//! The tables, and the sums that triggers keep beside them.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use crate::error::OpenError;
use crate::store::Bounds;

const VERSION: i64 = 1;

/// Moments and lengths are microseconds. `lease` and `retention` are what was asked for: where more
/// than that is left, the clock has gone back. `seawall_record_fact` has the sums of what is in
/// `seawall_record`, by triggers, so that whoever deletes by hand keeps them right; and the bound on
/// their bytes, for transactions of the user's.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS seawall_record (
    id BLOB NOT NULL PRIMARY KEY,
    fingerprint BLOB NOT NULL,
    nonce INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    lease INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    retention INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    payload BLOB
) STRICT;
CREATE INDEX IF NOT EXISTS seawall_record_expires ON seawall_record (expires);
CREATE TABLE IF NOT EXISTS seawall_record_fact (
    name TEXT NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO seawall_record_fact VALUES ('version', 1), ('fence', 0), ('held', 0), ('bytes', 0)
    ON CONFLICT DO NOTHING;
CREATE TRIGGER IF NOT EXISTS seawall_record_in AFTER INSERT ON seawall_record BEGIN
    UPDATE seawall_record_fact SET value = value + 1 WHERE name = 'held';
    UPDATE seawall_record_fact SET value = value + coalesce(length(new.payload), 0)
        WHERE name = 'bytes';
END;
CREATE TRIGGER IF NOT EXISTS seawall_record_changed AFTER UPDATE OF payload ON seawall_record BEGIN
    UPDATE seawall_record_fact
        SET value = value + coalesce(length(new.payload), 0) - coalesce(length(old.payload), 0)
        WHERE name = 'bytes';
END;
CREATE TRIGGER IF NOT EXISTS seawall_record_out AFTER DELETE ON seawall_record BEGIN
    UPDATE seawall_record_fact SET value = value - 1 WHERE name = 'held';
    UPDATE seawall_record_fact SET value = value - coalesce(length(old.payload), 0)
        WHERE name = 'bytes';
END;
";

/// Makes the tables that are not there, and refuses those of another version.
pub(crate) fn create(connection: &Connection, bounds: Bounds) -> Result<(), OpenError> {
    let failed = |error| OpenError::because("the tables of records cannot be made", error);
    let transaction =
        Transaction::new_unchecked(connection, TransactionBehavior::Immediate).map_err(failed)?;
    let known = "SELECT 1 FROM sqlite_schema WHERE name = 'seawall_record_fact'";
    let exists = transaction
        .query_row(known, [], |_| Ok(()))
        .optional()
        .map_err(failed)?;
    if exists.is_some() {
        let version = "SELECT value FROM seawall_record_fact WHERE name = 'version'";
        let version: i64 = transaction
            .query_row(version, [], |row| row.get(0))
            .map_err(failed)?;
        if version != VERSION {
            return Err(OpenError::new(format!(
                "the tables of records are of version {version}: expected {VERSION}"
            )));
        }
    }
    transaction.execute_batch(TABLES).map_err(failed)?;
    let most = "INSERT INTO seawall_record_fact VALUES ('most_bytes', ?1)
        ON CONFLICT DO UPDATE SET value = ?1";
    let most_bytes = i64::try_from(bounds.record_bytes).unwrap_or(i64::MAX);
    transaction.execute(most, [most_bytes]).map_err(failed)?;
    transaction.commit().map_err(failed)
}
