//! What can go wrong with a database file.

use std::error::Error;
use std::fmt;

/// Says why a store could not be opened.
#[derive(Debug)]
pub struct OpenError {
    wrong: String,
    source: Option<rusqlite::Error>,
}

impl OpenError {
    pub(crate) fn new(wrong: impl Into<String>) -> Self {
        Self {
            wrong: wrong.into(),
            source: None,
        }
    }

    pub(crate) fn because(wrong: impl Into<String>, source: rusqlite::Error) -> Self {
        Self {
            wrong: wrong.into(),
            source: Some(source),
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.wrong)
    }
}

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

/// Says why the store did not answer.
#[derive(Debug)]
pub struct SqliteStoreError(Kind);

#[derive(Debug)]
pub(crate) enum Kind {
    /// Too many questions wait already.
    QueueFull,
    /// No answer in time; the question may still be carried out.
    TimedOut,
    /// The thread that owns the database is gone.
    Stopped,
    /// One question of a batch failed, and all of it was rolled back.
    Database(std::sync::Arc<rusqlite::Error>),
}

impl SqliteStoreError {
    pub(crate) fn new(kind: Kind) -> Self {
        Self(kind)
    }

    /// Returns whether the database could not be reached or was busy for too long. Everything else
    /// (a full disk, a file that may not be written or is damaged) is an answer, and it is no.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        use rusqlite::ErrorCode as Code;
        match &self.0 {
            Kind::QueueFull | Kind::TimedOut | Kind::Stopped => true,
            Kind::Database(error) => matches!(
                error.sqlite_error_code(),
                Some(
                    Code::DatabaseBusy
                        | Code::DatabaseLocked
                        | Code::SystemIoFailure
                        | Code::CannotOpen
                        | Code::OperationInterrupted
                )
            ),
        }
    }
}

impl fmt::Display for SqliteStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Kind::QueueFull => "too many operations wait for the database",
            Kind::TimedOut => "the database did not answer in time",
            Kind::Stopped => "the database's thread has stopped",
            Kind::Database(_) => "the database failed",
        })
    }
}

impl Error for SqliteStoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Kind::Database(error) => Some(&**error),
            _ => None,
        }
    }
}
