//! The chapter on observability and the dashboard know every metric, and no other.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use seawall_telemetry::{Kind, Metric, catalogue};
use serde_json::Value;

const CHAPTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/guide/observability.md");
const DASHBOARD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/dashboard/seawall.json");

/// With `SEAWALL_WRITE_GUIDE` set, writes the table instead of comparing it.
#[test]
fn the_chapter_on_observability_lists_every_metric() {
    let chapter = fs::read_to_string(CHAPTER).unwrap();
    let (before, rest) = chapter.split_once("<!-- metrics -->\n").unwrap();
    let (written, after) = rest.split_once("<!-- /metrics -->").unwrap();
    let table = table();
    if std::env::var_os("SEAWALL_WRITE_GUIDE").is_some() {
        let chapter = format!("{before}<!-- metrics -->\n{table}<!-- /metrics -->{after}");
        fs::write(CHAPTER, chapter).unwrap();
    } else {
        assert_eq!(written, table, "run this test with SEAWALL_WRITE_GUIDE=1");
    }
}

fn table() -> String {
    let mut table = "| metric | labels | what it tells |\n|---|---|---|\n".to_owned();
    for metric in catalogue() {
        let labels: Vec<_> = metric
            .labels()
            .iter()
            .map(|label| format!("`{label}`"))
            .collect();
        let (name, labels) = (metric.name(), labels.join(", "));
        writeln!(table, "| `{name}` | {labels} | {} |", metric.description()).unwrap();
    }
    table
}

#[test]
fn the_alerts_of_the_chapter_ask_for_what_there_is() {
    let chapter = fs::read_to_string(CHAPTER).unwrap();
    let alerts: Vec<_> = chapter
        .lines()
        .filter_map(|line| line.trim().strip_prefix("expr: "))
        .collect();
    assert!(alerts.len() >= 10, "{alerts:?}");
    for alert in alerts {
        check_query(alert);
    }
}

#[test]
fn the_dashboard_shows_every_metric_and_no_other() {
    let mut shown = BTreeSet::new();
    for panel in panels() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            shown.extend(check_query(target["expr"].as_str().unwrap()));
        }
    }
    let all: BTreeSet<_> = catalogue().map(Metric::name).collect();
    assert_eq!(shown, all);
}

#[test]
fn the_dashboard_is_one_that_grafana_reads() {
    let dashboard = dashboard();
    for text in ["title", "uid"] {
        assert!(dashboard[text].is_string(), "{text}");
    }
    assert!(dashboard["schemaVersion"].is_u64());
    let mut ids = BTreeSet::new();
    let mut taken = BTreeMap::new();
    for panel in panels() {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        assert!(!panel["title"].as_str().unwrap().is_empty(), "{panel}");
        let at = |side: &str| panel["gridPos"][side].as_u64().unwrap();
        assert!(at("x") + at("w") <= 24, "{panel}");
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                let other = taken.insert((x, y), panel["title"].clone());
                assert_eq!(other, None, "{} lies over it", panel["title"]);
            }
        }
        if panel["type"] == "row" {
            continue;
        }
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{panel}");
        let refs: BTreeSet<_> = targets
            .iter()
            .map(|t| t["refId"].as_str().unwrap())
            .collect();
        assert_eq!(refs.len(), targets.len(), "{panel}");
        assert!(
            targets
                .iter()
                .all(|t| t["datasource"]["type"] == "prometheus"),
            "{panel}"
        );
    }
    let rows = panels().into_iter().filter(|panel| panel["type"] == "row");
    let rows: Vec<_> = rows
        .map(|row| row["title"].as_str().unwrap().to_owned())
        .collect();
    for row in [
        "Traffic",
        "Errors",
        "Rate limits",
        "Circuit breakers",
        "Idempotency",
        "Signatures",
        "Stores",
    ] {
        assert!(rows.iter().any(|title| title == row), "{row} in {rows:?}");
    }
}

fn dashboard() -> Value {
    serde_json::from_str(&fs::read_to_string(DASHBOARD).unwrap()).unwrap()
}

fn panels() -> Vec<Value> {
    dashboard()["panels"].as_array().unwrap().clone()
}

/// The metrics that a query asks for, each in the form that its kind has and by labels that it has.
#[track_caller]
fn check_query(query: &str) -> BTreeSet<&'static str> {
    assert_eq!(
        query.matches(['(', '{', '[']).count(),
        query.matches([')', '}', ']']).count(),
        "{query}"
    );
    let mut asked = BTreeSet::new();
    let mut labels: BTreeSet<&str> = BTreeSet::new();
    for (start, _) in query.match_indices("seawall_") {
        let rest = &query[start..];
        let end = rest
            .find(|c: char| !c.is_ascii_lowercase() && c != '_')
            .unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        let metric = find(name).unwrap_or_else(|| panic!("there is no {name}: {query}"));
        let is_rate = query[..start].ends_with("rate(") || query[..start].ends_with("increase(");
        assert_eq!(is_rate, metric.kind() != Kind::Gauge, "{name}: {query}");
        if let Some(selector) = rest.strip_prefix('{') {
            let (selector, _) = selector.split_once('}').unwrap();
            for matcher in selector.split("\",") {
                let label = matcher.split(['=', '!']).next().unwrap().trim();
                assert!(
                    metric.labels().contains(&label) || label == "job",
                    "{name} has no {label}: {query}"
                );
            }
        }
        labels.extend(metric.labels());
        asked.insert(metric.name());
    }
    assert!(!asked.is_empty(), "{query}");
    for (start, by) in query.match_indices("by (") {
        let (list, _) = query[start + by.len()..].split_once(')').unwrap();
        for label in list.split(", ") {
            let known = labels.contains(label) || label == "le" || label == "instance";
            assert!(known, "no metric has {label}: {query}");
        }
    }
    asked
}

/// A histogram is three series to Prometheus, and none has its bare name.
fn find(name: &str) -> Option<&'static Metric> {
    catalogue().find(|metric| match metric.kind() {
        Kind::Histogram => ["_bucket", "_count", "_sum"]
            .iter()
            .any(|part| name.strip_suffix(part) == Some(metric.name())),
        _ => metric.name() == name,
    })
}
