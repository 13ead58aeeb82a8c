//! One request as the observer sees it, from its arrival to the end of its answer.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use http::{Method, Response};
use seawall_errors::{Answer, Ending, Observer};
use seawall_web::request::Route;

use super::Manner;
use super::asked::Asked;
use crate::clock;
use crate::reply::{Attached, AttachedKept};

/// Tells of the end when it is dropped, so that none is forgotten.
pub(crate) struct Watch {
    observer: Arc<dyn Observer>,
    method: Method,
    route: Option<Route>,
    since: Instant,
    ending: Ending,
}

impl Watch {
    /// Nothing where nobody observes.
    pub(crate) fn begin(manner: &Manner, asked: &Asked) -> Option<Box<Self>> {
        let observer = Arc::clone(manner.observer.as_ref()?);
        observer.arrived();
        Some(Box::new(Self {
            observer,
            method: asked.method.clone(),
            route: asked.route.clone(),
            since: clock::now(),
            ending: Ending::Unanswered,
        }))
    }

    pub(crate) fn answered<B>(&mut self, response: &Response<B>) {
        self.ending = Ending::Answered;
        let status = response.status().as_u16();
        let took = clock::now().saturating_duration_since(self.since);
        let route = self.route.as_ref().map(Route::as_str);
        let mut answer = Answer::new(self.method.as_str(), status, took).route(route);
        let extensions = response.extensions();
        if let Some(attached) = extensions.get::<Attached>() {
            answer = answer.error(attached.error());
        } else if let Some(kept) = extensions.get::<AttachedKept>() {
            answer = answer.code(kept.error().id());
        }
        self.observer.answered(&answer);
    }

    pub(super) fn aborted(&mut self) {
        self.ending = Ending::Aborted;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.observer.ended(self.ending);
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("ending", &self.ending)
            .finish_non_exhaustive()
    }
}
