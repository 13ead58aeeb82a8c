//! How a store is set up: where, over how many connections, and how long it may take.

use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use deadpool_postgres::Pool;

use crate::error::ConnectError;
use crate::link::{Link, Timeouts};
use crate::store::{Inner, PostgresStore};
use crate::sweeper::Sweeper;

/// Sets up a [`PostgresStore`]; made by [`PostgresStore::builder`] and [`PostgresStore::with_pool`].
#[derive(Clone)]
#[must_use = "nothing is connected before `connect` or `build`"]
pub struct PostgresStoreBuilder {
    to: Target,
    timeouts: Timeouts,
    connections: NonZeroUsize,
    sweep_every: Option<NonZeroU32>,
    #[cfg(feature = "conformance")]
    clock: Option<std::sync::Arc<dyn seawall_ratelimit::Clock>>,
}

#[derive(Clone)]
enum Target {
    Url(String),
    Pool(Pool),
}

impl PostgresStoreBuilder {
    pub(crate) fn url(url: &str) -> Self {
        Self::to(Target::Url(url.to_owned()))
    }

    pub(crate) fn pool(pool: Pool) -> Self {
        Self::to(Target::Pool(pool))
    }

    fn to(to: Target) -> Self {
        Self {
            to,
            timeouts: Timeouts {
                connect: CONNECT,
                operation: OPERATION,
            },
            connections: CONNECTIONS,
            sweep_every: Some(SWEEP_EVERY),
            #[cfg(feature = "conformance")]
            clock: None,
        }
    }

    /// How long a connection may take to come about. Default: two seconds; Postgres forks a process
    /// for each.
    pub fn connect_timeout(self, time: Duration) -> Self {
        Self {
            timeouts: Timeouts {
                connect: time,
                ..self.timeouts
            },
            ..self
        }
    }

    /// How long one call may take in all, waiting for a connection included. Default: 250 ms; a
    /// decision takes one or two, and a limiter should not be what makes a request slow. Messages and
    /// records wait for the disk: give a store of those more. The server gives up on a statement after
    /// the same time.
    pub fn operation_timeout(self, time: Duration) -> Self {
        Self {
            timeouts: Timeouts {
                operation: time,
                ..self.timeouts
            },
            ..self
        }
    }

    /// How many connections there may be. Default: 8; each is busy for a fraction of a millisecond a
    /// decision, and a server has one hundred for everybody. A pool of your own has its own size.
    pub fn connections(self, most: NonZeroUsize) -> Self {
        Self {
            connections: most,
            ..self
        }
    }

    /// After how many decisions of this process some pages are cleared of what counts nothing any
    /// more, and after how many accepted messages or records taken some thousand that have expired are
    /// deleted, in the background; `None` leaves it to [`PostgresStore::sweep`]. Default: 1,000, which
    /// keeps up with ten new keys a decision, and four expired messages or records for each new one.
    pub fn sweep_every(self, calls: Option<NonZeroU32>) -> Self {
        Self {
            sweep_every: calls,
            ..self
        }
    }

    /// Takes the time from `clock` instead of the server, and sweeps nothing: for
    /// [`seawall_ratelimit::conformance`], whose traces span years, and that of `seawall-idempotency`,
    /// against a database that will be thrown away. `complete_in` keeps to the server's time.
    #[cfg(feature = "conformance")]
    pub fn conformance_clock(self, clock: impl seawall_ratelimit::Clock) -> Self {
        Self {
            clock: Some(std::sync::Arc::new(clock)),
            sweep_every: None,
            ..self
        }
    }

    /// Connects, and fails if nobody answers within the connect timeout.
    ///
    /// # Errors
    ///
    /// If the address is malformed, nobody answers, or what answers refuses us.
    pub async fn connect(self) -> Result<PostgresStore, ConnectError> {
        let store = self.build()?;
        store.inner().link.reach().await?;
        Ok(store)
    }

    /// Connects when first needed, so that a service starts even while its database is down. Until a
    /// connection stands, calls fail as unavailable.
    ///
    /// # Errors
    ///
    /// If the address is malformed.
    pub fn build(self) -> Result<PostgresStore, ConnectError> {
        let link = match self.to {
            Target::Url(url) => Link::to(&url, self.connections.get(), self.timeouts)?,
            Target::Pool(pool) => Link::over(pool, self.timeouts),
        };
        Ok(PostgresStore::from_inner(Inner {
            link,
            #[cfg(feature = "ratelimit")]
            counters: Sweeper::every(self.sweep_every),
            #[cfg(feature = "signing")]
            nonces: Sweeper::every(self.sweep_every),
            #[cfg(feature = "idempotency")]
            records: Sweeper::every(self.sweep_every),
            #[cfg(feature = "conformance")]
            clock: self.clock,
        }))
    }
}

impl fmt::Debug for PostgresStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Addresses may hold passwords.
        f.debug_struct("PostgresStoreBuilder")
            .field("timeouts", &self.timeouts)
            .field("connections", &self.connections)
            .field("sweep_every", &self.sweep_every)
            .finish_non_exhaustive()
    }
}

const CONNECT: Duration = Duration::from_secs(2);
const OPERATION: Duration = Duration::from_millis(250);
const CONNECTIONS: NonZeroUsize = NonZeroUsize::new(8).expect("8 is not 0");
const SWEEP_EVERY: NonZeroU32 = NonZeroU32::new(1_000).expect("1,000 is not 0");
