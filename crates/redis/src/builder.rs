//! How a store is set up: where, how long it may take, and which keys lie together.

use std::fmt;
use std::time::Duration;

use crate::error::ConnectError;
use crate::key::HashTag;
use crate::link::{Link, Timeouts};
use crate::store::{Inner, RedisStore};

/// Sets up a [`RedisStore`]; made by [`RedisStore::builder`] and [`RedisStore::cluster`].
#[derive(Clone)]
#[must_use = "nothing is connected before `connect` or `build`"]
pub struct RedisStoreBuilder {
    to: Target,
    timeouts: Timeouts,
    tag: HashTag,
    #[cfg(feature = "conformance")]
    clock: Option<std::sync::Arc<dyn seawall_ratelimit::Clock>>,
}

#[derive(Clone)]
enum Target {
    Single(String),
    #[cfg(feature = "cluster")]
    Cluster(Vec<String>),
}

impl RedisStoreBuilder {
    pub(crate) fn single(url: &str) -> Self {
        Self::to(Target::Single(url.to_owned()))
    }

    #[cfg(feature = "cluster")]
    pub(crate) fn cluster(urls: Vec<String>) -> Self {
        Self::to(Target::Cluster(urls))
    }

    fn to(to: Target) -> Self {
        Self {
            to,
            timeouts: Timeouts {
                connect: CONNECT,
                operation: OPERATION,
            },
            tag: HashTag::Subject,
            #[cfg(feature = "conformance")]
            clock: None,
        }
    }

    /// How long a connection may take to come about. Default: one second; a handshake needs two or
    /// three round trips, and one that needs longer than that helps nobody who waits.
    pub fn connect_timeout(self, time: Duration) -> Self {
        Self {
            timeouts: Timeouts {
                connect: time,
                ..self.timeouts
            },
            ..self
        }
    }

    /// How long one call may take in all, waiting for a connection included. Default: 100 ms; a
    /// healthy server answers within one or two, and a limiter should not be what makes a request
    /// slow. Records of operations and accepted messages can wait longer: seconds. A denial that spans Cluster slots may take it twice, since it gives back what it took.
    pub fn operation_timeout(self, time: Duration) -> Self {
        Self {
            timeouts: Timeouts {
                operation: time,
                ..self.timeouts
            },
            ..self
        }
    }

    /// Which keys of rate limits a Cluster keeps together. Default: [`HashTag::Subject`].
    pub fn hash_tag(self, tag: HashTag) -> Self {
        Self { tag, ..self }
    }

    /// Takes the time from `clock` instead of the server, and lets nothing expire: for
    /// [`seawall_ratelimit::conformance`], whose traces span years, and
    /// `seawall_idempotency::conformance`, against a server that will be thrown away.
    #[cfg(feature = "conformance")]
    pub fn conformance_clock(self, clock: impl seawall_ratelimit::Clock) -> Self {
        Self {
            clock: Some(std::sync::Arc::new(clock)),
            ..self
        }
    }

    /// Connects, and fails if nobody answers within the connect timeout.
    ///
    /// # Errors
    ///
    /// If an address is malformed, nobody answers, or what answers refuses us.
    pub async fn connect(self) -> Result<RedisStore, ConnectError> {
        let time = self.timeouts.connect;
        let store = self.build()?;
        store.inner().link.reach(time).await?;
        Ok(store)
    }

    /// Connects in the background, so that a service starts even while its Redis is down. Until a
    /// connection stands, calls fail as unavailable.
    ///
    /// # Errors
    ///
    /// If an address is malformed, or this is called outside a tokio runtime.
    pub fn build(self) -> Result<RedisStore, ConnectError> {
        let runtime =
            tokio::runtime::Handle::try_current().map_err(|_| ConnectError::no_runtime())?;
        let link = match &self.to {
            Target::Single(url) => Link::single(url, self.timeouts)?,
            #[cfg(feature = "cluster")]
            Target::Cluster(urls) => Link::cluster(urls, self.timeouts)?,
        };
        let store = RedisStore::from_inner(Inner {
            link: link.clone(),
            #[cfg(feature = "ratelimit")]
            tag: self.tag,
            #[cfg(feature = "conformance")]
            clock: self.clock,
        });
        // A lazy connection is made by whoever polls it; a caller would give up too early.
        let time = self.timeouts.connect;
        runtime.spawn(async move { link.reach(time).await });
        Ok(store)
    }
}

impl fmt::Debug for RedisStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Addresses may hold passwords.
        f.debug_struct("RedisStoreBuilder")
            .field("timeouts", &self.timeouts)
            .field("tag", &self.tag)
            .finish_non_exhaustive()
    }
}

const CONNECT: Duration = Duration::from_secs(1);
const OPERATION: Duration = Duration::from_millis(100);
