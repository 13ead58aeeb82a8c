//! Why the store could not be set up, and why it could not decide.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use deadpool_postgres::PoolError;
use tokio_postgres::error::SqlState;

/// The store did not decide.
///
/// Whether it charged is unknown if this is a [timeout](Self::is_timeout) or a broken connection:
/// count such a charge as made. A step with a record can be made again, with the same nonce or token.
#[derive(Debug)]
pub struct Error(Cause);

#[derive(Debug)]
enum Cause {
    Timeout(Duration),
    Pool(PoolError),
    Driver(tokio_postgres::Error),
    Answer,
    #[cfg(feature = "idempotency")]
    Locked,
    #[cfg(feature = "ratelimit")]
    TooManyCharges(usize),
}

/// Whether nobody answered, or the answer was no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    Unavailable,
    Refused,
}

impl Error {
    pub(crate) const fn timeout(limit: Duration) -> Self {
        Self(Cause::Timeout(limit))
    }

    /// The database answered something that is not a decision.
    pub(crate) const fn answer() -> Self {
        Self(Cause::Answer)
    }

    /// A row is in the hands of a transaction that has not ended. Nothing was changed.
    #[cfg(feature = "idempotency")]
    pub(crate) const fn locked() -> Self {
        Self(Cause::Locked)
    }

    #[cfg(feature = "ratelimit")]
    pub(crate) const fn too_many_charges(count: usize) -> Self {
        Self(Cause::TooManyCharges(count))
    }

    /// Whether nobody answered within the operation timeout.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        match &self.0 {
            Cause::Timeout(_) | Cause::Pool(PoolError::Timeout(_)) => true,
            Cause::Driver(error) => error.code() == Some(&SqlState::QUERY_CANCELED),
            _ => false,
        }
    }

    /// Whether the database was out of reach. Everything else is an answer, and it is no.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.kind() == Failure::Unavailable
    }

    /// What kind of failure this is to a policy.
    #[cfg(feature = "ratelimit")]
    #[must_use]
    pub fn failure(&self) -> seawall_ratelimit::StoreFailure {
        match self.kind() {
            Failure::Unavailable => seawall_ratelimit::StoreFailure::Unavailable,
            Failure::Refused => seawall_ratelimit::StoreFailure::Refused,
        }
    }

    fn kind(&self) -> Failure {
        match &self.0 {
            Cause::Driver(error) | Cause::Pool(PoolError::Backend(error)) => failure(error.code()),
            Cause::Timeout(_) | Cause::Pool(_) => Failure::Unavailable,
            Cause::Answer => Failure::Refused,
            #[cfg(feature = "idempotency")]
            Cause::Locked => Failure::Unavailable,
            #[cfg(feature = "ratelimit")]
            Cause::TooManyCharges(_) => Failure::Refused,
        }
    }

    fn is_missing_schema(&self) -> bool {
        let Cause::Driver(error) = &self.0 else {
            return false;
        };
        [
            Some(&SqlState::UNDEFINED_TABLE),
            Some(&SqlState::UNDEFINED_FUNCTION),
        ]
        .contains(&error.code())
    }
}

/// What nobody could answer is unavailable; what was answered with a no is refused. That is also the
/// answer of a server whose disk or memory is full: a client can bring that about with many keys, so
/// it must not open the gate.
fn failure(code: Option<&SqlState>) -> Failure {
    // Without a code, it was not the server who spoke.
    let Some(code) = code else {
        return Failure::Unavailable;
    };
    let is_unavailable = match code.code() {
        // Too many connections; read only, as a standby is; a lock that did not come in time.
        "53300" | "25006" | "55P03" => true,
        // Connections; rollbacks that ask for another attempt; an operator who intervened.
        code => ["08", "40", "57"]
            .iter()
            .any(|class| code.starts_with(class)),
    };
    if is_unavailable {
        Failure::Unavailable
    } else {
        Failure::Refused
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        Self(Cause::Driver(error))
    }
}

impl From<PoolError> for Error {
    fn from(error: PoolError) -> Self {
        Self(Cause::Pool(error))
    }
}

#[cfg(feature = "ratelimit")]
impl From<Error> for seawall_ratelimit::StoreFailure {
    fn from(error: Error) -> Self {
        error.failure()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Cause::Timeout(limit) => write!(f, "postgres did not answer within {limit:?}"),
            Cause::Answer => f.write_str("postgres answered something that is not a decision"),
            #[cfg(feature = "idempotency")]
            Cause::Locked => f.write_str("the record is locked by a transaction"),
            #[cfg(feature = "ratelimit")]
            Cause::TooManyCharges(count) => {
                write!(
                    f,
                    "expected at most {MOST_CHARGES} charges in one decision, got {count}"
                )
            }
            _ if self.is_missing_schema() => {
                f.write_str("expected the schema of seawall-postgres: run `migrate` first")
            }
            Cause::Pool(_) | Cause::Driver(_) => f.write_str(match self.kind() {
                Failure::Unavailable => "postgres is unavailable",
                Failure::Refused => "postgres refused to decide",
            }),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0 {
            Cause::Driver(error) => Some(error),
            Cause::Pool(error) => Some(error),
            _ => None,
        }
    }
}

/// As over Redis; nobody has 1,000 policies.
#[cfg(feature = "ratelimit")]
pub(crate) const MOST_CHARGES: usize = 1_000;

/// The store could not be set up.
#[derive(Debug)]
pub struct ConnectError(Setup);

#[derive(Debug)]
enum Setup {
    Address(tokio_postgres::Error),
    Unreachable(Error),
}

impl ConnectError {
    pub(crate) const fn address(error: tokio_postgres::Error) -> Self {
        Self(Setup::Address(error))
    }

    pub(crate) const fn unreachable(error: Error) -> Self {
        Self(Setup::Unreachable(error))
    }

    /// Whether trying again later may help: the server was out of reach.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        match &self.0 {
            Setup::Unreachable(error) => error.is_unavailable(),
            Setup::Address(_) => false,
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Setup::Address(_) => f.write_str(
                "expected the address of a database, such as postgres://user@host:5432/database",
            ),
            Setup::Unreachable(_) => f.write_str("postgres could not be reached"),
        }
    }
}

impl StdError for ConnectError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0 {
            Setup::Address(error) => Some(error),
            Setup::Unreachable(error) => Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_server_that_cannot_serve_may_open_the_gate() {
        use Failure::{Refused, Unavailable};
        let check = |code, expected| {
            assert_eq!(
                failure(Some(&SqlState::from_code(code))),
                expected,
                "{code}"
            );
        };
        assert_eq!(failure(None), Unavailable);
        for code in [
            "08006", "57P01", "57P03", "57014", "53300", "40001", "40P01", "25006", "55P03",
        ] {
            check(code, Unavailable);
        }
        for code in [
            "28P01", "3D000", "42501", "42P01", "42883", "53100", "53200", "22003", "XX000",
        ] {
            check(code, Refused);
        }
    }
}
