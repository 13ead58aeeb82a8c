//! The answer to a page whose critical part is missing.

use seawall_degrade::Unavailable;
use seawall_errors::{ApiError, codes};

/// 503 `service_unavailable`. Which component failed, and why, is for operators only.
///
/// Nothing is said about when to come back: that is known to who asked the component, not here.
pub fn unavailable(unavailable: Unavailable) -> ApiError {
    ApiError::new(codes::SERVICE_UNAVAILABLE).source(unavailable)
}
