//! The bars and the cases know each other.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::collections::BTreeSet;

use seawall_benches::{Side, areas};

#[test]
fn every_bar_names_a_case_and_one_of_its_peers() {
    let cases = cases();
    for (case, peer) in bars() {
        assert!(
            cases.contains(&(case.clone(), peer.clone())),
            "bars.toml: no case `{case}` with a peer `{peer}`"
        );
    }
}

#[test]
fn every_case_has_a_bar_against_each_peer() {
    let bars: BTreeSet<_> = bars().into_iter().collect();
    for (case, peer) in cases() {
        assert!(
            bars.contains(&(case.clone(), peer.clone())),
            "no bar for {case} against {peer}"
        );
    }
}

#[test]
fn no_two_cases_share_a_name() {
    let all: Vec<_> = names();
    let unique: BTreeSet<_> = all.iter().collect();
    assert_eq!(all.len(), unique.len());
}

fn names() -> Vec<String> {
    let areas = areas::all().into_iter();
    areas
        .flat_map(|area| {
            area.cases
                .into_iter()
                .map(move |case| qualified(area.name, case.name))
        })
        .collect()
}

fn cases() -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for area in areas::all() {
        for case in area.cases {
            let name = qualified(area.name, case.name);
            found.extend(
                case.peers
                    .iter()
                    .map(Side::name)
                    .map(|p| (name.clone(), p.to_owned())),
            );
        }
    }
    found
}

fn qualified(area: &str, case: &str) -> String {
    format!("{area}/{case}")
}

fn bars() -> Vec<(String, String)> {
    let text = include_str!("../../bars.toml");
    let table: toml::Table = text.parse().unwrap();
    let field = |bar: &toml::Value, name: &str| bar[name].as_str().unwrap().to_owned();
    let bars = table["bar"].as_array().unwrap();
    bars.iter()
        .map(|bar| (field(bar, "case"), field(bar, "peer")))
        .collect()
}
