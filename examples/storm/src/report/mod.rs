//! What a run has to say, as data; and its three forms.

mod chart;
mod html;
mod json;
#[cfg(test)]
pub(crate) mod schema;
mod table;

use std::time::Duration;

use serde::Serialize;

use crate::chronicle::Course;
use crate::cli::{Length, Options};
use crate::figures::{Check, Strike};
use crate::scenario::Scenario;

pub(crate) use chart::service;
pub(crate) use html::{STYLE, escaped, html};
pub(crate) use json::json;
pub(crate) use table::table;

/// Whether promises held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    Held,
    Broken,
    /// It cannot be shown on this store. Never of a whole run.
    Skipped,
}

impl Verdict {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Broken => "broken",
            Self::Skipped => "skipped",
        }
    }

    fn of(held: bool) -> Self {
        if held { Self::Held } else { Self::Broken }
    }
}

/// A whole run.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) length: Length,
    pub(crate) framework: &'static str,
    pub(crate) store: &'static str,
    pub(crate) verdict: Verdict,
    /// How both services did before any attack.
    pub(crate) calm: Pair<Course>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) took: Duration,
}

/// One scenario of it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) claim: &'static str,
    pub(crate) sends: &'static str,
    pub(crate) bare: Strike,
    pub(crate) hardened: Strike,
    pub(crate) checks: Vec<Check>,
    /// How the first strike at each went.
    pub(crate) courses: Pair<Course>,
    pub(crate) verdict: Verdict,
    pub(crate) took: Duration,
}

/// One of each service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pair<T> {
    pub(crate) bare: T,
    pub(crate) hardened: T,
}

impl Entry {
    pub(crate) fn new(
        scenario: &dyn Scenario,
        bare: Strike,
        hardened: Strike,
        checks: Vec<Check>,
        took: Duration,
    ) -> Self {
        Self {
            name: scenario.name(),
            claim: scenario.claim(),
            sends: scenario.sends(),
            verdict: Verdict::of(checks.iter().all(|check| check.ok)),
            bare,
            hardened,
            checks,
            courses: Pair::default(),
            took,
        }
    }

    /// What was not done, and why.
    pub(crate) fn skipped(scenario: &dyn Scenario) -> Self {
        let nothing = || Strike {
            headline: "-".to_owned(),
            ..Strike::default()
        };
        let why = Strike {
            headline: format!("needs {}", scenario.needs()),
            ..Strike::default()
        };
        Self {
            verdict: Verdict::Skipped,
            ..Self::new(scenario, nothing(), why, Vec::new(), Duration::ZERO)
        }
    }
}

impl Report {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            seed: options.seed,
            length: options.length,
            framework: options.framework.name(),
            store: options.store.kind(),
            verdict: Verdict::Held,
            calm: Pair::default(),
            entries: Vec::new(),
            took: Duration::ZERO,
        }
    }

    pub(crate) fn add(&mut self, entry: Entry) {
        if entry.verdict == Verdict::Broken {
            self.verdict = Verdict::Broken;
        }
        self.entries.push(entry);
    }

    pub(crate) fn finish(&mut self, took: Duration) {
        self.took = took;
    }

    /// The last line of the table and the first of the report.
    fn summary(&self) -> String {
        let broken: Vec<&str> = self
            .entries
            .iter()
            .filter(|entry| entry.verdict == Verdict::Broken)
            .map(|entry| entry.name)
            .collect();
        let seconds = self.took.as_secs_f64();
        match broken.as_slice() {
            [] => {
                let of = |skipped| {
                    let is = |entry: &&Entry| (entry.verdict == Verdict::Skipped) == skipped;
                    self.entries.iter().filter(is).count()
                };
                let skipped = match of(true) {
                    0 => String::new(),
                    count => format!(", {count} skipped"),
                };
                format!(
                    "every promise held ({} scenarios{skipped}, {seconds:.1} s)",
                    of(false)
                )
            }
            broken => format!("promises broken in {} ({seconds:.1} s)", broken.join(", ")),
        }
    }
}

/// A small report for the tests of its forms.
#[cfg(test)]
fn sample() -> Report {
    use std::ffi::OsString;

    use crate::cli::{Command, parse};
    use crate::figures::{Figures, Specimen};

    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).into_os_string();
    let args = ["--seed".into(), "7".into(), "--json".into(), path("r.json")];
    let args = args.into_iter().chain(["--html".into(), path("r.html")]);
    let Ok(Command::Run(options)) = parse(args.map(|arg: OsString| arg)) else {
        panic!("usable")
    };

    let strike = |headline: &str| {
        let mut figures = Figures::default();
        figures.add("answers", serde_json::json!({"2xx": 1, "4xx": 2, "5xx": 0}));
        figures.add_ms("livez_slowest_ms", Duration::from_micros(1500));
        Strike {
            requests: 3,
            figures,
            checks: Vec::new(),
            controls: Vec::new(),
            specimens: vec![Specimen {
                request: "GET /api/users/1".to_owned(),
                answer: "500\n\n<script>alert(1)</script>".to_owned(),
            }],
            headline: headline.to_owned(),
        }
    };
    let checks = vec![
        Check::new("answers 5xx", "none", "none", true),
        Check::new("slowest /livez", "at most 100 ms", "912.0 ms", false),
    ];
    let scenarios = crate::scenario::all();
    let mut report = Report::new(&options);
    report.add(Entry::new(
        scenarios[0].as_ref(),
        strike("2 leak"),
        strike("0 leak"),
        checks,
        Duration::from_secs(2),
    ));
    report.entries[0].courses = courses();
    report.finish(Duration::from_secs(3));
    report
}

/// A strike in which a user waits and a circuit opens.
#[cfg(test)]
fn courses() -> Pair<Course> {
    use crate::answer::Answer;
    use crate::chronicle::Chronicle;

    let chronicle = Chronicle::new();
    chronicle.visited(Duration::from_millis(3));
    chronicle.probed(Duration::from_millis(2), Some(9 << 20));
    let open = "{\"error\":\"circuit_open\"}";
    let answer = Answer::new(503, &http::HeaderMap::new(), open.into(), Duration::ZERO);
    chronicle.answered("GET /api/users/1", &Ok(answer));
    Pair {
        bare: chronicle.course(),
        hardened: chronicle.course(),
    }
}
