//! Why the store could not be set up, and why it could not decide.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use redis::{ErrorKind, RedisError, ServerErrorKind};

/// The store did not decide.
///
/// Whether it charged is unknown if this is a [timeout](Self::is_timeout) or a broken connection:
/// count such a charge as made. So is whether a step of a record was made; make it again.
#[derive(Debug)]
pub struct Error(Cause);

#[derive(Debug)]
enum Cause {
    Timeout(Duration),
    Driver(RedisError),
    Answer,
    #[cfg(feature = "ratelimit")]
    TooManyCharges(usize),
    #[cfg(all(feature = "cluster", feature = "ratelimit"))]
    Stopped,
}

impl Error {
    pub(crate) const fn timeout(limit: Duration) -> Self {
        Self(Cause::Timeout(limit))
    }

    /// The server answered something that is not a decision.
    pub(crate) const fn answer() -> Self {
        Self(Cause::Answer)
    }

    #[cfg(feature = "ratelimit")]
    pub(crate) const fn too_many_charges(count: usize) -> Self {
        Self(Cause::TooManyCharges(count))
    }

    /// The runtime is shutting down.
    #[cfg(all(feature = "cluster", feature = "ratelimit"))]
    pub(crate) const fn stopped() -> Self {
        Self(Cause::Stopped)
    }

    /// Whether nobody answered within the operation timeout.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        match &self.0 {
            Cause::Timeout(_) => true,
            Cause::Driver(error) => error.is_timeout(),
            _ => false,
        }
    }

    /// Whether nobody could answer. Everything else was answered, with a no.
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
            Cause::Timeout(_) => Failure::Unavailable,
            Cause::Driver(error) => failure(error),
            #[cfg(feature = "ratelimit")]
            Cause::TooManyCharges(_) => Failure::Refused,
            Cause::Answer => Failure::Refused,
            #[cfg(all(feature = "cluster", feature = "ratelimit"))]
            Cause::Stopped => Failure::Unavailable,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    Unavailable,
    Refused,
}

/// What nobody could answer is unavailable; what was answered with a no is refused. That is also the
/// answer of a server whose memory is full (`OOM`): a client can bring that about with many keys, so
/// it must not open the gate.
fn failure(error: &RedisError) -> Failure {
    match error.kind() {
        ErrorKind::Io
        | ErrorKind::ClusterConnectionNotFound
        | ErrorKind::MasterNameNotFoundBySentinel
        | ErrorKind::NoValidReplicasFoundBySentinel
        | ErrorKind::Server(
            ServerErrorKind::BusyLoading
            | ServerErrorKind::Moved
            | ServerErrorKind::Ask
            | ServerErrorKind::TryAgain
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::MasterDown
            | ServerErrorKind::ReadOnly,
        ) => Failure::Unavailable,
        _ if matches!(error.code(), Some("BUSY" | "MISCONF" | "NOREPLICAS")) => {
            Failure::Unavailable
        }
        _ => Failure::Refused,
    }
}

impl From<RedisError> for Error {
    fn from(error: RedisError) -> Self {
        Self(Cause::Driver(error))
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
            Cause::Timeout(limit) => write!(f, "redis did not answer within {limit:?}"),
            Cause::Driver(error) => match failure(error) {
                Failure::Unavailable => f.write_str("redis is unavailable"),
                Failure::Refused => f.write_str("redis refused to decide"),
            },
            Cause::Answer => f.write_str("redis answered something that is not a decision"),
            #[cfg(feature = "ratelimit")]
            Cause::TooManyCharges(count) => {
                write!(
                    f,
                    "expected at most {MOST_CHARGES} charges in one decision, got {count}"
                )
            }
            #[cfg(all(feature = "cluster", feature = "ratelimit"))]
            Cause::Stopped => f.write_str("the runtime was shut down during the decision"),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0 {
            Cause::Driver(error) => Some(error),
            _ => None,
        }
    }
}

/// Lua can pass some 8,000 values on its stack; nobody has 1,000 policies.
#[cfg(feature = "ratelimit")]
pub(crate) const MOST_CHARGES: usize = 1_000;

/// The store could not be set up.
#[derive(Debug)]
pub struct ConnectError(Setup);

#[derive(Debug)]
enum Setup {
    Address(RedisError),
    NoRuntime,
    Timeout(Duration),
    Unreachable(RedisError),
}

impl ConnectError {
    pub(crate) const fn address(error: RedisError) -> Self {
        Self(Setup::Address(error))
    }

    pub(crate) const fn no_runtime() -> Self {
        Self(Setup::NoRuntime)
    }

    pub(crate) const fn timeout(limit: Duration) -> Self {
        Self(Setup::Timeout(limit))
    }

    pub(crate) const fn unreachable(error: RedisError) -> Self {
        Self(Setup::Unreachable(error))
    }

    /// Whether trying again later may help: the server was out of reach.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        match &self.0 {
            Setup::Timeout(_) => true,
            Setup::Unreachable(error) => failure(error) == Failure::Unavailable,
            Setup::Address(_) | Setup::NoRuntime => false,
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Setup::Address(_) => {
                f.write_str("expected the address of a redis server, such as redis://host:6379/")
            }
            Setup::NoRuntime => f.write_str("expected to be called within a tokio runtime"),
            Setup::Timeout(limit) => write!(f, "redis could not be reached within {limit:?}"),
            Setup::Unreachable(_) => f.write_str("redis could not be reached"),
        }
    }
}

impl StdError for ConnectError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0 {
            Setup::Address(error) | Setup::Unreachable(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redis::{Value, parse_redis_value};

    fn check(line: &str, expected: Failure) {
        let value = parse_redis_value(line.as_bytes()).unwrap();
        let error = match value {
            Value::ServerError(error) => RedisError::from(error),
            other => panic!("{other:?}"),
        };
        assert_eq!(Error::from(error).kind(), expected, "{line}");
    }

    #[test]
    fn only_a_server_that_cannot_serve_may_open_the_gate() {
        use Failure::{Refused, Unavailable};
        check(
            "-LOADING Redis is loading the dataset in memory\r\n",
            Unavailable,
        );
        check("-CLUSTERDOWN The cluster is down\r\n", Unavailable);
        check(
            "-READONLY You can't write against a read only replica.\r\n",
            Unavailable,
        );
        check(
            "-MISCONF Redis is configured to save RDB snapshots\r\n",
            Unavailable,
        );
        check("-BUSY Redis is busy running a script\r\n", Unavailable);
        check(
            "-OOM command not allowed when used memory > 'maxmemory'.\r\n",
            Refused,
        );
        check("-NOPERM this user has no permissions\r\n", Refused);
        check("-NOAUTH Authentication required.\r\n", Refused);
        check(
            "-CROSSSLOT Keys in request don't hash to the same slot\r\n",
            Refused,
        );
        check("-ERR anything else\r\n", Refused);
    }
}
