//! What the guide lists is what there is.

#![allow(clippy::unwrap_used, reason = "tests")]

mod axum;
mod benchmarks;
mod checklist;
mod compare;
mod guide;
mod links;
mod order;
mod telemetry;

use std::fmt::Write as _;
use std::fs;

use seawall_errors::{Retry, codes};

const CHAPTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/guide/errors.md");

/// With `SEAWALL_WRITE_GUIDE` set, writes the table instead of comparing it.
#[test]
fn the_chapter_on_errors_lists_every_code() {
    let chapter = fs::read_to_string(CHAPTER).unwrap();
    let (before, rest) = chapter.split_once("<!-- codes:").unwrap();
    let (note, rest) = rest.split_once("-->\n").unwrap();
    let (written, after) = rest.split_once("<!-- /codes -->").unwrap();
    let table = table();
    if std::env::var_os("SEAWALL_WRITE_GUIDE").is_some() {
        let chapter = format!("{before}<!-- codes:{note}-->\n{table}<!-- /codes -->{after}");
        fs::write(CHAPTER, chapter).unwrap();
    } else {
        assert_eq!(written, table, "run this test with SEAWALL_WRITE_GUIDE=1");
    }
}

fn table() -> String {
    let mut table = "| status | code | message | send again |\n|---|---|---|---|\n".to_owned();
    for code in codes::ALL {
        let again = match code.retry() {
            Retry::Never => "never",
            Retry::AfterDelay => "after a while",
            Retry::SameRequest => "the same again",
            Retry::AfterFix => "after a fix",
            other => panic!("the guide has no words for {other:?}"),
        };
        let (status, id, title) = (code.status(), code.id(), code.title());
        writeln!(table, "| {status} | `{id}` | {title} | {again} |").unwrap();
    }
    table
}
