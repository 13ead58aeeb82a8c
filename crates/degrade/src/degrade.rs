//! The settings of a join.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::{Join, JoinAll, Observer, Parts, Reason, Served};

/// Joins components into one answer. Cheap to clone; make it once and keep it.
#[derive(Clone)]
#[must_use = "settings do nothing by themselves"]
pub struct Degrade {
    pub(crate) per_component: Duration,
    pub(crate) overall: Option<Duration>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) concurrency: NonZeroUsize,
    observer: Option<Arc<dyn Observer>>,
}

impl Degrade {
    /// The defaults, which each setter states.
    pub fn new() -> Self {
        Self {
            per_component: Duration::from_secs(2),
            overall: None,
            deadline: None,
            concurrency: SIXTEEN,
            observer: None,
        }
    }

    /// How long a component may take, from the first time that it makes us wait. Default 2 s: a page
    /// misses one of its parts less than it misses its reader.
    pub fn per_component(mut self, limit: Duration) -> Self {
        self.per_component = limit;
        self
    }

    /// How long the join may take in all, from the first time that a component makes us wait. What is
    /// not there by then is missing. Default: as long as its components.
    pub fn overall(mut self, limit: Duration) -> Self {
        self.overall = Some(limit);
        self
    }

    /// When the join has to be done; components which have not started by then are not started.
    /// Default: none.
    ///
    /// Set it a little before the deadline of the request. What cuts the join from outside takes the
    /// whole answer; what cuts it from inside leaves everything that has arrived.
    pub fn deadline(mut self, at: Instant) -> Self {
        self.deadline = Some(at);
        self
    }

    /// How many components run at a time; the others wait for their turn, in the given order, and
    /// their limits start with it. Default 16, which no tuple reaches.
    pub fn concurrency(mut self, most: NonZeroUsize) -> Self {
        self.concurrency = most;
        self
    }

    /// Who learns the reasons. Default: nobody.
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Runs the components of a tuple (up to twelve) concurrently in this task and gives what there
    /// is.
    ///
    /// # Examples
    ///
    /// ```
    /// use seawall_degrade::{Degrade, Unavailable, critical, optional, or_else};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Unavailable> {
    /// let parts = (
    ///     critical("user", async { Ok::<_, String>("Ada") }),
    ///     optional("orders", async { Err::<Vec<u32>, _>("connection refused") }),
    ///     or_else("tips", async { Ok::<_, String>(vec!["drink"]) }, Vec::new()),
    /// );
    /// let answer = Degrade::new().join(parts).await?;
    /// assert!(answer.is_partial());
    /// assert_eq!(answer.into_data(), ("Ada", None, vec!["drink"]));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Unavailable`](crate::Unavailable) as soon as a critical component has failed; the others are
    /// dropped.
    ///
    /// # Panics
    ///
    /// When it has to wait outside a tokio runtime with its timer enabled. A panic of a component is
    /// caught, and the component is missing.
    ///
    /// # Cancel safety
    ///
    /// Nothing is spawned: dropping the join drops all components. What was remembered for
    /// [`stale`](crate::stale) stays.
    ///
    /// # Cost
    ///
    /// No allocation and no clock read when all components are ready at once and succeed; otherwise
    /// one timer for the whole join.
    #[inline]
    pub fn join<P: Parts>(&self, parts: P) -> Join<P> {
        Join::new(self.clone(), parts)
    }

    /// Runs one future for each key, a bounded number at a time, and gives the values of those that
    /// succeeded, in the given order. The others are missing as `name.key`; none is critical.
    ///
    /// # Examples
    ///
    /// ```
    /// use seawall_degrade::Degrade;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// async fn price(id: u32) -> Result<u32, String> {
    ///     if id == 2 { Err("no route to host".into()) } else { Ok(id * 100) }
    /// }
    /// let prices = [1, 2, 3].map(|id| (id, price(id)));
    /// let answer = Degrade::new().join_all("prices", prices).await;
    /// assert_eq!(answer.data(), &[(1, 100), (3, 300)]);
    /// assert_eq!(answer.errors()[0].component(), "prices.2");
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// As [`join`](Self::join).
    ///
    /// # Cancel safety
    ///
    /// As [`join`](Self::join).
    pub fn join_all<I, K, F, T, E>(
        &self,
        name: impl Into<Cow<'static, str>>,
        members: I,
    ) -> JoinAll<I::IntoIter, K, F, T>
    where
        I: IntoIterator<Item = (K, F)>,
        K: fmt::Display,
        F: Future<Output = Result<T, E>>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        JoinAll::new(self.clone(), name.into(), members.into_iter())
    }

    #[inline]
    pub(crate) fn served(&self, component: &str, key: Option<&dyn fmt::Display>) {
        if let Some(observer) = &self.observer {
            let key = key.map(ToString::to_string);
            observer.served(component, key.as_deref());
        }
    }

    pub(crate) fn failed(
        &self,
        component: &str,
        key: Option<&str>,
        reason: &Reason,
        instead: Served,
    ) {
        if let Some(observer) = &self.observer {
            observer.failed(component, key, reason, instead);
        }
    }
}

impl Default for Degrade {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Degrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Degrade")
            .field("per_component", &self.per_component)
            .field("overall", &self.overall)
            .field("deadline", &self.deadline)
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}

const SIXTEEN: NonZeroUsize = NonZeroUsize::MIN.saturating_add(15);
