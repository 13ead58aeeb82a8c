//! Why there is no server.

use std::fmt;
use std::io;

/// Why a server could not be started. `Display` is one line, but for a server's last words.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A program is not installed.
    Missing {
        /// What was looked for.
        program: &'static str,
        /// The Debian package that brings it.
        package: &'static str,
    },
    /// `PostgreSQL` does not run as root, and there is nobody else.
    NoOwner,
    /// It was started, or nearly, and did not come up.
    Broken(String),
    /// The caller wanted no more.
    Interrupted,
}

impl Error {
    pub(crate) fn broken(name: &str, error: &io::Error) -> Self {
        Self::Broken(format!("{name} cannot be started: {error}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { program, package } => write!(
                f,
                "the program {program} is not installed (package `{package}`)"
            ),
            Self::NoOwner => f.write_str(
                "PostgreSQL does not run as root, and there is no user `postgres` to run it as \
                 (package `postgresql`)",
            ),
            Self::Broken(text) => f.write_str(text),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}

impl std::error::Error for Error {}
