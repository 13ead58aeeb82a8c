//! xtask as a user meets it: exit codes and what is said on stderr.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod arrows;
mod usage;

use std::{
    path::Path,
    process::{Command, Output},
};

/// Runs `cargo xtask` with these words.
fn xtask(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(words)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .output()
        .unwrap()
}

#[track_caller]
fn check(words: &[&str], code: i32, expected: &[&str]) {
    let output = xtask(words);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    for part in expected {
        assert!(stderr.contains(part), "{stderr:?} does not say {part:?}");
    }
}
