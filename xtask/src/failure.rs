//! The ways in which a task ends badly, and the exit code of each.

use std::{fmt, process::ExitCode};

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The command line or a file given to the task was unusable: exit code 2.
    Usage(String),
    /// What was asked about does not hold: exit code 1.
    Broken(String),
    /// Ctrl-C or SIGTERM: exit code 130, as a shell would report it.
    Interrupted,
}

impl Failure {
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    pub(crate) fn broken(text: impl Into<String>) -> Self {
        Self::Broken(text.into())
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Broken(_) => ExitCode::from(1),
            Self::Interrupted => ExitCode::from(130),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Broken(text) => f.write_str(text),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}
