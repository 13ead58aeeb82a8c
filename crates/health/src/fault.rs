//! Why a check failed: one word for the callers, the whole story for the operators.

use std::error::Error;
use std::fmt;
use std::io;

/// Why a check failed, in one word. The vocabulary is fixed, so that no answer can carry an address, a
/// user name or a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The check took too long, or has not come back from an earlier run.
    Timeout,
    /// The connection was refused or lost.
    Refused,
    /// A name could not be resolved.
    Dns,
    /// The credentials were not accepted.
    Auth,
    /// Anything else.
    Error,
    /// The check panicked.
    Panic,
    /// The last result is too old to be believed.
    Stale,
}

impl Fault {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Refused => "refused",
            Self::Dns => "dns",
            Self::Auth => "auth",
            Self::Error => "error",
            Self::Panic => "panic",
            Self::Stale => "stale",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why one run of a check failed: a [`Fault`], and the error itself as `source()`.
///
/// A check may give any error. Where its chain holds a [`std::io::Error`] the fault is taken from its
/// kind; a check that knows better gives a `Failure`.
///
/// ```
/// use seawall_health::{Failure, Fault};
///
/// let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
/// assert_eq!(Failure::of(refused).fault(), Fault::Refused);
/// assert_eq!(Failure::new(Fault::Auth, "password rejected").fault(), Fault::Auth);
/// ```
#[derive(Debug)]
pub struct Failure {
    fault: Fault,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// A failure whose fault is known.
    pub fn new(fault: Fault, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            fault,
            source: Some(source.into()),
        }
    }

    /// A failure whose fault is read from the error. A `Failure` stays as it is.
    pub fn of(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        match error.into().downcast::<Self>() {
            Ok(failure) => *failure,
            Err(error) => Self {
                fault: read(&*error),
                source: Some(error),
            },
        }
    }

    pub(crate) fn bare(fault: Fault) -> Self {
        Self {
            fault,
            source: None,
        }
    }

    /// The fault.
    #[must_use]
    pub fn fault(&self) -> Fault {
        self.fault
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the check failed: {}", self.fault)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}

/// The fault of the first error in the chain which tells one. Chains are short; one that bites its own
/// tail is not followed for ever.
fn read(error: &(dyn Error + 'static)) -> Fault {
    let mut next = Some(error);
    for _ in 0..16 {
        let Some(error) = next else { break };
        if let Some(failure) = error.downcast_ref::<Failure>() {
            return failure.fault;
        }
        if let Some(io) = error.downcast_ref::<io::Error>() {
            match io.kind() {
                io::ErrorKind::TimedOut => return Fault::Timeout,
                io::ErrorKind::ConnectionRefused
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::NotConnected
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable => return Fault::Refused,
                io::ErrorKind::PermissionDenied => return Fault::Auth,
                _ => {}
            }
        }
        next = error.source();
    }
    Fault::Error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Wrapped(io::Error);

    impl fmt::Display for Wrapped {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("query failed")
        }
    }

    impl Error for Wrapped {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn the_fault_is_found_in_the_chain() {
        let check = |kind: io::ErrorKind, expected| {
            assert_eq!(Failure::of(Wrapped(kind.into())).fault(), expected);
        };
        check(io::ErrorKind::TimedOut, Fault::Timeout);
        check(io::ErrorKind::ConnectionReset, Fault::Refused);
        check(io::ErrorKind::PermissionDenied, Fault::Auth);
        check(io::ErrorKind::InvalidData, Fault::Error);
    }

    #[test]
    fn a_failure_passes_unchanged() {
        let dns = Failure::of(Failure::new(Fault::Dns, "no such host"));
        assert_eq!(dns.fault(), Fault::Dns);
        assert_eq!(
            dns.source().map(ToString::to_string).as_deref(),
            Some("no such host")
        );
        assert_eq!(Failure::of("plain text").fault(), Fault::Error);
    }
}
