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
    /// How many bytes it has sent since then.
    loose: usize,
    /// How many requests have begun, and how many have ended.
    begun: u64,
    answered: u64,
}

/// What is to be done with a connection at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may go on, and is looked at again then.
    Until(Instant),
    /// It is closed; nobody waits for a word.
    Close,
    /// Its first request has begun and does not come. It is told so, and closed.
    Late,
}

impl Pulse {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            in_flight: 0,
            idle_since: now,
            first_byte: None,
            loose: 0,
            begun: 0,
            answered: 0,
        }
    }

    /// How many requests have ended.
    pub(super) fn answered(&self) -> u64 {
        self.answered
    }

    /// Whether nothing is asked of the connection.
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight == 0 && self.first_byte.is_none()
    }

    /// Whether only the parser can have anything to say: nothing is in flight, and what had been
    /// answered when all was last written is all that has been answered.
    pub(super) fn is_parsers_turn(&self, written: u64) -> bool {
        self.in_flight == 0 && self.answered == written
    }

    /// So many bytes have come. Says whether there may be more: what comes while no request is in
    /// flight is a head, or what follows a body that was refused.
    ///
    /// The clock is read for the first of them only.
    pub(super) fn read(&mut self, bytes: usize, now: impl FnOnce() -> Instant) -> bool {
        if self.in_flight > 0 {
            return true;
        }
        if self.first_byte.is_none() {
            self.first_byte = Some(now());
        }
        self.loose += bytes;
        self.loose <= MOST_LOOSE
    }

    /// A head has come in whole. Says whether it is time that other connections have their turn:
    /// actix answers all that it has read of one before it lets go.
    pub(super) fn request(&mut self) -> bool {
        self.in_flight += 1;
        self.begun += 1;
        self.first_byte = None;
        self.loose = 0;
        self.begun.is_multiple_of(REQUESTS_A_TURN)
    }

    /// A request has ended, to the last byte that could be handed over.
    pub(super) fn ended(&mut self, now: Instant) {
        self.in_flight -= 1;
        self.answered += 1;
        if self.in_flight == 0 {
            self.idle_since = now;
        }
    }

    pub(super) fn verdict(&self, limits: &Numbers, now: Instant) -> Verdict {
        if self.in_flight > 0 {
            return Verdict::Until(now + limits.shortest_wait());
        }
        let (end, verdict) = match (self.begun, self.first_byte) {
            // An answer that nobody has asked for could be taken for that to the next request.
            (0, None) => (self.idle_since + limits.base.header_timeout, Verdict::Close),
            (0, Some(_)) => (self.idle_since + limits.base.header_timeout, Verdict::Late),
            // Or these are the rest of a body that was refused, and answered.
            (_, Some(byte)) => (byte + limits.base.header_timeout, Verdict::Close),
            (_, None) => (self.idle_since + limits.base.idle_timeout, Verdict::Close),
        };
        if now >= end {
            return verdict;
        }
        Verdict::Until(end.min(now + limits.shortest_wait().max(SHORTEST_LOOK)))
    }
}

/// Limits of a few milliseconds are not watched more often than this.
const SHORTEST_LOOK: Duration = Duration::from_millis(1);

/// As many as actix queues behind one that takes its time.
const REQUESTS_A_TURN: u64 = 16;

/// Twice what the parser takes for a head, so that it refuses first.
const MOST_LOOSE: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::super::clock;
    use super::super::limits::ServerLimits;
    use super::*;

    fn limits() -> ServerLimits {
        let limits = ServerLimits::builder()
            .header_timeout(Duration::from_secs(10))
            .idle_timeout(Duration::from_secs(60));
        limits.build().unwrap()
    }

    struct Case {
        pulse: Pulse,
        start: Instant,
    }

    impl Case {
        fn new() -> Self {
            let start = clock::now();
            Self {
                pulse: Pulse::new(start),
                start,
            }
        }

        fn at(&self, seconds: u64) -> Instant {
            self.start + Duration::from_secs(seconds)
        }

        fn comes(&mut self, bytes: usize, seconds: u64) -> bool {
            let now = self.at(seconds);
            self.pulse.read(bytes, || now)
        }

        /// A request that has come and been answered.
        fn answered(&mut self, seconds: u64) {
            let now = self.at(seconds);
            self.pulse.request();
            self.pulse.ended(now);
        }

        fn goes_on(&self, seconds: u64) {
            let now = self.at(seconds);
            let verdict = self.pulse.verdict(limits().numbers(), now);
            assert!(
                matches!(verdict, Verdict::Until(next) if next > now),
                "{verdict:?}"
            );
        }

        fn ends(&self, seconds: u64, expected: Verdict) {
            let verdict = self.pulse.verdict(limits().numbers(), self.at(seconds));
            assert_eq!(verdict, expected);
        }
    }

    #[test]
    fn a_silent_connection_is_closed_without_a_word() {
        let case = Case::new();
        case.goes_on(9);
        case.ends(10, Verdict::Close);
    }

    #[test]
    fn the_first_head_has_its_time_from_the_connection_on_whatever_trickles() {
        let mut case = Case::new();
        assert!(case.comes(1, 9));
        case.goes_on(9);
        case.ends(10, Verdict::Late);
    }

    #[test]
    fn a_further_head_has_its_time_from_its_first_byte() {
        let mut case = Case::new();
        case.answered(1000);
        assert!(case.comes(1, 1050));
        assert!(case.comes(1, 1055));
        case.goes_on(1059);
        case.ends(1060, Verdict::Close);
    }

    #[test]
    fn a_request_takes_its_time() {
        let mut case = Case::new();
        assert!(case.comes(1, 5));
        case.pulse.request();
        case.goes_on(1000);
        assert!(case.comes(10 * MOST_LOOSE, 1000), "its body");
    }

    #[test]
    fn a_connection_without_a_request_ends() {
        let mut case = Case::new();
        case.answered(5);
        case.goes_on(64);
        case.ends(65, Verdict::Close);
    }

    #[test]
    fn what_belongs_to_no_request_is_bounded() {
        let mut case = Case::new();
        assert!(case.comes(MOST_LOOSE, 0));
        case.answered(1);
        assert!(case.comes(MOST_LOOSE, 1));
        assert!(!case.comes(1, 1));
    }

    #[test]
    fn others_have_their_turn_now_and_then() {
        let mut case = Case::new();
        let turns = (0..64).filter(|_| case.pulse.request()).count();
        assert_eq!(turns, 4);
    }

    #[test]
    fn the_parser_speaks_when_nobody_else_can() {
        let mut case = Case::new();
        assert!(case.pulse.is_parsers_turn(0));
        case.pulse.request();
        assert!(!case.pulse.is_parsers_turn(0), "an answer under way");
        let now = case.at(1);
        case.pulse.ended(now);
        assert!(!case.pulse.is_parsers_turn(0), "an answer not written yet");
        assert!(case.pulse.is_parsers_turn(1));
    }
}
