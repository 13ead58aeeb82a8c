//! What every answer is checked for, whichever scenario asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::json;
use shop::domain::canary::Kind;

use crate::answer::Answer;
use crate::chronicle::Chronicle;
use crate::client::Unanswered;
use crate::figures::{Check, Figures, Tally};
use crate::leak::{Trace, traces};

/// Collects what a scenario's answers have in common.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    findings: Mutex<Findings>,
    chronicle: Option<Arc<Chronicle>>,
}

#[derive(Debug, Default)]
struct Findings {
    requests: u64,
    /// By hundreds: `[1xx, 2xx, 3xx, 4xx, 5xx]`.
    classes: [u64; 5],
    unanswered: BTreeMap<&'static str, u64>,
    canaries: Tally,
    kinds: BTreeSet<Kind>,
    handwriting: Tally,
    misshapen: Tally,
    retry: Tally,
    companions: Tally,
    server_errors: Tally,
}

/// Who may have answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaker {
    /// The service: its errors have the promised body.
    Service,
    /// For a request that is no HTTP, possibly the parser below the service: it knows no request id
    /// and may refuse with an empty body.
    Parser,
    /// A probe that says no, in a body of its own.
    Probe,
}

impl Audit {
    /// Tells the chronicle of each answer, too.
    pub(crate) fn told_to(chronicle: &Arc<Chronicle>) -> Self {
        Self {
            chronicle: Some(Arc::clone(chronicle)),
            ..Self::default()
        }
    }

    /// Looks at what a request brought.
    pub(crate) fn note(
        &self,
        request: &str,
        speaker: Speaker,
        result: &Result<Answer, Unanswered>,
    ) {
        if let Some(chronicle) = &self.chronicle {
            chronicle.answered(request, result);
        }
        let mut findings = self.findings.lock();
        findings.requests += 1;
        match result {
            Ok(answer) => findings.look(request, speaker, answer),
            Err(unanswered) => *findings.unanswered.entry(unanswered.name()).or_default() += 1,
        }
    }

    pub(crate) fn requests(&self) -> u64 {
        self.findings.lock().requests
    }

    pub(crate) fn unanswered(&self) -> u64 {
        self.findings.lock().unanswered.values().sum()
    }

    /// Answers of a class, such as 4 for 4xx.
    pub(crate) fn class(&self, hundreds: usize) -> u64 {
        self.findings.lock().classes[hundreds - 1]
    }

    /// The kinds of canary that got out.
    pub(crate) fn kinds(&self) -> BTreeSet<Kind> {
        self.findings.lock().kinds.clone()
    }

    /// Answers with a canary in them.
    pub(crate) fn canaries(&self) -> u64 {
        self.findings.lock().canaries.count
    }

    pub(crate) fn figures(&self, figures: &mut Figures) {
        let findings = self.findings.lock();
        let [_, ok, _, client, server] = findings.classes;
        figures.add("answers", json!({"2xx": ok, "4xx": client, "5xx": server}));
        figures.add("unanswered", json!(findings.unanswered));
        figures.add("answers_with_canaries", findings.canaries.count);
        let kinds: Vec<&str> = findings.kinds.iter().map(|kind| kind.name()).collect();
        figures.add("canary_kinds", json!(kinds));
        figures.add("misshapen_errors", findings.misshapen.count);
    }

    /// The promises that hold for every answer of the hardened service.
    pub(crate) fn checks(&self) -> Vec<Check> {
        let findings = self.findings.lock();
        vec![
            Check::none("answers with a canary in them", &findings.canaries),
            Check::none(
                "errors in the handwriting of the implementation",
                &findings.handwriting,
            ),
            Check::none(
                "error bodies without the promised shape and id",
                &findings.misshapen,
            ),
            Check::none(
                "429 without Retry-After, or Retry-After below 1",
                &findings.retry,
            ),
            Check::none(
                "405 without Allow, or unauthorized without WWW-Authenticate",
                &findings.companions,
            ),
        ]
    }

