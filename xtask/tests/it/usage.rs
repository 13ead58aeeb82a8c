//! Bad input names the input and what was expected, and exits with 2.

use crate::{check, xtask};

#[test]
fn an_unknown_task_lists_the_known_ones() {
    check(&["tset"], 2, &["`tset`", "test", "arrows"]);
}

#[test]
fn no_task_shows_the_usage() {
    check(
        &[],
        2,
        &["usage: cargo xtask TASK", "arrows [--metadata FILE]"],
    );
}

#[test]
fn help_is_no_failure() {
    let output = xtask(&["--help"]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("usage: cargo xtask TASK"));
}

#[test]
fn an_unknown_option_is_named() {
    check(
        &["test", "--fast"],
        2,
        &["`--fast`", "`--without-servers` or `-p CRATE`"],
    );
    check(
        &["arrows", "--metdata", "x"],
        2,
        &["`--metdata`", "`--metadata FILE`"],
    );
}

#[test]
fn an_unknown_crate_is_named_with_the_known_ones() {
    check(&["test", "-p", "radish"], 2, &["`radish`", "xtask"]);
}

#[test]
fn a_missing_value_is_named() {
    check(&["test", "-p"], 2, &["-p", "the name of a crate"]);
}

#[test]
fn an_area_without_bars_is_named_with_the_known_ones() {
    check(
        &["compare", "--only", "radish"],
        2,
        &["--only radish", "harness"],
    );
}

#[test]
fn an_unwritable_report_is_noticed_before_measuring() {
    check(
        &["compare", "--json", "/proc/no/such"],
        2,
        &["--json /proc/no/such", "expected a path"],
    );
}

#[test]
fn a_crate_without_listed_files_is_named() {
    check(
        &["mutants", "--only", "radish"],
        2,
        &["--only radish", "mutants.toml"],
    );
}

#[test]
fn a_crate_without_models_is_told_so() {
    check(&["loom", "xtask"], 2, &["xtask does not depend on loom"]);
    check(&["shuttle", "a", "b"], 2, &["`b`", "at most one crate"]);
}
