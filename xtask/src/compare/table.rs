//! The outcome as a table: for a terminal, or in Markdown for a page.

use super::verdict::{Judged, Spread};

const HEAD: [&str; 7] = [
    "case",
    "ours",
    "peer",
    "theirs",
    "ratio (min - max)",
    "bar",
    "verdict",
];

pub(super) fn text(rows: &[Judged]) -> String {
    let cells: Vec<_> = rows.iter().map(cells).collect();
    let width = |column: usize| {
        let lengths = cells.iter().map(|row| row[column].chars().count());
        lengths.chain([HEAD[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..HEAD.len()).map(width).collect();
    let line = |row: &[String]| {
        let padded: Vec<_> = row
            .iter()
            .zip(&widths)
            .map(|(cell, &width)| format!("{cell:<width$}"))
            .collect();
        format!("{}\n", padded.join("  ").trim_end())
    };
    let mut text = line(&HEAD.map(str::to_owned));
    text.extend(cells.iter().map(|row| line(row)));
    text + &notes(rows, "")
}

pub(super) fn markdown(rows: &[Judged]) -> String {
    let mut text = format!(
        "| {} |\n|---|---:|---|---:|---:|---:|---|\n",
        HEAD.join(" | ")
    );
    text.extend(
        rows.iter()
            .map(|row| format!("| {} |\n", cells(row).join(" | "))),
    );
    text + "\n" + &notes(rows, "- ")
}

fn cells(row: &Judged) -> [String; 7] {
    let median = |spread: Option<Spread>| spread.map_or_else(dash, |spread| figure(spread.median));
    let ratio = row.ratio.map_or_else(dash, |ratio| {
        format!("{:.2} ({:.2} - {:.2})", ratio.median, ratio.min, ratio.max)
    });
    let bar = row
        .max_ratio
        .map_or_else(dash, |bar| format!("<= {bar:.2}"));
    [
        row.case.clone(),
        median(row.ours),
        row.peer.clone(),
        median(row.theirs),
        ratio,
        bar,
        row.verdict.text().to_owned(),
    ]
}

/// What a reader must know besides: units, waivers and their causes.
fn notes(rows: &[Judged], bullet: &str) -> String {
    let mut text = format!(
        "{bullet}Medians of rounds in turn, in one run; nanoseconds an operation unless the case \
         counts something else.\n"
    );
    for row in rows {
        if let Some(waiver) = &row.waiver {
            text.push_str(&format!(
                "{bullet}{}: waiver at {:.2}, fallback {:.2}: {}\n",
                row.name(),
                waiver.figure,
                waiver.fallback,
                waiver.cause
            ));
        }
        if row.steady < row.rounds {
            text.push_str(&format!(
                "{bullet}{}: {} of {} rounds were steady\n",
                row.name(),
                row.steady,
                row.rounds
            ));
        }
    }
    text
}

fn dash() -> String {
    "-".to_owned()
}

/// Three digits that matter.
fn figure(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::{
        bars::Waiver,
        verdict::{
            judge,
            tests::{bars, measurement},
        },
    };

    #[test]
    fn a_row_tells_both_sides_the_ratio_and_the_bar() {
        let table = markdown(&judge(&bars(None), &[measurement(0.25)]));
        let row =
            "| ratelimit/hot | 25.0 | governor | 100 | 0.25 (0.12 - 0.50) | <= 0.50 | holds |";
        assert!(table.contains(row), "{table}");
    }

    #[test]
    fn the_columns_of_the_text_stand_below_each_other() {
        let table = text(&judge(&bars(None), &[measurement(0.25)]));
        let column = |line: &str, word: &str| line.find(word).unwrap();
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(column(lines[0], "verdict"), column(lines[1], "holds"));
    }

    #[test]
    fn what_was_not_measured_shows_dashes() {
        let table = text(&judge(&bars(None), &[]));
        assert!(table.contains("NOT MEASURED"), "{table}");
    }

    #[test]
    fn a_waiver_is_shown_with_its_cause() {
        let waiver = Waiver {
            figure: 0.6,
            cause: "padding".to_owned(),
            fallback: 0.7,
        };
        let table = text(&judge(&bars(Some(waiver)), &[measurement(0.65)]));
        assert!(
            table.contains("hot: waiver at 0.60, fallback 0.70: padding"),
            "{table}"
        );
    }
}
