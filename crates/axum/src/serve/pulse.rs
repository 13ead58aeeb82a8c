//! The pure part of watching a connection: what has happened on it, and how long it may go on.

use std::time::Duration;

use tokio::time::Instant;

use super::limits::Numbers;

/// What is known of one connection.
#[derive(Debug)]
pub(super) struct Pulse {
    in_flight: usize,
    /// Since when there is no request.
    idle_since: Instant,
    /// When the peer sent the first byte since then.
    first_byte: Option<Instant>,
    protocol: Protocol,
    /// HTTP/2 streams whose next part the peer has to make room for, and since when.
    waiting: Vec<(u64, Instant)>,
    streams: u64,
    answered: u64,
    upgraded: bool,
}

/// What the connection speaks, as far as requests have shown it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Unknown,
    Http1,
    Http2,
}

/// What is to be done with a connection at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may go on, and is looked at again then.
    Until(Instant),
    /// Nothing is asked of it: it ends in good order.
    Idle,
    /// The peer holds it without doing its part: it is cut, for this reason.
    Cut(&'static str),
}

impl Pulse {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            in_flight: 0,
            idle_since: now,
            first_byte: None,
            protocol: Protocol::Unknown,
            waiting: Vec::new(),
            streams: 0,
            answered: 0,
            upgraded: false,
        }
    }

    /// How many requests have ended.
    pub(super) fn answered(&self) -> u64 {
        self.answered
    }

    /// The connection speaks something else from now on.
    pub(super) fn upgraded(&mut self) {
        self.upgraded = true;
    }

    /// Whether only the parser can have anything to say: nothing is in flight, and what had been
    /// answered when all was last written is all that has been answered.
    pub(super) fn is_parsers_turn(&self, written: u64) -> bool {
        !self.upgraded && self.in_flight == 0 && self.answered == written
    }

    /// Whether the next byte begins something, so that the caller need not read the clock else.
    pub(super) fn expects_first_byte(&self) -> bool {
        self.in_flight == 0 && self.first_byte.is_none()
    }

    pub(super) fn first_byte(&mut self, now: Instant) {
        self.first_byte = Some(now);
    }

    /// A head has come in whole. Gives the number of the stream where HTTP/2 is spoken.
    pub(super) fn request(&mut self, is_http2: bool) -> Option<u64> {
        self.in_flight += 1;
        self.first_byte = None;
        self.protocol = if is_http2 {
            Protocol::Http2
        } else {
            Protocol::Http1
        };
        is_http2.then(|| {
            self.streams += 1;
            self.streams
        })
    }

    /// A request has ended, to the last byte that could be handed over.
    pub(super) fn ended(&mut self, now: Instant) {
        self.in_flight -= 1;
        self.answered += 1;
        if self.in_flight == 0 {
            self.idle_since = now;
        }
    }

    /// The stream has a part ready, for which the peer has to make room.
    pub(super) fn peers_turn(&mut self, stream: u64, now: Instant) {
        self.waiting.push((stream, now));
    }

    /// The peer has made room, or the stream has ended.
    pub(super) fn our_turn(&mut self, stream: u64) {
        self.waiting.retain(|(waiting, _)| *waiting != stream);
    }

    pub(super) fn verdict(&self, limits: &Numbers, now: Instant) -> Verdict {
        let stalled = |(_, since): &(u64, Instant)| now >= *since + limits.base.write_timeout;
        if self.waiting.iter().any(stalled) {
            return Verdict::Cut("the peer makes no room for an answer");
        }
        if self.in_flight > 0 {
            return Verdict::Until(now + limits.shortest_wait());
        }
        // What comes on an idle HTTP/2 connection may be a ping. That its heads come in pieces is
        // bounded by the idle limit, which no byte prolongs.
        let (end, verdict) = match (self.protocol, self.first_byte) {
            (Protocol::Unknown, _) => (
                self.idle_since + limits.base.header_timeout,
                Verdict::Cut("no request within the header timeout"),
            ),
            (Protocol::Http1, Some(begun)) => (
                begun + limits.base.header_timeout,
                Verdict::Cut("a head that does not end"),
            ),
            _ => (self.idle_since + limits.base.idle_timeout, Verdict::Idle),
        };
        if now >= end {
            return verdict;
        }
        Verdict::Until(end.min(now + limits.shortest_wait().max(SHORTEST_LOOK)))
    }
}

/// Limits of a few milliseconds are not watched more often than this.
const SHORTEST_LOOK: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;

    /// Header 10, idle 60, write 30 seconds.
    fn limits() -> Numbers {
        Numbers::default()
    }

    struct Case {
        start: Instant,
        pulse: Pulse,
    }

    impl Case {
        fn new() -> Self {
            let start = super::super::clock::now();
            Self {
                start,
                pulse: Pulse::new(start),
            }
        }

        fn at(&self, seconds: u64) -> Instant {
            self.start + Duration::from_secs(seconds)
        }

        fn goes_on(&self, seconds: u64) {
            let verdict = self.pulse.verdict(&limits(), self.at(seconds));
            assert!(
                matches!(verdict, Verdict::Until(next) if next > self.at(seconds)),
                "{verdict:?}"
            );
        }

        fn ends(&self, seconds: u64, idle: bool) {
            let verdict = self.pulse.verdict(&limits(), self.at(seconds));
            assert_eq!(verdict == Verdict::Idle, idle, "{verdict:?}");
            assert!(!matches!(verdict, Verdict::Until(_)), "{verdict:?}");
        }
    }

    #[test]
    fn the_first_head_has_its_time_from_the_connection_on_whatever_trickles() {
        let mut case = Case::new();
        case.goes_on(9);
        let now = case.at(9);
        case.pulse.first_byte(now);
        case.ends(10, false);
    }

    #[test]
    fn a_further_head_has_its_time_from_its_first_byte() {
        let mut case = Case::new();
        case.pulse.request(false);
        case.goes_on(1000);
        let (end, byte) = (case.at(1000), case.at(1050));
        case.pulse.ended(end);
        case.goes_on(1059);
        assert!(case.pulse.expects_first_byte());
        case.pulse.first_byte(byte);
        assert!(!case.pulse.expects_first_byte());
        case.goes_on(1059);
        case.ends(1060, false);
    }

    #[test]
    fn a_connection_without_a_request_ends_in_good_order() {
        let mut case = Case::new();
        case.pulse.request(false);
        let end = case.at(5);
        case.pulse.ended(end);
        case.goes_on(64);
        case.ends(65, true);
    }

    #[test]
    fn a_ping_does_not_prolong_an_idle_http2_connection() {
        let mut case = Case::new();
        assert_eq!(case.pulse.request(true), Some(1));
        let (end, ping) = (case.at(5), case.at(6));
        case.pulse.ended(end);
        case.pulse.first_byte(ping);
        case.goes_on(60);
        case.ends(65, true);
    }

    #[test]
    fn a_stream_without_room_is_cut_and_one_with_room_is_not() {
        let mut case = Case::new();
        case.pulse.request(true);
        let now = case.at(1);
        case.pulse.peers_turn(1, now);
        case.goes_on(30);
        case.ends(31, false);
        case.pulse.our_turn(1);
        case.goes_on(31);
    }
}
