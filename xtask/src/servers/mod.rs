//! The servers that store tests need: found or installed, started empty, and stopped whatever happens.

use throwaway::{Disk, Error, Server};

use crate::{failure::Failure, install, process::check_interrupt};

/// A kind of server that some member's tests need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Redis,
    Postgres,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Redis, Self::Postgres];

    /// The member whose tests need it.
    pub(crate) fn member(self) -> &'static str {
        match self {
            Self::Redis => "seawall-redis",
            Self::Postgres => "seawall-postgres",
        }
    }

    /// The variable by which the tests find it.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::Redis => "SEAWALL_REDIS_URL",
            Self::Postgres => "SEAWALL_POSTGRES_URL",
        }
    }

    pub(crate) fn start(self) -> Result<Running, Failure> {
        let kind = match self {
            Self::Redis => throwaway::Kind::Redis,
            Self::Postgres => throwaway::Kind::Postgres,
        };
        for program in kind.programs() {
            install::find_or_install(&program, ", or pass --without-servers")?;
        }
        let server = Server::start(kind, Disk::Nothing, &|| check_interrupt().is_err()).map_err(
            |error| match error {
                Error::Interrupted => Failure::Interrupted,
                Error::NoOwner => {
                    Failure::broken(format!("{error}: install it, or pass --without-servers"))
                }
                other => Failure::broken(other.to_string()),
            },
        )?;
        eprintln!("    {} at {}", kind.name(), server.url());
        Ok(Running(server))
    }
}

/// A running server. Dropping it stops it, removes its data, and says so.
#[derive(Debug)]
pub(crate) struct Running(Server);

impl Running {
    pub(crate) fn url(&self) -> String {
        self.0.url()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        eprintln!("    stopping {}", self.0.kind().name());
    }
}
