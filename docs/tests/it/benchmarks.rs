//! The page on benchmarks names every loss that `bars.toml` knows.

use std::fmt::Write as _;
use std::fs;

use crate::links::DOCS;

#[derive(Default)]
struct Bar {
    case: String,
    peer: String,
    most: f64,
    waiver: Option<[String; 3]>,
}

fn bars() -> Vec<Bar> {
    let text = fs::read_to_string(format!("{DOCS}/../benches/bars.toml")).unwrap();
    let bars: Vec<Bar> = text.split("[[bar]]").skip(1).map(read).collect();
    assert!(bars.len() > 20);
    bars
}

fn read(text: &str) -> Bar {
    let mut bar = Bar::default();
    for (key, value) in text.lines().filter_map(|line| line.split_once(" = ")) {
        match key {
            "case" => bar.case = unquoted(value),
            "peer" => bar.peer = unquoted(value),
            "max_ratio" => bar.most = value.parse().unwrap(),
            "waiver" => bar.waiver = Some(waiver(value)),
            "id" | "crate" => {}
            other => panic!("a bar has a key that this test does not know: {other}"),
        }
    }
    bar
}

/// Figure, fallback and cause, in the order in which `bars.toml` writes them by convention.
fn waiver(value: &str) -> [String; 3] {
    let rest = value.strip_prefix("{ figure = ").unwrap();
    let (figure, rest) = rest.split_once(", cause = \"").unwrap();
    let (cause, fallback) = rest.rsplit_once("\", fallback = ").unwrap();
    let fallback = fallback.strip_suffix(" }").unwrap();
    [figure, fallback, cause].map(str::to_owned)
}

fn unquoted(value: &str) -> String {
    value.trim_matches('"').to_owned()
}

fn losses() -> String {
    let mut table = "| case | peer | bar | measured | holds instead | cause |\n".to_owned();
    table.push_str("|---|---|---:|---:|---:|---|\n");
    for bar in bars() {
        let Bar {
            case,
            peer,
            most,
            waiver,
        } = bar;
        if case.starts_with("harness/") || (waiver.is_none() && most <= 1.0) {
            continue;
        }
        let [figure, fallback, cause] = waiver.unwrap_or_else(|| {
            let cause = "the bar allows it";
            ["–", "–", cause].map(str::to_owned)
        });
        writeln!(
            table,
            "| `{case}` | {peer} | {most:.2} | {figure} | {fallback} | {cause} |"
        )
        .unwrap();
    }
    table
}

/// With `SEAWALL_WRITE_GUIDE` set, writes the table instead of comparing it.
#[test]
fn every_loss_is_named() {
    let path = format!("{DOCS}/BENCHMARKS.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once("<!-- losses:").unwrap();
    let (note, rest) = rest.split_once("-->\n").unwrap();
    let (written, after) = rest.split_once("<!-- /losses -->").unwrap();
    let table = losses();
    if std::env::var_os("SEAWALL_WRITE_GUIDE").is_some() {
        let page = format!("{before}<!-- losses:{note}-->\n{table}<!-- /losses -->{after}");
        fs::write(&path, page).unwrap();
    } else {
        assert_eq!(written, table, "run this test with SEAWALL_WRITE_GUIDE=1");
    }
}

#[test]
fn there_is_a_place_for_the_table_of_a_run() {
    let page = fs::read_to_string(format!("{DOCS}/BENCHMARKS.md")).unwrap();
    let (_, rest) = page.split_once("\n<!-- table -->\n").unwrap();
    assert!(rest.contains("<!-- /table -->\n"));
}
