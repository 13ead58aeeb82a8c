//! What goes wrong in the business, told the way real dependencies tell it: far too much.

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;

use super::canary;
use super::component::Component;

/// Why the business could not do as asked.
#[derive(Debug)]
pub enum DomainError {
    /// There is no such thing.
    NotFound,
    /// The database refused a statement.
    Database(StatementFailed),
    /// The search index could not be read.
    Search(SegmentUnreadable),
    /// The service that holds the index did not answer as it should.
    Index(IndexUnreachable),
    /// The session store could not say who this is.
    Session(SessionLookupFailed),
    /// The payment provider, or another service behind an API key, refused the call.
    Provider(ProviderRefused),
    /// The mail relay could not be reached.
    Relay(RelayUnreachable),
}

impl DomainError {
    /// What the failure of a component looks like from above.
    pub(crate) fn of(component: Component) -> Self {
        match component {
            Component::Database => Self::Database(StatementFailed {
                statement: canary::STATEMENT,
                sqlstate: canary::SQLSTATE,
                server: canary::DATABASE_URL,
            }),
            Component::Search => Self::Search(SegmentUnreadable {
                path: canary::INDEX_PATH,
            }),
            Component::User => Self::Session(SessionLookupFailed {
                server: canary::SESSION_URL,
            }),
            Component::Notifications => Self::Relay(RelayUnreachable {
                relay: canary::RELAY,
            }),
            Component::Recommendations | Component::Payments => Self::Provider(ProviderRefused {
                component,
                api_key: canary::PROVIDER_KEY,
            }),
        }
    }
}

impl fmt::Display for DomainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "there is no such thing",
            Self::Database(_) => "the database refused a statement",
            Self::Search(_) => "the search index could not be read",
            Self::Index(_) => "the index service did not answer",
            Self::Session(_) => "the session store did not answer",
            Self::Provider(_) => "a provider refused the call",
            Self::Relay(_) => "the mail relay could not be reached",
        })
    }
}

impl Error for DomainError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NotFound => None,
            Self::Database(cause) => Some(cause),
            Self::Search(cause) => Some(cause),
            Self::Index(cause) => Some(cause),
            Self::Session(cause) => Some(cause),
            Self::Provider(cause) => Some(cause),
            Self::Relay(cause) => Some(cause),
        }
    }
}

/// The database refused a statement.
#[derive(Debug)]
pub struct StatementFailed {
    statement: &'static str,
    sqlstate: &'static str,
    server: &'static str,
}

impl fmt::Display for StatementFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "StatementFailed: {} in `{}` at {}",
            self.sqlstate, self.statement, self.server
        )
    }
}

impl Error for StatementFailed {}

/// A file of the search index could not be read.
#[derive(Debug)]
pub struct SegmentUnreadable {
    path: &'static str,
}

impl fmt::Display for SegmentUnreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SegmentUnreadable: {}: input/output error (os error 5)",
            self.path
        )
    }
}

impl Error for SegmentUnreadable {}

/// The service that holds the index did not answer as it should.
#[derive(Debug)]
pub struct IndexUnreachable {
    at: SocketAddr,
    cause: Box<dyn Error + Send + Sync>,
}

impl IndexUnreachable {
    pub(crate) fn new(at: SocketAddr, cause: Box<dyn Error + Send + Sync>) -> Self {
        Self { at, cause }
    }
}

impl fmt::Display for IndexUnreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IndexUnreachable: {}", self.at)
    }
}

impl Error for IndexUnreachable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.cause.as_ref())
    }
}

/// The session store did not answer.
#[derive(Debug)]
pub struct SessionLookupFailed {
    server: &'static str,
}

impl fmt::Display for SessionLookupFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SessionLookupFailed: connection to {} reset by peer",
            self.server
        )
    }
}

impl Error for SessionLookupFailed {}

/// A provider refused the call.
#[derive(Debug)]
pub struct ProviderRefused {
    component: Component,
    api_key: &'static str,
}

impl fmt::Display for ProviderRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "ProviderRefused: {} refused the key {}",
            self.component, self.api_key
        )
    }
}

impl Error for ProviderRefused {}

/// The mail relay could not be reached.
#[derive(Debug)]
pub struct RelayUnreachable {
    relay: &'static str,
}

impl fmt::Display for RelayUnreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RelayUnreachable: no route to {}", self.relay)
    }
}

impl Error for RelayUnreachable {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_errors_and_the_panic_together_carry_every_canary() {
        let told: String = Component::ALL
            .into_iter()
            .map(|component| format!("{:?}", DomainError::of(component)))
            .chain([canary::PANIC.to_owned()])
            .collect();
        for planted in canary::ALL {
            assert!(told.contains(planted.text), "{} is told", planted.text);
        }
    }
}
