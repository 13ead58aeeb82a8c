//! The answer to an exceeded deadline.

use seawall_errors::{ApiError, PublicText, codes};
use seawall_timeout::Elapsed;

/// 504 `deadline_exceeded`, "Request timed out after 5.0s".
///
/// Not 408, which says that the *client* was slow and makes some browsers reset the connection.
/// The request may have taken effect, so nothing is said about that. What elapsed stays with the error
/// as its private cause, for observers.
pub fn elapsed(elapsed: Elapsed) -> ApiError {
    let seconds = elapsed.limit().as_secs_f64();
    ApiError::new(codes::DEADLINE_EXCEEDED)
        .message(PublicText::vetted(format!(
            "Request timed out after {seconds:.1}s"
        )))
        .source(elapsed)
}
