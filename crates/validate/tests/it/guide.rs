//! The tables of the guide are written by the rules themselves.
//!
//! `SEAWALL_BLESS=1 cargo test -p seawall-validate --all-features --test it guide` writes them anew.

use std::fmt::Write;
use std::path::Path;

use seawall_validate::Code;

use crate::rules::text::{LETTERS, LINKS, NAMES, PATTERNS, TEXT};

/// The rules of text: as they are written, and what the tests of each have seen it refuse with.
fn rules() -> String {
    let mut table = String::from("| rule | code | message |\n|---|---|---|\n");
    for (rule, code) in [TEXT, PATTERNS, LINKS, NAMES, LETTERS].concat() {
        // A maximum that another rule needs beside it is not part of the rule.
        let rule = match rule.split_once(", ") {
            Some((maximum, rule)) if maximum.starts_with("chars(..=") => rule,
            Some(("unbounded" | "url", rule)) => rule,
            _ => rule,
        };
        if let Some(known) = Code::ALL.iter().find(|known| known.id() == code) {
            let _ = writeln!(table, "| `{rule}` | `{code}` | {} |", cell(known.message()));
        }
    }
    table
}

fn codes() -> String {
    let mut table = String::from("| code | message |\n|---|---|\n");
    for code in Code::ALL {
        let _ = writeln!(table, "| `{}` | {} |", code.id(), cell(code.message()));
    }
    table
}

/// `{max|character}` is shown as `{max} character(s)`: a bar would end the cell.
fn cell(message: &str) -> String {
    let mut cell = String::new();
    for piece in message.split_inclusive('}') {
        match piece.split_once('|') {
            Some((before, noun)) => {
                let noun = noun.trim_end_matches('}');
                let _ = write!(cell, "{before}}} {noun}(s)");
            }
            None => cell.push_str(piece),
        }
    }
    cell
}

/// Replaces what stands between the marks of a table.
fn with_table(text: &str, name: &str, table: &str) -> String {
    let (begin, end) = (
        format!("<!-- {name}: generated -->\n"),
        format!("<!-- end of {name} -->"),
    );
    let (before, rest) = text.split_once(&begin).expect("the mark of the table");
    let (_, after) = rest.split_once(&end).expect("the mark of its end");
    format!("{before}{begin}{table}{end}{after}")
}

#[test]
fn the_guide_lists_the_rules_and_codes_that_there_are() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/validation.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let fresh = with_table(&text, "rules", &rules());
    let fresh = with_table(&fresh, "codes", &codes());
    if std::env::var_os("SEAWALL_BLESS").is_some() {
        std::fs::write(&path, &fresh).unwrap();
    } else {
        assert!(
            text == fresh,
            "docs/guide/validation.md is stale: run this test with SEAWALL_BLESS=1"
        );
    }
}

#[test]
fn a_stale_table_is_seen_and_replaced() {
    let text = "a\n<!-- t: generated -->\nold\n<!-- end of t -->\nb";
    let fresh = with_table(text, "t", "new\n");
    assert_eq!(fresh, text.replace("old", "new"));
    assert_eq!(
        cell("at most {max|byte}, or {min}"),
        "at most {max} byte(s), or {min}"
    );
}
