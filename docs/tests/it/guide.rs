//! The guide's front page names every chapter.

use std::collections::BTreeSet;
use std::fs;

use crate::links::{DOCS, local_links};

#[test]
fn the_front_page_lists_every_chapter_and_none_that_is_not_there() {
    let guide = format!("{DOCS}/guide");
    let chapters: BTreeSet<String> = fs::read_dir(&guide)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".md") && name != "README.md")
        .collect();
    let front_page = fs::read_to_string(format!("{guide}/README.md")).unwrap();
    let listed: Vec<String> = front_page
        .lines()
        .filter(|line| {
            line.split_once(". [")
                .is_some_and(|(number, _)| number.parse::<u32>().is_ok())
        })
        .map(|line| local_links(line).swap_remove(0))
        .collect();
    let distinct: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(listed.len(), distinct.len(), "a chapter is listed twice");
    assert_eq!(distinct, chapters);
}
