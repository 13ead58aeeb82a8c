//! What can change while requests are served, besides rate limits.

use std::sync::Arc;
use std::time::Duration;

use actix_web::body::EitherBody;
use arc_swap::ArcSwap;

use crate::BodyLimitLayer;
use crate::body_limit::{BodyLimitService, Bounds};
use crate::stage::stage;

/// What is in force, for every clone and so for every worker.
#[derive(Clone, Debug)]
pub(crate) struct Live(Arc<ArcSwap<InForce>>);

#[derive(Clone, Copy, Debug)]
struct InForce {
    deadline: Duration,
    body: BodyLimitLayer,
}

impl Live {
    pub(crate) fn new(deadline: Duration, body: BodyLimitLayer) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(InForce { deadline, body })))
    }

    /// Holds from the next request on.
    #[cfg(feature = "config")]
    pub(crate) fn adjust(&self, deadline: Duration, body: BodyLimitLayer) {
        self.0.store(Arc::new(InForce { deadline, body }));
    }

    pub(crate) fn deadline(&self) -> Duration {
        self.0.load().deadline
    }

    pub(crate) fn body_limit(&self) -> BodyLimitLayer {
        self.0.load().body
    }
}

/// What a service goes by: what it was made with, or what is in force by now.
#[derive(Clone, Debug)]
pub(crate) enum Source<T> {
    Fixed(T),
    Live(Live),
}

impl Source<Duration> {
    pub(crate) fn now(&self) -> Duration {
        match self {
            Self::Fixed(limit) => *limit,
            Self::Live(live) => live.deadline(),
        }
    }
}

impl Source<Bounds> {
    pub(crate) fn now(&self) -> Bounds {
        match self {
            Self::Fixed(bounds) => *bounds,
            Self::Live(live) => live.body_limit().bounds,
        }
    }
}

/// The body limit that is in force. Another layer than [`BodyLimitLayer`], which is plain data.
#[derive(Clone, Debug)]
#[expect(
    unnameable_types,
    reason = "a stage of the builder, which nobody else has a use for"
)]
pub struct LiveBodyLimit(Live);

impl LiveBodyLimit {
    pub(crate) fn new(live: Live) -> Self {
        Self(live)
    }

    /// What is in force now.
    pub(crate) fn now(&self) -> BodyLimitLayer {
        self.0.body_limit()
    }

    fn service<S>(&self, inner: S) -> BodyLimitService<S> {
        BodyLimitService::new(inner, Source::Live(self.0.clone()))
    }
}

stage!(LiveBodyLimit => BodyLimitService<S>, |S, B| EitherBody<B>);
