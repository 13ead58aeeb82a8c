//! The handle that users hold.

use std::fmt;
use std::sync::Arc;

use crate::builder::PostgresStoreBuilder;
use crate::error::{ConnectError, Error};
#[cfg(feature = "idempotency")]
use crate::idempotency;
use crate::link::Link;
#[cfg(feature = "ratelimit")]
use crate::ratelimit;
#[cfg(feature = "signing")]
use crate::signing;
use crate::sweeper::Sweeper;

/// Shared state in Postgres.
///
/// A handle: clones share one pool of connections. Connections that break are replaced.
///
/// # Examples
///
/// ```no_run
/// # #[cfg(feature = "ratelimit")]
/// # mod limits {
/// use seawall_postgres::PostgresStore;
/// use seawall_ratelimit::{Limiter, Quota};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let store = PostgresStore::connect("postgres://app@127.0.0.1/app").await?;
/// store.migrate().await?;
/// let limiter = Limiter::new(store, Quota::per_hour(5));
/// if limiter.check("alice").await?.is_allowed() {
///     // Go on.
/// }
/// # Ok(())
/// # }
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresStore(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) link: Link,
    #[cfg(feature = "ratelimit")]
    pub(crate) counters: Sweeper,
    #[cfg(feature = "signing")]
    pub(crate) nonces: Sweeper,
    #[cfg(feature = "idempotency")]
    pub(crate) records: Sweeper,
    #[cfg(feature = "conformance")]
    pub(crate) clock: Option<Arc<dyn seawall_ratelimit::Clock>>,
}

impl PostgresStore {
    /// Connects without TLS, with the defaults of [`builder`](Self::builder).
    ///
    /// # Errors
    ///
    /// If the address is malformed, or nobody answers there within the connect timeout.
    pub async fn connect(url: impl AsRef<str>) -> Result<Self, ConnectError> {
        Self::builder(url).connect().await
    }

    /// A store at `postgres://user:password@host:5432/database`, without TLS.
    pub fn builder(url: impl AsRef<str>) -> PostgresStoreBuilder {
        PostgresStoreBuilder::url(url.as_ref())
    }

    /// A store on a pool that you have made, with TLS or on terms of your own.
    ///
    /// Its sessions must run at the isolation level READ COMMITTED, which is the default, and should
    /// have a `statement_timeout`, so that what we give up on the server gives up on as well. Where it
    /// keeps messages or records, `synchronous_commit` should not be `off`.
    pub fn with_pool(pool: deadpool_postgres::Pool) -> PostgresStoreBuilder {
        PostgresStoreBuilder::pool(pool)
    }

    /// Makes the tables and functions that are missing, for each feature: `RATELIMIT_SCHEMA`,
    /// `SIGNING_SCHEMA` and `IDEMPOTENCY_SCHEMA`, in the first schema of the search path. Several
    /// processes may do so at once, and as often as they like.
    ///
    /// # Errors
    ///
    /// If the database is out of reach, or the user may not create tables.
    pub async fn migrate(&self) -> Result<(), Error> {
        #[cfg(feature = "ratelimit")]
        self.0.link.script(ratelimit::SCHEMA).await?;
        #[cfg(feature = "signing")]
        self.0.link.script(signing::SCHEMA).await?;
        #[cfg(feature = "idempotency")]
        self.0.link.script(idempotency::SCHEMA).await?;
        Ok(())
    }

    /// Deletes counters that count nothing any more, from a few pages at a random place, and some
    /// thousand messages and records that have expired, the oldest first; says how many rows that were.
    ///
    /// Decisions, claims and new records do this by themselves every now and then, see
    /// [`sweep_every`](PostgresStoreBuilder::sweep_every).
    ///
    /// # Errors
    ///
    /// If the database is out of reach, or [`migrate`](Self::migrate) was not run.
    pub async fn sweep(&self) -> Result<u64, Error> {
        let mut swept = 0;
        #[cfg(feature = "ratelimit")]
        {
            swept += ratelimit::sweep(self.0.link.clone()).await?;
        }
        #[cfg(feature = "signing")]
        {
            swept += signing::sweep(self.0.link.clone()).await?;
        }
        #[cfg(feature = "idempotency")]
        {
            swept += idempotency::sweep(self.0.link.clone(), idempotency::MOST, None).await?;
        }
        Ok(swept)
    }

    pub(crate) fn from_inner(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Addresses may hold passwords.
        f.debug_struct("PostgresStore")
            .field("link", &self.0.link)
            .finish_non_exhaustive()
    }
}
