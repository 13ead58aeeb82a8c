//! On whose behalf a request's extensions say that code runs.

use http::Extensions;
use seawall_errors::RequestId;
use seawall_errors::trace::TraceContext;

// One for all adapters, so that a client of tower's inside a handler of another framework sees it.
pub use seawall_web::{Origin, OriginScope};

/// What a layer has found out.
pub(crate) fn known(request_id: Option<RequestId>, trace: TraceContext) -> Origin {
    let origin = Origin::new().with_trace(trace);
    match request_id {
        Some(id) => origin.with_request_id(id),
        None => origin,
    }
}

/// What the extensions of a request say, if they say anything.
pub(crate) fn of(extensions: &Extensions) -> Option<Origin> {
    let id = extensions.get::<RequestId>().cloned();
    let Some(trace) = extensions.get::<TraceContext>().cloned() else {
        return Some(Origin::new().with_request_id(id?));
    };
    Some(known(id, trace))
}
