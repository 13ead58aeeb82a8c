//! What a caller says that it will wait, if it may say so.

use std::ops::ControlFlow;
use std::time::Duration;

use super::{ClientIp, RequestHead};
use seawall_timeout::header;

/// The time that a request has: what a caller in the networks of `trusted` asks for, within `maximum`.
///
/// Both headers count and each line of them, and the shortest wins: two lines are a mistake, and to
/// believe the longer one would be to wait for nobody. What cannot be read asks for nothing.
#[must_use]
pub fn budget(head: &dyn RequestHead, trusted: &ClientIp, maximum: Duration) -> Duration {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::ForwardedHeader;
    use crate::testing::FakeHead;

    #[track_caller]
    fn check(peer: &str, lines: &[(&str, &str)], millis: u64) {
        let trusted = ClientIp::behind(["10.0.0.0/8"], ForwardedHeader::XForwardedFor).unwrap();
        let head = FakeHead::from_peer(peer);
        let head = lines
            .iter()
            .fold(head, |head, (name, value)| head.with_header(name, value));
        let found = budget(&head, &trusted, Duration::from_secs(5));
        assert_eq!(found, Duration::from_millis(millis), "{lines:?}");
    }

    #[test]
    fn the_shortest_of_a_trusted_caller_counts() {
        let ours = "10.0.0.1";
        check(ours, &[], 5_000);
        check(ours, &[("x-request-timeout-ms", "300")], 300);
        check(ours, &[("x-request-timeout-ms", "9000")], 5_000);
        check(ours, &[("x-request-timeout-ms", "soon")], 5_000);
        let both = [("x-request-timeout-ms", "300"), ("grpc-timeout", "200m")];
        check(ours, &both, 200);
        check("203.0.113.9", &both, 5_000);
    }
}
