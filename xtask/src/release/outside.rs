//! What other people's tools say: of licences and advisories, and of breaking changes.

use std::process::{Command, Stdio};

use super::{
    packaging::succeed,
    tools::{DENY, SEMVER_CHECKS},
};
use crate::{
    failure::Failure,
    process,
    workspace::{Package, Workspace},
};

/// cargo-deny. Advisories need a database from the network, the rest does not.
pub(super) fn deny(workspace: &Workspace) -> Result<Vec<String>, Failure> {
    let program = match DENY.find_or_install(workspace) {
        Ok(program) => program,
        Err(Failure::Broken(why)) => return Ok(vec![why]),
        Err(other) => return Err(other),
    };
    let command = |words: &[&str]| {
        let mut command = DENY.command(&program);
        command
            .current_dir(&workspace.root)
            .args(["--log-level", "error"])
            .args(words);
        command
    };
    succeed(
        &mut command(&["check", "bans", "licenses", "sources"]),
        "bans, licences or sources",
    )?;
    if !process::run(&mut command(&["fetch", "db"]), &mut |_| {})?.success() {
        return Ok(vec![
            "advisories: their database cannot be fetched here".to_owned(),
        ]);
    }
    succeed(&mut command(&["check", "advisories"]), "advisories")?;
    Ok(Vec::new())
}

/// cargo-semver-checks, against the release that is tagged. It takes long to compile, and so is not
/// installed here.
pub(super) fn semver(workspace: &Workspace) -> Result<Vec<String>, Failure> {
    let Some(program) = SEMVER_CHECKS.find(workspace) else {
        return Ok(vec![format!(
            "{SEMVER_CHECKS} is not installed (`cargo install --locked {SEMVER_CHECKS}`)"
        )]);
    };
    let mut skipped = Vec::new();
    for package in workspace.published() {
        let Some(tag) = latest_tag(workspace, package) else {
            skipped.push(format!("{} has no release", package.name));
            continue;
        };
        let mut command = SEMVER_CHECKS.command(&program);
        command.current_dir(&workspace.root).args([
            "--all-features",
            "-p",
            &package.name,
            "--baseline-rev",
            &tag,
        ]);
        succeed(&mut command, &format!("{} since {tag}", package.name))?;
    }
    if skipped.len() == workspace.published().count() {
        skipped =
            vec!["no crate has a release yet (a tag such as `seawall-web-v0.1.0`)".to_owned()];
    }
    Ok(skipped)
}

/// A tag and not the registry says what was released: it is there without a network.
fn latest_tag(workspace: &Workspace, package: &Package) -> Option<String> {
    let mut command = Command::new("git");
    command
        .current_dir(&workspace.root)
        .args(["tag", "--list", "--sort=-version:refname"])
        .arg(format!("{}-v*", package.name))
        .stderr(Stdio::null());
    let output = command.output().ok()?;
    let tags = String::from_utf8_lossy(&output.stdout).into_owned();
    tags.lines().next().map(str::to_owned)
}