    /// The promise of scenarios that send nothing but HTTP.
    pub(crate) fn all_answered(&self) -> Check {
        let unanswered = self.unanswered();
        Check::new(
            "requests without an answer",
            "0",
            unanswered.to_string(),
            unanswered == 0,
        )
    }

    /// The promise of scenarios in which no dependency fails.
    pub(crate) fn no_server_errors(&self) -> Check {
        Check::none("answers 5xx", &self.findings.lock().server_errors)
    }
}

impl Findings {
    fn look(&mut self, request: &str, speaker: Speaker, answer: &Answer) {
        let class = usize::from(answer.status / 100).clamp(1, 5) - 1;
        self.classes[class] += 1;
        if class == 4 {
            self.server_errors
                .note(|| format!("{request}: {}", answer.status));
        }

        let traces = traces(answer);
        let canaries: Vec<Kind> = traces
            .iter()
            .filter_map(|trace| match trace {
                Trace::Canary(kind) => Some(*kind),
                Trace::Handwriting(_) => None,
            })
            .collect();
        if let Some(kind) = canaries.first() {
            self.canaries.note(|| format!("{request}: {}", kind.name()));
            self.kinds.extend(canaries);
        }
        if let Some(mark) = traces
            .iter()
            .find(|trace| matches!(trace, Trace::Handwriting(_)))
        {
            self.handwriting
                .note(|| format!("{request}: \"{}\"", mark.name()));
        }

        if answer.is_error()
            && speaker != Speaker::Probe
            && !(speaker == Speaker::Parser && answer.body.is_empty())
            && let Some(fault) = answer.fault()
        {
            self.misshapen
                .note(|| format!("{request}: {} ({fault})", answer.status));
        }
        let companion = match answer.status {
            405 => Some("allow"),
            401 if answer.code().as_deref() == Some("unauthorized") => Some("www-authenticate"),
            _ => None,
        };
        if let Some(name) = companion.filter(|name| !answer.headers.contains_key(*name)) {
            self.companions
                .note(|| format!("{request}: {} without {name}", answer.status));
        }
        let retry = answer.headers.contains_key("retry-after");
        let seconds = answer
            .header("retry-after")
            .and_then(|value| value.parse::<u64>().ok());
        if (answer.status == 429 || retry) && seconds.is_none_or(|seconds| seconds == 0) {
            let value = answer.header("retry-after").unwrap_or("absent");
            self.retry
                .note(|| format!("{request}: {} with Retry-After {value}", answer.status));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderMap;

    use super::*;

    fn broken(status: u16, header: Option<&str>, body: &'static str, what: &str) {
        let audit = Audit::default();
        let mut headers = HeaderMap::new();
        if let Some(value) = header {
            headers.insert("retry-after", value.parse().unwrap());
        }
        let answer = Answer::new(status, &headers, body.into(), Duration::ZERO);
        audit.note("GET /x", Speaker::Service, &Ok(answer));
        let check = audit
            .checks()
            .into_iter()
            .find(|check| check.what.contains(what))
            .unwrap();
        assert!(!check.ok, "{check:?}");
        assert!(check.got.contains("GET /x"), "{check:?}");
    }

    #[test]
    fn each_promise_can_break() {
        broken(200, None, shop::domain::canary::SQLSTATE, "canary");
        broken(500, None, "thread panicked", "handwriting");
        broken(404, None, "not found", "shape");
        broken(429, None, "", "Retry-After");
        broken(503, Some("0"), "", "Retry-After");
        broken(405, None, "", "Allow");
        broken(
            401,
            None,
            "{\"error\":\"unauthorized\"}",
            "WWW-Authenticate",
        );
    }

    #[test]
    fn the_parser_may_refuse_without_a_body() {
        let audit = Audit::default();
        let empty = Answer::new(431, &HeaderMap::new(), "".into(), Duration::ZERO);
        audit.note("flood", Speaker::Parser, &Ok(empty));
        assert!(audit.checks().iter().all(|check| check.ok));
        assert_eq!(audit.class(4), 1);
    }
}
