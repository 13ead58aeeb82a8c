//! The checklist for a terminal, and for programs as `docs/storm.schema.json` describes it.

use std::fmt::Write;

use serde::Serialize;

use super::checklist::{Checklist, Item, Verdict};

/// A line an item, what is broken, and a line of verdict.
pub(super) fn table(checklist: &Checklist) -> String {
    let mut text = String::from("\n");
    for item in &checklist.items {
        let told = item.why.as_deref().unwrap_or(item.claim);
        let _ = writeln!(text, "{:<18} {:<10} {told}", item.name, item.verdict.name());
    }
    text.push('\n');
    for item in &checklist.items {
        for check in item.checks.iter().filter(|check| !check.ok) {
            let _ = writeln!(text, "broken: {}: {}", item.name, check.what);
            let _ = writeln!(text, "    expected {}", check.expected);
            let _ = writeln!(text, "    got      {}", check.got);
        }
    }
    let _ = writeln!(text, "{}", checklist.summary());
    text
}

pub(super) fn json(checklist: &Checklist) -> String {
    let run = Run {
        target: &checklist.target,
        seed: checklist.seed,
        requests: checklist.requests,
        verdict: checklist.verdict(),
        items: &checklist.items,
    };
    let mut text = serde_json::to_string_pretty(&run).expect("a checklist has only text for keys");
    text.push('\n');
    text
}

#[derive(Serialize)]
struct Run<'a> {
    target: &'a str,
    seed: u64,
    requests: u64,
    verdict: Verdict,
    items: &'a [Item],
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::Value;

    use super::super::checklist::Outcome;
    use super::*;
    use crate::chronicle::Course;
    use crate::figures::Check;
    use crate::report::schema::{described, schema};

    fn sample() -> Checklist {
        let check = Check::new("errors that tell", "none", "2: <b>", false);
        Checklist {
            target: "http://127.0.0.1:1".to_owned(),
            seed: 1,
            requests: 9,
            items: vec![
                Item::new("safe errors", "they are safe", Outcome::Shown(vec![check])),
                Item::new("breakers", "they open", Outcome::unplanned("breaker")),
            ],
            course: Course::default(),
            took: Duration::from_secs(2),
        }
    }

    #[test]
    fn the_schema_describes_what_is_written() {
        let report: Value = serde_json::from_str(&json(&sample())).unwrap();
        let schema = schema();
        let defs = &schema["$defs"];
        described(report.as_object().unwrap(), &defs["checklist"]);
        for item in report["items"].as_array().unwrap() {
            described(item.as_object().unwrap(), &defs["item"]);
            let among = |key: &str| {
                let known = defs["item"]["properties"][key]["enum"].as_array().unwrap();
                assert!(known.contains(&item[key]), "{key}: {}", item[key]);
            };
            among("name");
            among("verdict");
        }
        assert_eq!(report["verdict"], "broken");
    }

    #[test]
    fn the_table_tells_what_is_broken_and_what_is_not_shown() {
        let text = table(&sample());
        assert!(text.contains("breakers           not shown  the plan has no [breaker]\n"));
        assert!(text.contains("broken: safe errors: errors that tell\n    expected none\n"));
        assert!(text.ends_with("0 held, 1 broken, 1 not shown (9 requests, 2.0 s)\n"));
    }

    #[test]
    fn the_page_needs_no_network_and_what_was_answered_is_no_markup() {
        let page = super::super::page::page(&sample());
        assert!(page.contains("2: &lt;b&gt;"));
        for outside in ["https://", "src=", "@import", "url(", "<script"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}
