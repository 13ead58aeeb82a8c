//! `arrows` over saved metadata and over this very workspace.

use std::io::Write as _;

use crate::{check, xtask};

fn metadata(dependency: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(
        file,
        r#"{{"workspace_root": "/w", "target_directory": "/t", "packages": [
            {{"name": "seawall-breaker", "manifest_path": "/w/crates/breaker/Cargo.toml"}},
            {{"name": "seawall-web", "manifest_path": "/w/crates/web/Cargo.toml",
              "dependencies": [{{"name": "seawall-breaker", "req": "^0.1", "path": "/"}}]}},
            {{"name": "seawall-timeout", "manifest_path": "/w/crates/timeout/Cargo.toml",
              "dependencies": [{dependency}]}}]}}"#
    )
    .unwrap();
    file
}

#[test]
fn this_workspace_stands() {
    let output = xtask(&["arrows"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_sound_house_passes() {
    let file = metadata("");
    check(
        &["arrows", "--metadata", file.path().to_str().unwrap()],
        0,
        &[],
    );
}

#[test]
fn a_broken_arrow_is_named_and_fails() {
    let file = metadata(r#"{"name": "seawall-breaker", "req": "^0.1", "path": "/"}"#);
    check(
        &["arrows", "--metadata", file.path().to_str().unwrap()],
        1,
        &["seawall-timeout -> seawall-breaker", "1 broken"],
    );
}

#[test]
fn unreadable_metadata_is_a_usage_failure() {
    check(
        &["arrows", "--metadata", "/no/such/file"],
        2,
        &["/no/such/file", "cargo metadata"],
    );
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"{}").unwrap();
    check(
        &["arrows", "--metadata", file.path().to_str().unwrap()],
        2,
        &["cargo metadata"],
    );
}
