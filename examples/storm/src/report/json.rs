//! The report for programs: `docs/storm.schema.json` describes it.

use serde::Serialize;

use super::{Entry, Report, Verdict};
use crate::figures::{Check, Figures};

/// The report as JSON.
pub(crate) fn json(report: &Report) -> String {
    let run = Run {
        seed: report.seed,
        framework: report.framework,
        store: report.store,
        verdict: report.verdict,
        scenarios: report.entries.iter().map(Scenario::of).collect(),
    };
    let mut text = serde_json::to_string_pretty(&run).expect("the report has only text for keys");
    text.push('\n');
    text
}

#[derive(Serialize)]
struct Run<'a> {
    seed: u64,
    framework: &'a str,
    store: &'a str,
    verdict: Verdict,
    scenarios: Vec<Scenario<'a>>,
}

#[derive(Serialize)]
struct Scenario<'a> {
    name: &'a str,
    claim: &'a str,
    requests: u64,
    bare: &'a Figures,
    hardened: &'a Figures,
    checks: &'a [Check],
    verdict: Verdict,
}

impl<'a> Scenario<'a> {
    fn of(entry: &'a Entry) -> Self {
        Self {
            name: entry.name,
            claim: entry.claim,
            requests: entry.hardened.requests,
            bare: &entry.bare.figures,
            hardened: &entry.hardened.figures,
            checks: &entry.checks,
            verdict: entry.verdict,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::report::sample;
    use crate::report::schema::{described, schema};

    #[test]
    fn the_schema_describes_what_is_written() {
        let report: Value = serde_json::from_str(&json(&sample())).unwrap();
        let schema = schema();
        described(report.as_object().unwrap(), &schema["$defs"]["run"]);
        let scenario = report["scenarios"][0].as_object().unwrap();
        described(scenario, &schema["$defs"]["scenario"]);
        let check = scenario["checks"][0].as_object().unwrap();
        described(check, &schema["$defs"]["check"]);
        assert_eq!(report["verdict"], "broken");
    }

    #[test]
    fn figures_keep_their_order_and_unit() {
        let text = json(&sample());
        let answers = text.find("\"answers\"").unwrap();
        let livez = text.find("\"livez_slowest_ms\": 1.5").unwrap();
        assert!(answers < livez);
    }
}
