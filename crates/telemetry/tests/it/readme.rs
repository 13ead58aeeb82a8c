//! The README's table is the catalogue.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use seawall_telemetry::{Kind, catalogue};

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");

/// With `SEAWALL_WRITE_GUIDE` set, writes the table instead of comparing it.
#[test]
fn the_readme_lists_every_metric() {
    let readme = fs::read_to_string(README).unwrap();
    let (before, rest) = readme.split_once("<!-- metrics -->\n").unwrap();
    let (written, after) = rest.split_once("<!-- /metrics -->").unwrap();
    let table = table();
    if std::env::var_os("SEAWALL_WRITE_GUIDE").is_some() {
        let readme = format!("{before}<!-- metrics -->\n{table}<!-- /metrics -->{after}");
        fs::write(README, readme).unwrap();
    } else {
        assert_eq!(written, table, "run this test with SEAWALL_WRITE_GUIDE=1");
    }
}

fn table() -> String {
    let mut table = "| metric | kind | labels | what it tells |\n|---|---|---|---|\n".to_owned();
    for metric in catalogue() {
        let labels: Vec<_> = metric
            .labels()
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        let (name, kind) = (metric.name(), metric.kind().as_str());
        let (labels, text) = (labels.join(", "), metric.description());
        writeln!(table, "| `{name}` | {kind} | {labels} | {text} |").unwrap();
    }
    table
}

#[test]
fn names_follow_the_scheme() {
    const LEAVES: [&str; 10] = [
        "http",
        "errors",
        "validate",
        "timeout",
        "ratelimit",
        "breaker",
        "idempotency",
        "signing",
        "degrade",
        "health",
    ];
    let mut seen = BTreeSet::new();
    for metric in catalogue() {
        let name = metric.name();
        assert!(seen.insert(name), "{name} is there twice");
        let rest = name.strip_prefix("seawall_").unwrap();
        let leaf = rest.split_once('_').unwrap().0;
        assert!(LEAVES.contains(&leaf), "{name}");
        assert_eq!(
            name.ends_with("_total"),
            metric.kind() == Kind::Counter,
            "{name}"
        );
        assert_eq!(
            name.ends_with("_seconds"),
            metric.kind() == Kind::Histogram,
            "{name}"
        );
        assert!(
            metric
                .labels()
                .iter()
                .all(|label| label.bytes().all(|b| b.is_ascii_lowercase())),
            "{name}"
        );
    }
}
