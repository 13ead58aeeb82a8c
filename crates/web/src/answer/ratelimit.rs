//! The answer to a request that a rate limit denied.

use seawall_errors::{ApiError, codes};
use seawall_ratelimit::{Denied, Reason};

/// 429 `rate_limited` over the limit; 503 `service_unavailable` where the store could not answer
/// and a policy says that nothing passes then.
///
/// `Retry-After` is given wherever waiting helps. The rate limit headers are not part of the
/// error: they stand on every answer of a limited route, allowed or not, so the layer writes them.
pub fn denied(denied: &Denied) -> ApiError {
    let code = match denied.reason() {
        Reason::StoreUnavailable => codes::SERVICE_UNAVAILABLE,
        _ => codes::RATE_LIMITED,
    };
    let error = ApiError::new(code).not_executed();
    match denied.retry_after() {
        Some(wait) => error.retry_after(wait),
        None => error,
    }
}
