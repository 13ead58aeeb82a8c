//! What several processes have done to one file, written into it as it happens, and what must be true
//! of it.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::{Connection, TransactionBehavior, params};
use seawall_idempotency::{Claim, Outcome};
use seawall_sqlite::complete_in;

use super::transactions::Failure;

/// A process' own connection to the history.
pub(crate) struct History(Connection);

impl History {
    pub(crate) fn open(path: &Path) -> Self {
        let connection = Connection::open(path).unwrap();
        let patience = std::time::Duration::from_secs(30);
        connection.busy_timeout(patience).unwrap();
        let tables = "CREATE TABLE IF NOT EXISTS attempt
                (key TEXT NOT NULL, fence INTEGER NOT NULL, attempt INTEGER NOT NULL);
            CREATE TABLE IF NOT EXISTS answer (key TEXT NOT NULL, body TEXT NOT NULL);
            CREATE TABLE IF NOT EXISTS charge (key TEXT NOT NULL, fence INTEGER NOT NULL);";
        connection.execute_batch(tables).unwrap();
        Self(connection)
    }

    /// Somebody begins.
    pub(crate) fn begun(&self, key: &str, claim: &Claim) {
        let row = "INSERT INTO attempt VALUES (?1, ?2, ?3)";
        let fence = claim.fence().cast_signed();
        self.0
            .execute(row, params![key, fence, claim.attempt()])
            .unwrap();
    }

    /// Somebody was answered.
    pub(crate) fn answered(&self, key: &str, outcome: &Outcome) {
        let row = "INSERT INTO answer VALUES (?1, ?2)";
        let body = std::str::from_utf8(outcome.bytes()).unwrap();
        self.0.execute(row, [key, body]).unwrap();
    }

    /// Charges in the transaction that completes the record. The outcome tells by whom.
    pub(crate) fn charge(&mut self, key: &str, claim: &Claim) -> Result<Outcome, Failure> {
        let behavior = TransactionBehavior::Immediate;
        let transaction = self.0.transaction_with_behavior(behavior)?;
        let fence = claim.fence().cast_signed();
        transaction.execute("INSERT INTO charge VALUES (?1, ?2)", params![key, fence])?;
        let outcome = Outcome::new(body(fence)).status(201);
        complete_in(&transaction, &claim.completion(&outcome)?)?;
        transaction.commit()?;
        Ok(outcome)
    }

    pub(crate) fn attempts(&self) -> usize {
        self.count("SELECT count(*) FROM attempt")
    }

    pub(crate) fn takeovers(&self) -> usize {
        self.count("SELECT count(*) FROM attempt WHERE attempt > 1")
    }

    fn count(&self, query: &str) -> usize {
        self.0.query_row(query, [], |row| row.get(0)).unwrap()
    }

    pub(crate) fn charges(&self) -> usize {
        self.count("SELECT count(*) FROM charge")
    }

    /// What is wrong with the history of these keys, which are retried until they are charged, or are
    /// at most once begun.
    pub(crate) fn violations(&self, keys: &[String], is_retried: bool) -> Vec<String> {
        let charges: HashMap<String, Vec<i64>> =
            self.rows("SELECT key, fence FROM charge", |row| row.get(1));
        let answers: HashMap<String, Vec<String>> =
            self.rows("SELECT key, body FROM answer", |row| row.get(1));
        let attempts: HashMap<String, Vec<(u32, i64)>> = self.rows(
            "SELECT key, attempt, fence FROM attempt ORDER BY attempt",
            |row| Ok((row.get(1)?, row.get(2)?)),
        );
        let mut wrong = Vec::new();
        let mut say =
            |key: &str, what: &dyn std::fmt::Debug| wrong.push(format!("{key}: {what:?}"));
        for key in keys {
            let charges = charges.get(key).map_or(&[][..], Vec::as_slice);
            if charges.len() > 1 || (is_retried && charges.is_empty()) {
                say(key, &("charged once, L1", charges));
            }
            let attempts = attempts.get(key).map_or(&[][..], Vec::as_slice);
            if !is_retried && attempts.len() > 1 {
                say(key, &("begun at most once", attempts));
            }
            // A process can die between its begin and writing it down, so numbers may be missing.
            if !attempts
                .windows(2)
                .all(|two| two[0].0 < two[1].0 && two[0].1 < two[1].1)
            {
                say(key, &("fences increase with attempts, L2", attempts));
            }
            let answers = answers.get(key).map_or(&[][..], Vec::as_slice);
            let winner = charges.first().copied();
            if answers
                .iter()
                .any(|answer| Some(answer) != winner.map(body).as_ref())
            {
                say(key, &("every answer is the charge's, L3", winner, answers));
            }
            if attempts
                .iter()
                .any(|(_, fence)| winner.is_some_and(|winner| *fence > winner))
            {
                say(key, &("nobody begins after the end, L5", winner, attempts));
            }
        }
        wrong
    }

    fn rows<T>(
        &self,
        query: &str,
        mut read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> HashMap<String, Vec<T>> {
        let mut query = self.0.prepare(query).unwrap();
        let rows = query
            .query_map([], |row| Ok((row.get(0)?, read(row)?)))
            .unwrap();
        let mut by_key: HashMap<String, Vec<T>> = HashMap::new();
        for row in rows {
            let (key, value) = row.unwrap();
            by_key.entry(key).or_default().push(value);
        }
        by_key
    }
}

fn body(fence: i64) -> String {
    format!("charged by {fence}")
}

/// A check that finds nothing wrong with anything would pass every storm.
#[test]
fn what_is_wrong_is_found() {
    let check = |rows: &str, is_retried: bool, expected: &str| {
        let file = crate::support::File::new();
        let history = History::open(&file.path());
        history.0.execute_batch(rows).unwrap();
        let wrong = history.violations(&["k".to_owned()], is_retried);
        assert!(
            wrong.len() == usize::from(!expected.is_empty())
                && wrong.iter().all(|wrong| wrong.contains(expected)),
            "{rows}: {wrong:?}"
        );
    };
    let right = "INSERT INTO attempt VALUES ('k', 1, 1), ('k', 3, 2);
        INSERT INTO charge VALUES ('k', 3); INSERT INTO answer VALUES ('k', 'charged by 3');";
    let and = |more: &str| format!("{right}{more}");
    check(right, true, "");
    check(&and("INSERT INTO charge VALUES ('k', 3)"), true, "L1");
    check("DELETE FROM charge", true, "L1");
    check(&and("INSERT INTO attempt VALUES ('k', 2, 3)"), true, "L2");
    check(
        &and("INSERT INTO answer VALUES ('k', 'charged by 1')"),
        true,
        "L3",
    );
    check(&and("INSERT INTO attempt VALUES ('k', 4, 3)"), true, "L5");
    check(right, false, "at most once");
}
