//! What a caller says that it will wait, if it may say so.

use std::ops::ControlFlow;
use std::time::Duration;

use seawall_timeout::header;
use seawall_web::request::{ClientIp, RequestHead};

/// The limit of a request: what its caller asks for, within `maximum`.
///
/// Both headers count and each line of them, and the shortest wins: two lines are a mistake, and to
/// believe the longer one would be to wait for nobody. What cannot be read asks for nothing.
pub(super) fn limit(head: &impl RequestHead, trusted: &ClientIp, maximum: Duration) -> Duration {
    let believed = head.peer().is_some_and(|peer| trusted.is_trusted(peer));
    if !believed {
        return maximum;
    }
    let mut limit = maximum;
    head.each_header(header::GRPC_TIMEOUT, &mut |value| {
        limit = header::clamp(header::parse_grpc(value), limit);
        ControlFlow::Continue(())
    });
    head.each_header(header::REQUEST_TIMEOUT_MS, &mut |value| {
        limit = header::clamp(header::parse_millis(value), limit);
        ControlFlow::Continue(())
    });
    limit
}
