//! What every attack on a service of the user's own goes through: the way there, and the eye on what
//! comes back.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use super::plan::Plan;
use crate::answer::Answer;
use crate::chronicle::Chronicle;
use crate::client::raw::{Exchange, Piece, exchange};
use crate::client::{Addresses, Call, Client, Unanswered};
use crate::figures::Tally;
use crate::leak::traces;
use crate::progress::Progress;

/// A service under attack.
pub(super) struct Aim<'a> {
    pub(super) to: SocketAddr,
    pub(super) plan: &'a Plan,
    pub(super) seed: u64,
    pub(super) addresses: Addresses,
    pub(super) progress: &'a Progress,
    pub(super) chronicle: Arc<Chronicle>,
    seen: Mutex<Seen>,
}

/// What all answers have in common.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) requests: u64,
    pub(super) errors: u64,
    /// Errors that tell of the inside.
    pub(super) telling: Tally,
    /// Errors that no program can read.
    pub(super) unreadable: Tally,
    pub(super) without_id: Tally,
    pub(super) repeated_id: Tally,
    ids: HashSet<String>,
}

impl<'a> Aim<'a> {
    pub(super) fn new(to: SocketAddr, plan: &'a Plan, seed: u64, progress: &'a Progress) -> Self {
        Self {
            to,
            plan,
            seed,
            addresses: Addresses::new(seed),
            progress,
            chronicle: Arc::new(Chronicle::new()),
            seen: Mutex::default(),
        }
    }

    /// A client that nobody has seen yet.
    pub(super) fn client(&self) -> Client {
        Client::new(self.addresses.take(), self.to)
    }

    /// Sends a request with the headers of the plan.
    pub(super) async fn send(
        &self,
        client: &mut Client,
        call: &Call,
    ) -> Result<Answer, Unanswered> {
        let call = self.dressed(call.clone());
        let result = client.send(&call).await;
        self.note(&call.label(), Speaker::Service, &result);
        result
    }

    /// Sends bytes as they are.
    pub(super) async fn throw(&self, label: &str, speaker: Speaker, pieces: &[Piece]) -> Exchange {
        let from = self.addresses.take();
        let exchange = exchange(from, self.to, pieces, PATIENCE).await;
        self.note(label, speaker, &exchange.answer);
        exchange
    }

    /// With the headers of the plan.
    pub(super) fn dressed(&self, call: Call) -> Call {
        let headers = self.plan.headers.0.iter();
        headers.fold(call, |call, (name, value)| {
            call.with(name.clone(), value.clone())
        })
    }

    /// What was seen so far.
    pub(super) fn seen<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen.lock())
    }

    fn note(&self, label: &str, speaker: Speaker, result: &Result<Answer, Unanswered>) {
        self.chronicle.answered(label, result);
        let mut seen = self.seen.lock();
        seen.requests += 1;
        if let Ok(answer) = result {
            seen.look(label, speaker, answer, self.plan);
        }
    }
}

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(15);

/// Who may have answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaker {
    Service,
    /// Below it: what is no HTTP never reaches the service.
    Parser,
}

impl Seen {
    fn look(&mut self, label: &str, speaker: Speaker, answer: &Answer, plan: &Plan) {
        if speaker == Speaker::Service {
            self.identify(label, answer, plan.ids.header.as_str());
        }
        if !answer.is_error() {
            return;
        }
        self.errors += 1;
        let text = String::from_utf8_lossy(&answer.body);
        let own = traces(answer).first().map(|trace| trace.name().to_owned());
        let forbidden = plan.errors.forbidden.iter().map(String::as_str);
        let mut marks = MARKS.into_iter().chain(forbidden);
        let mark = own.or_else(|| {
            marks
                .find(|mark| text.contains(mark))
                .map(ToOwned::to_owned)
        });
        if let Some(mark) = mark {
            self.telling
                .note(|| format!("{label}: {} says \"{mark}\"", answer.status));
        }
        let json = serde_json::from_slice::<serde_json::Value>(&answer.body)
            .is_ok_and(|body| body.is_object());
        // The answer to HEAD has no body, and neither need a parser's.
        let silent = speaker == Speaker::Parser || label.starts_with("HEAD ");
        if !(json || silent && answer.body.is_empty()) {
            self.unreadable
                .note(|| format!("{label}: {}", answer.status));
        }
    }

    fn identify(&mut self, label: &str, answer: &Answer, header: &str) {
        match answer.header(header) {
            None => self
                .without_id
                .note(|| format!("{label}: {}", answer.status)),
            Some(id) => {
                let room = self.ids.len() < MOST_IDS;
                if room && !self.ids.insert(id.to_owned()) {
                    self.repeated_id.note(|| format!("{label}: {id}"));
                }
            }
        }
    }
}

/// More answers than this are not compared with each other.
const MOST_IDS: usize = 100_000;

/// By which the insides of services in general are recognised, besides those of Rust.
const MARKS: [&str; 9] = [
    "Traceback (most recent call last)",
    "SQLSTATE",
    "syntax error at or near",
    "Exception",
    "stack trace",
    "at java.",
    "/usr/src/",
    "/home/",
    "goroutine ",
];

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderMap;

    use super::*;

    fn looked(status: u16, body: &str, ids: &[&str]) -> Seen {
        let plan = "[healthy]\nroute = \"GET /\"\n[errors]\nforbidden = [\"db-7.internal\"]\n";
        let plan = Plan::parse(plan).unwrap();
        let mut seen = Seen::default();
        for id in ids {
            let mut headers = HeaderMap::new();
            headers.insert("x-request-id", id.parse().unwrap());
            let answer = Answer::new(status, &headers, body.to_owned().into(), Duration::ZERO);
            seen.look("GET /", Speaker::Service, &answer, &plan);
        }
        seen
    }

    #[test]
    fn an_error_that_tells_of_the_inside_is_seen() {
        for telling in [
            "{\"e\":\"db-7.internal refused\"}",
            "{\"e\":\"SQLSTATE 42601\"}",
            "{\"e\":\"thread panicked\"}",
        ] {
            assert_eq!(looked(500, telling, &["a"]).telling.count, 1, "{telling}");
        }
        assert_eq!(looked(500, "{\"e\":\"sorry\"}", &["a"]).telling.count, 0);
        assert_eq!(looked(500, "sorry", &["a"]).unreadable.count, 1);
        assert_eq!(looked(200, "db-7.internal", &["a"]).telling.count, 0);
    }

    #[test]
    fn ids_are_there_and_differ() {
        assert_eq!(looked(200, "", &["a", "b", "a"]).repeated_id.count, 1);
        assert_eq!(looked(200, "", &["a", "b"]).repeated_id.count, 0);
        let mut seen = Seen::default();
        let answer = Answer::new(200, &HeaderMap::new(), "".into(), Duration::ZERO);
        seen.identify("GET /", &answer, "x-request-id");
        assert_eq!(seen.without_id.count, 1);
    }
}
