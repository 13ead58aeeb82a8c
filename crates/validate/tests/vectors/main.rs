//! Every rule and the reader against data that others wrote.
//!
//! `SEAWALL_VECTORS` names a folder with a folder `validate` inside. What is found there is run;
//! files and kinds that no rule covers are named. Where a rule differs from a suite on purpose, the
//! difference is a row of a table, with its reason.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod emails;
mod json;
mod json_schema;
mod protovalidate;
mod validatorjs;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

/// The folder with the data, if there is one.
fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("SEAWALL_VECTORS")?).join("validate");
    folder.is_dir().then_some(folder)
}

/// The JSON of a file of the folder, if it is there.
fn load(name: &str) -> Option<serde_json::Value> {
    let text = std::fs::read_to_string(folder()?.join(name)).ok()?;
    Some(serde_json::from_str(&mend(&text)).unwrap())
}

/// Data from JavaScript has lone surrogates, which no text of ours can hold: each becomes U+FFFD.
fn mend(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\\u") {
        let code = |text: &str| -> Option<u16> {
            u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
        };
        let escaped = rest[..at].bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 1;
        let here = &rest[at..];
        let pair = here
            .get(6..)
            .and_then(code)
            .is_some_and(|low| (0xdc00..0xe000).contains(&low));
        let taken = match code(here) {
            Some(0xd800..0xdc00) if !escaped && pair => 12,
            Some(0xd800..0xe000) if !escaped => 0,
            _ => 2,
        };
        out.push_str(&rest[..at + taken]);
        if taken == 0 {
            out.push_str("\\ufffd");
        }
        rest = &rest[at + if taken == 0 { 6 } else { taken }..];
    }
    out.push_str(rest);
    out
}

/// A deliberate difference: what it is about, and which texts it excuses.
struct Difference {
    rule: &'static str,
    /// What we say where the suite says the opposite.
    ours: bool,
    applies: fn(&str) -> bool,
    why: &'static str,
}

/// Counts, and collects what is not explained.
#[derive(Default)]
struct Tally {
    cases: usize,
    excused: BTreeMap<&'static str, usize>,
    skipped: BTreeMap<String, usize>,
    unexplained: Vec<String>,
}

impl Tally {
    fn skip(&mut self, what: impl Into<String>, cases: usize) {
        *self.skipped.entry(what.into()).or_default() += cases;
    }

    fn case(&mut self, rule: &str, text: &str, expected: bool, got: bool, table: &[Difference]) {
        self.cases += 1;
        if expected == got {
            return;
        }
        let excuse = table
            .iter()
            .find(|row| row.rule == rule && row.ours == got && (row.applies)(text));
        match excuse {
            Some(row) => *self.excused.entry(row.why).or_default() += 1,
            None => self
                .unexplained
                .push(format!("{rule}: {text:?} should be {expected}")),
        }
    }

    /// Says what was run. Written straight to the terminal, past the test harness.
    fn finish(self, suite: &str) {
        let mut report = format!("{suite}: {} cases", self.cases);
        let excused: usize = self.excused.values().sum();
        let _ = write!(
            report,
            ", {excused} deliberate differences, {} unexplained",
            self.unexplained.len()
        );
        for (why, count) in &self.excused {
            let _ = write!(report, "\n    {count:4} differ: {why}");
        }
        for (what, count) in &self.skipped {
            let _ = write!(report, "\n    {count:4} skipped: {what}");
        }
        let _ = writeln!(std::io::stderr(), "{report}");
        assert!(
            self.unexplained.is_empty(),
            "{suite}:\n{}",
            self.unexplained.join("\n")
        );
    }
}
