//! The guide tells the order of layers as the code has it.

use std::fmt::Write as _;
use std::fs;

use seawall_web::order::RULES;

const CHAPTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/guide/axum.md");

/// With `SEAWALL_WRITE_GUIDE` set, writes the table instead of comparing it.
#[test]
fn the_chapter_on_axum_lists_every_rule() {
    let chapter = fs::read_to_string(CHAPTER).unwrap();
    let (before, rest) = chapter.split_once("<!-- order:").unwrap();
    let (note, rest) = rest.split_once("-->\n").unwrap();
    let (written, after) = rest.split_once("<!-- /order -->").unwrap();
    let mut table = "| layer | belongs | elsewhere |\n|---|---|---|\n".to_owned();
    for rule in RULES {
        let (layer, place, why) = (rule.layer(), rule.place(), rule.why());
        writeln!(table, "| {layer} | {place} | {why} |").unwrap();
    }
    if std::env::var_os("SEAWALL_WRITE_GUIDE").is_some() {
        let chapter = format!("{before}<!-- order:{note}-->\n{table}<!-- /order -->{after}");
        fs::write(CHAPTER, chapter).unwrap();
    } else {
        assert_eq!(written, table, "run this test with SEAWALL_WRITE_GUIDE=1");
    }
}
