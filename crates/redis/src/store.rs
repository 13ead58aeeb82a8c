//! The handle that users hold.

use std::fmt;
use std::sync::Arc;
#[cfg(any(feature = "idempotency", feature = "ratelimit"))]
use std::time::Duration;

use crate::builder::RedisStoreBuilder;
use crate::error::ConnectError;
#[cfg(feature = "ratelimit")]
use crate::key::HashTag;
use crate::link::Link;

/// Shared state in Redis, Valkey or Redis Cluster.
///
/// A handle: clones share one connection (in a Cluster, one for each master), over which all calls
/// are multiplexed. There is no pool to size. Connections that break are made anew by themselves.
///
/// # Examples
///
/// ```no_run
/// # #[cfg(feature = "ratelimit")]
/// # mod limits {
/// use seawall_ratelimit::{Limiter, Quota};
/// use seawall_redis::RedisStore;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let store = RedisStore::connect("redis://127.0.0.1/").await?;
/// let limiter = Limiter::new(store, Quota::per_minute(10));
/// if limiter.check("alice").await?.is_allowed() {
///     // Go on.
/// }
/// # Ok(())
/// # }
/// # }
/// ```
#[derive(Clone)]
pub struct RedisStore(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) link: Link,
    #[cfg(feature = "ratelimit")]
    pub(crate) tag: HashTag,
    #[cfg(feature = "conformance")]
    pub(crate) clock: Option<Arc<dyn seawall_ratelimit::Clock>>,
}

impl RedisStore {
    /// Connects to one server, with the defaults of [`builder`](Self::builder).
    ///
    /// # Errors
    ///
    /// If the address is malformed, or nobody answers there within the connect timeout.
    pub async fn connect(url: impl AsRef<str>) -> Result<Self, ConnectError> {
        Self::builder(url).connect().await
    }

    /// A store on one server, such as `redis://:password@host:6379/0` or `redis+unix:///path`.
    pub fn builder(url: impl AsRef<str>) -> RedisStoreBuilder {
        RedisStoreBuilder::single(url.as_ref())
    }

    /// A store on a Redis Cluster, of which some nodes are named; the others are found.
    #[cfg(feature = "cluster")]
    pub fn cluster<U: AsRef<str>>(urls: impl IntoIterator<Item = U>) -> RedisStoreBuilder {
        RedisStoreBuilder::cluster(
            urls.into_iter()
                .map(|url| url.as_ref().to_owned())
                .collect(),
        )
    }

    pub(crate) fn from_inner(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }
}

#[cfg(any(feature = "idempotency", feature = "ratelimit"))]
impl Inner {
    /// The time of a conformance run; `None` everywhere else, where the server tells it.
    #[cfg(feature = "conformance")]
    pub(crate) fn conformance_time(&self) -> Option<Duration> {
        self.clock.as_ref().map(|clock| clock.now().unix())
    }

    #[cfg(not(feature = "conformance"))]
    #[expect(clippy::unused_self, reason = "as the one above")]
    pub(crate) const fn conformance_time(&self) -> Option<Duration> {
        None
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Addresses may hold passwords.
        f.debug_struct("RedisStore")
            .field("link", &self.0.link)
            .finish_non_exhaustive()
    }
}
