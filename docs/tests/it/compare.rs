//! The versions of others that we say we have read are those that we measure beside.

use std::collections::BTreeMap;
use std::fs;

use crate::links::DOCS;

/// Each crate of this lock file, with its versions.
fn locked(lock: &str) -> BTreeMap<String, Vec<String>> {
    let lock: toml::Table = lock.parse().unwrap();
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for package in lock["package"].as_array().unwrap() {
        let text = |field: &str| package[field].as_str().unwrap().to_owned();
        found.entry(text("name")).or_default().push(text("version"));
    }
    found
}

/// What the text writes as `governor 0.10.4`, of crates that are locked.
fn named<'a>(text: &'a str, locked: &BTreeMap<String, Vec<String>>) -> Vec<(&'a str, &'a str)> {
    let words: Vec<_> = text
        .split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| !word.is_empty())
        .collect();
    let pairs = words.windows(2).map(|pair| (pair[0], pair[1]));
    pairs
        .filter(|(name, version)| locked.contains_key(*name) && version.split('.').count() == 3)
        .collect()
}

#[test]
fn the_versions_compared_are_those_measured() {
    let locked = locked(&fs::read_to_string(format!("{DOCS}/../Cargo.lock")).unwrap());
    let page = fs::read_to_string(format!("{DOCS}/COMPARE.md")).unwrap();
    let named = named(&page, &locked);
    assert!(named.len() > 11, "{named:?}");
    let others: Vec<_> = named
        .into_iter()
        .filter(|(name, version)| !locked[*name].iter().any(|one| one == version))
        .collect();
    assert!(others.is_empty(), "not in Cargo.lock: {others:?}");
}

#[test]
fn a_version_is_found_behind_its_name() {
    let locked = locked("[[package]]\nname = \"garde\"\nversion = \"0.23.0\"\n");
    let text = "read: garde 0.22.0, other 1.0.0; then | garde 0.23.0 | and garde again.";
    assert_eq!(
        named(text, &locked),
        [("garde", "0.22.0"), ("garde", "0.23.0")]
    );
}
