//! The answers to probes, as plain values which any framework can send.

use std::time::Duration;

use crate::json;
use crate::{Report, Status};

/// Which probe asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Probe {
    /// `/livez`: should this process go on? Asks no dependency.
    Live,
    /// `/readyz`: should traffic come here?
    Ready,
    /// `/startupz`: has it started?
    Startup,
    /// `/health`: how is it, for people and monitors?
    Health,
}

impl Probe {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Live, Self::Ready, Self::Startup, Self::Health];

    /// The usual path.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Live => "/livez",
            Self::Ready => "/readyz",
            Self::Startup => "/startupz",
            Self::Health => "/health",
        }
    }

    /// The probe of this path.
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|probe| probe.path() == path)
    }

    fn status(self, report: &Report) -> Status {
        let pass = match self {
            Self::Live => report.is_live(),
            Self::Startup => report.is_started(),
            Self::Ready if report.is_ready() => return report.status(),
            Self::Ready => false,
            Self::Health => return report.status(),
        };
        if pass { Status::Pass } else { Status::Fail }
    }
}

/// How much an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Details {
    /// The state, and no more.
    Hidden,
    /// The checks by name, each with its state.
    Names,
    /// The service's version, the roles of the checks, the words for their faults, and the ages of
    /// their results. Never the text of an error.
    Full,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Access {
    /// Anybody: gets what [`Builder::details`](crate::Builder::details) allows.
    Public,
    /// Somebody that the application has authorised: gets full details.
    Authorized,
}

/// An answer to a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    status: u16,
    content_type: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Answer {
    /// The HTTP status: 200, 503, or 405 for a method that is not `GET` or `HEAD`.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The content type of the body.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        self.content_type
    }

    /// The other headers, their names in lower case.
    #[must_use]
    pub fn headers(&self) -> &[(&'static str, String)] {
        &self.headers
    }

    /// The body; empty for `HEAD`.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body, to send it without a copy.
    #[must_use]
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }

    pub(crate) fn not_allowed() -> Self {
        let mut answer = Self::new(405, Vec::new());
        answer.headers.push(("allow", "GET,HEAD".to_owned()));
        answer
    }

    pub(crate) fn of(probe: Probe, told: &Told<'_>, retry_after: Duration, head: bool) -> Self {
        let status = probe.status(told.report);
        let body = if head {
            Vec::new()
        } else {
            json::body(probe, status, told)
        };
        if status != Status::Fail {
            return Self::new(200, body);
        }
        let mut answer = Self::new(503, body);
        // Neither who is about to leave nor who is broken will be back.
        let comes_back = !told.report.is_draining() && !told.report.broken;
        if comes_back {
            let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
            answer
                .headers
                .push(("retry-after", seconds.max(1).to_string()));
        }
        answer
    }

    fn new(status: u16, body: Vec<u8>) -> Self {
        Self {
            status,
            content_type: "application/health+json",
            headers: vec![
                ("cache-control", "no-store".to_owned()),
                ("x-content-type-options", "nosniff".to_owned()),
            ],
            body,
        }
    }
}

/// What there is to tell.
pub(crate) struct Told<'a> {
    pub(crate) report: &'a Report,
    pub(crate) details: Details,
    pub(crate) service: Option<&'a (String, String)>,
    /// The ages of the checks' last results.
    pub(crate) ages: &'a [Option<Duration>],
}
