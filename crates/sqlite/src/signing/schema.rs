//! The tables, and the counts that triggers keep beside them.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use crate::error::OpenError;

const VERSION: i64 = 1;

/// `seawall_nonce_held` counts what is in `seawall_nonce`: all of it under `x'00'`, that of a scope
/// under `x'01'` and the scope. By triggers, so that whoever deletes by hand keeps them right.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS seawall_nonce (
    digest BLOB NOT NULL PRIMARY KEY,
    scope BLOB NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seawall_nonce_expires ON seawall_nonce (expires);
CREATE TABLE IF NOT EXISTS seawall_nonce_held (
    scope BLOB NOT NULL PRIMARY KEY,
    held INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS seawall_nonce_in AFTER INSERT ON seawall_nonce BEGIN
    INSERT INTO seawall_nonce_held VALUES (x'00', 1), (new.scope, 1)
        ON CONFLICT (scope) DO UPDATE SET held = held + 1;
END;
CREATE TRIGGER IF NOT EXISTS seawall_nonce_out AFTER DELETE ON seawall_nonce BEGIN
    UPDATE seawall_nonce_held SET held = held - 1 WHERE scope IN (x'00', old.scope);
    DELETE FROM seawall_nonce_held WHERE scope = old.scope AND held <= 0;
END;
CREATE TABLE IF NOT EXISTS seawall_nonce_fact (
    name TEXT NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO seawall_nonce_fact VALUES ('version', 1), ('forgotten', -1) ON CONFLICT DO NOTHING;
";

/// Makes the tables that are not there, and refuses those of another version.
pub(crate) fn create(connection: &Connection) -> Result<(), OpenError> {
    let failed = |error| OpenError::because("the tables of nonces cannot be made", error);
    let transaction =
        Transaction::new_unchecked(connection, TransactionBehavior::Immediate).map_err(failed)?;
    let known = "SELECT 1 FROM sqlite_schema WHERE name = 'seawall_nonce_fact'";
    let exists = transaction
        .query_row(known, [], |_| Ok(()))
        .optional()
        .map_err(failed)?;
    if exists.is_some() {
        let version = "SELECT value FROM seawall_nonce_fact WHERE name = 'version'";
        let version: i64 = transaction
            .query_row(version, [], |row| row.get(0))
            .map_err(failed)?;
        if version != VERSION {
            return Err(OpenError::new(format!(
                "the tables of nonces are of version {version}: expected {VERSION}"
            )));
        }
    }
    transaction.execute_batch(TABLES).map_err(failed)?;
    transaction.commit().map_err(failed)
}
