//! What all requests of a fused layer have in common.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use seawall_ratelimit::Store;
use seawall_web::limits::RateLimits;
use seawall_web::order::Layers;
use seawall_web::request::ClientIp;

use crate::body_limit::Bounds;
use crate::errors::Manner;
use crate::outside::Outside;
use crate::rate_limit::watch::Watch;
use crate::{BodyLimitLayer, DeadlineLayer, ErrorsLayer, TraceLayer};

#[derive(Debug)]
pub(super) struct Shared<S> {
    pub(super) ids: ClientIp,
    pub(super) traces: Option<TraceLayer>,
    pub(super) manner: Arc<Manner>,
    /// Who may ask for less time.
    pub(super) callers: Option<ClientIp>,
    pub(super) limited: Option<Limited<S>>,
    /// Shared by all copies, so that a change reaches services made before and after it.
    live: Arc<ArcSwap<Live>>,
}

/// What can change while requests are served.
#[derive(Clone, Copy, Debug)]
pub(super) struct Live {
    pub(super) deadline: Duration,
    pub(super) bounds: Bounds,
}

#[derive(Debug)]
pub(super) struct Limited<S> {
    pub(super) limits: RateLimits<S>,
    pub(super) watch: Arc<Watch>,
}

impl<S: Store> Limited<S> {
    pub(super) fn new(limits: RateLimits<S>) -> Self {
        let watch = Arc::new(Watch::new(&limits));
        Self { limits, watch }
    }
}

impl<S> Clone for Limited<S> {
    fn clone(&self) -> Self {
        Self {
            limits: self.limits.clone(),
            watch: Arc::clone(&self.watch),
        }
    }
}

impl<S> Shared<S> {
    pub(super) fn new(deadline: DeadlineLayer, body_limit: BodyLimitLayer) -> Self {
        let live = Live {
            deadline: deadline.limit,
            bounds: body_limit.bounds,
        };
        Self {
            ids: ClientIp::peer(),
            traces: None,
            manner: ErrorsLayer::new().manner,
            callers: deadline.callers,
            limited: None,
            live: Arc::new(ArcSwap::from_pointee(live)),
        }
    }

    /// Everything but the limits from another one.
    pub(super) fn copy<T>(other: &Shared<T>, limited: Option<Limited<S>>) -> Self {
        Self {
            ids: other.ids.clone(),
            traces: other.traces.clone(),
            manner: Arc::clone(&other.manner),
            callers: other.callers.clone(),
            limited,
            live: Arc::clone(&other.live),
        }
    }

    pub(super) fn adjust(&self, deadline: Duration, body_limit: BodyLimitLayer) {
        self.live.store(Arc::new(Live {
            deadline,
            bounds: body_limit.bounds,
        }));
    }

    /// The marks that these layers leave for those below.
    pub(super) fn marks(&self) -> Outside {
        let marks = match self.limited {
            Some(_) => Outside::ERRORS.with(Outside::RATE_LIMIT),
            None => Outside::ERRORS,
        };
        let marks = match self.traces {
            Some(_) => marks.passing(Layers::TRACE),
            None => marks,
        };
        marks
            .passing(Layers::REQUEST_ID)
            .passing(Layers::DEADLINE)
            .passing(Layers::BODY_LIMIT)
    }

    #[inline]
    pub(super) fn live(&self) -> Live {
        **self.live.load()
    }
}

impl<S: Store> Shared<S> {
    pub(super) fn limits(&self) -> Option<&RateLimits<S>> {
        self.limited.as_ref().map(|limited| &limited.limits)
    }
}
