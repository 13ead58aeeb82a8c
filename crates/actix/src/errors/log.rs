//! The one log event of an error.

use std::any::Any;

use seawall_errors::ApiError;

use super::asked::Asked;
use crate::trace::TraceId;

/// Logs an error that became an answer.
pub(super) fn answered(asked: &Asked, error: &ApiError) {
    let status = error.status();
    let chain = if error.private().is_empty() {
        String::new()
    } else {
        error.private().report()
    };
    let route = asked.route.as_ref().map_or("", |route| route.as_str());
    macro_rules! event {
        ($level:ident) => {
            tracing::$level!(
                request_id = asked.id.as_str(),
                trace_id = trace_id(asked),
                code = error.code().id(),
                status,
                method = asked.method.as_str(),
                route,
                error.chain = chain.as_str(),
                "request failed"
            )
        };
    }
    match status {
        500.. => event!(error),
        408 | 429 => event!(debug),
        _ => event!(info),
    }
}

/// Logs a response body that could not be finished.
pub(super) fn aborted(asked: &Asked, cause: &ApiError) {
    tracing::error!(
        request_id = asked.id.as_str(),
        trace_id = trace_id(asked),
        method = asked.method.as_str(),
        route = asked.route.as_ref().map_or("", |route| route.as_str()),
        error.chain = cause.private().report().as_str(),
        "response body aborted"
    );
}

/// The trace of the request, where it has one: a subscriber may leave the span out that says so.
fn trace_id(asked: &Asked) -> Option<impl tracing::Value> {
    asked
        .trace
        .map(|trace| tracing::field::display(TraceId(trace)))
}

/// What a panic said, where it said it in words.
pub(super) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(a value that is no text)")
}
