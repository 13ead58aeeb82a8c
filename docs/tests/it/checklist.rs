//! What the checklist names as proof is there.

use std::fs;
use std::path::Path;

use crate::links::{DOCS, local_links};

fn checklist() -> String {
    fs::read_to_string(format!("{DOCS}/CHECKLIST.md")).unwrap()
}

/// The lines of proof, which begin with this.
fn lines(start: &str) -> Vec<String> {
    let start = format!("- {start}");
    let all = checklist();
    let found: Vec<_> = all
        .lines()
        .filter(|line| line.starts_with(&start))
        .collect();
    assert!(found.len() > 9, "{found:?}");
    found.into_iter().map(str::to_owned).collect()
}

fn read(link: &str) -> String {
    let path = Path::new(DOCS).join(link);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Whether the source has a function of this name with an attribute that makes it a test.
fn has_test(source: &str, name: &str) -> bool {
    let lines: Vec<&str> = source.lines().collect();
    let head = format!("fn {name}(");
    let Some(at) = lines.iter().position(|line| line.contains(&head)) else {
        return false;
    };
    let above = lines[..at].iter().rev().take(8);
    let mut attributes = above.take_while(|line| !line.is_empty() && !line.starts_with('}'));
    attributes.any(|line| line.contains("test]") || line.contains("test("))
}

#[test]
fn every_test_that_the_checklist_names_is_a_test_in_its_file() {
    let mut missing = Vec::new();
    for line in lines("`") {
        let (names, file) = line.split_once(" in [").unwrap();
        let (shown, _) = file.split_once(']').unwrap();
        let link = local_links(&line).swap_remove(0);
        assert_eq!(format!("../{shown}"), link);
        let source = read(&link);
        let names = names.split('`').skip(1).step_by(2);
        missing.extend(
            names
                .filter(|name| !has_test(&source, name))
                .map(|name| format!("{name} in {shown}")),
        );
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_scenario_that_the_checklist_names_is_that_of_its_file() {
    let mut named = 0;
    for line in lines("storm [") {
        for part in line.split('[').skip(1) {
            let (name, _) = part.split_once(']').unwrap();
            let source = read(&local_links(&format!("[{part}"))[0]);
            let says = source
                .split("fn name(&self) -> &'static str {")
                .nth(1)
                .unwrap_or_else(|| panic!("the file of {name} has no scenario"));
            assert!(
                says.trim_start().starts_with(&format!("\"{name}\"")),
                "{name}"
            );
            named += 1;
        }
    }
    // All of them: each scenario proves something on this list.
    let list = read("../examples/storm/src/scenario/mod.rs");
    let all = list.split("fn all()").nth(1).unwrap();
    assert_eq!(named, all.matches("Box::new(").count());
}

#[test]
fn a_name_that_is_no_test_is_found_out() {
    let source = "#[test]\nfn is_one() {}\n\nfn is_none() {}\n";
    assert!(has_test(source, "is_one"));
    assert!(!has_test(source, "is_none"));
    assert!(!has_test(source, "is_not_there"));
}
