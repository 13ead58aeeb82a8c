//! The report for a terminal.

use std::fmt::Write;

use super::{Report, Verdict};

/// A table of bare against hardened, every broken promise, and one line of verdict.
pub(crate) fn table(report: &Report) -> String {
    let rows: Vec<[&str; 4]> = report
        .entries
        .iter()
        .map(|entry| {
            let verdict = entry.verdict.name();
            [
                entry.name,
                &entry.bare.headline,
                &entry.hardened.headline,
                verdict,
            ]
        })
        .collect();
    let heads = ["scenario", "bare", "hardened", "verdict"];
    let mut widths = heads.map(str::len);
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }

    let mut text = String::from("\n");
    let mut line = |cells: [&str; 4]| {
        let [name, bare, hardened, verdict] = cells;
        let [a, b, c, _] = widths;
        let _ = writeln!(text, "{name:<a$}  {bare:<b$}  {hardened:<c$}  {verdict}");
    };
    line(heads);
    let rules = widths.map(|width| "-".repeat(width));
    line([&rules[0], &rules[1], &rules[2], &rules[3]]);
    for row in rows {
        line(row);
    }
    text.push('\n');

    for entry in report
        .entries
        .iter()
        .filter(|entry| entry.verdict == Verdict::Broken)
    {
        for check in entry.checks.iter().filter(|check| !check.ok) {
            let (name, what) = (entry.name, &check.what);
            let _ = writeln!(text, "broken: {name}: {what}");
            let _ = writeln!(text, "    expected {}", check.expected);
            let _ = writeln!(text, "    got      {}", check.got);
        }
    }
    let _ = writeln!(text, "{}", report.summary());
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_broken_promise_is_told_with_what_was_expected() {
        let text = table(&sample());
        assert!(
            text.contains("garbage   2 leak  0 leak    broken\n"),
            "{text}"
        );
        assert!(text.contains("broken: garbage: slowest /livez\n    expected at most 100 ms\n"));
        assert!(
            !text.contains("answers 5xx"),
            "what held is not told: {text}"
        );
        assert!(
            text.ends_with("promises broken in garbage (3.0 s)\n"),
            "{text}"
        );
    }
}
