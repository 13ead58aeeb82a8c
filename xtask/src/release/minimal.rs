//! The oldest versions that the manifests allow: what a user's lock file may hold.

use std::{fs, path::Path};

use super::packaging::{House, succeed};
use crate::{
    failure::Failure,
    workspace::{Workspace, cargo},
};

/// Resolves each direct dependency to its oldest version, and compiles.
pub(super) fn check(workspace: &Workspace, house: &House) -> Result<(), Failure> {
    for package in workspace.published() {
        strip(&house.package(package).join("Cargo.toml"))?;
    }
    let lock = house.lock();
    if lock.exists() {
        fs::remove_file(&lock)
            .map_err(|error| Failure::broken(format!("{}: {error}", lock.display())))?;
    }
    let mut command = cargo();
    command
        .current_dir(house.folder())
        // For an unstable option of cargo's, which compiles nothing.
        .env("RUSTC_BOOTSTRAP", "1")
        .args(["update", "--quiet", "-Z", "direct-minimal-versions"]);
    succeed(&mut command, "the oldest versions do not go together")?;

    let mut command = cargo();
    command
        .current_dir(house.folder())
        .env("CARGO_TARGET_DIR", &workspace.target_directory)
        .args(["check", "--quiet", "--workspace", "--lib", "--all-features"]);
    succeed(&mut command, "cargo check with the oldest versions")
}

/// Takes what only tests need out of a manifest: no user resolves it.
fn strip(manifest: &Path) -> Result<(), Failure> {
    let failure =
        |error: &dyn std::fmt::Display| Failure::broken(format!("{}: {error}", manifest.display()));
    let text = fs::read_to_string(manifest).map_err(|error| failure(&error))?;
    let stripped = without_tests(&text).map_err(|error| failure(&error))?;
    fs::write(manifest, stripped).map_err(|error| failure(&error))
}

fn without_tests(manifest: &str) -> Result<String, toml::de::Error> {
    let mut table: toml::Table = manifest.parse()?;
    table.remove("dev-dependencies");
    if let Some(targets) = table.get_mut("target").and_then(toml::Value::as_table_mut) {
        for (_, target) in targets.iter_mut() {
            if let Some(target) = target.as_table_mut() {
                target.remove("dev-dependencies");
            }
        }
    }
    Ok(table.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_tests_need_is_gone_for_every_target() {
        let manifest = "[package]\nname = \"a\"\n[dependencies]\nserde = \"1\"\n\
            [dev-dependencies]\nproptest = \"1\"\n\
            [target.'cfg(loom)'.dev-dependencies]\nloom = \"0.7\"\n\
            [target.'cfg(unix)'.dependencies]\nrustix = \"1\"\n";
        let stripped = without_tests(manifest).unwrap();
        for kept in ["serde", "rustix"] {
            assert!(stripped.contains(kept), "{stripped}");
        }
        for gone in ["proptest", "loom = "] {
            assert!(!stripped.contains(gone), "{stripped}");
        }
    }
}
