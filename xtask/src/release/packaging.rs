//! The archives that a registry would get: made in the order in which they would be published, with
//! the files that belong there, and compiled from nothing but those.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::files;
use crate::{
    failure::Failure,
    process,
    workspace::{Kind, Package, Workspace, cargo},
};

/// The published members, each behind those that it needs.
pub(super) fn in_order(workspace: &Workspace) -> Result<Vec<&Package>, Failure> {
    let mut open: Vec<_> = workspace.published().collect();
    open.sort_by(|one, other| one.name.cmp(&other.name));
    let mut ordered: Vec<&Package> = Vec::new();
    while !open.is_empty() {
        let names: BTreeSet<_> = open.iter().map(|package| package.name.clone()).collect();
        let waits = |package: &Package| {
            let needed = package.dependencies.iter();
            needed
                .filter(|d| d.kind != Some(Kind::Dev))
                .any(|d| names.contains(&d.name))
        };
        let (waiting, ready): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|package| waits(package));
        if ready.is_empty() {
            let names: Vec<_> = waiting.iter().map(|package| &*package.name).collect();
            return Err(Failure::broken(format!(
                "no order of publishing: {} need each other",
                names.join(", ")
            )));
        }
        ordered.extend(ready);
        open = waiting;
    }
    Ok(ordered)
}

/// Makes the archives and unpacks them, as members of a workspace that has no other files.
pub(super) fn package(workspace: &Workspace, house: &House) -> Result<(), Failure> {
    let order = in_order(workspace)?;
    let names: Vec<_> = order.iter().map(|package| &*package.name).collect();
    println!("    in this order: {}", names.join(", "));

    let mut command = cargo();
    command.current_dir(&workspace.root);
    // What is packaged is compiled below, all of it at once: cargo would do it one by one.
    command.args(["package", "--quiet", "--allow-dirty", "--no-verify"]);
    for package in &order {
        command.args(["-p", &package.name]);
    }
    succeed(&mut command, "cargo package (which needs cargo 1.90)")?;

    house.clear()?;
    for package in &order {
        let archive = workspace
            .target_directory
            .join("package")
            .join(format!("{}-{}.crate", package.name, package.version));
        let mut command = Command::new("tar");
        command
            // The archive has one date for all its files: with it, a change would look compiled.
            .arg("-xmzf")
            .arg(&archive)
            .arg("-C")
            .arg(house.folder());
        succeed(&mut command, "tar")?;
    }
    house.furnish(&order)?;
    fs::copy(workspace.root.join("Cargo.lock"), house.lock())
        .map_err(|error| Failure::broken(format!("Cargo.lock: {error}")))?;
    Ok(())
}

/// Compares what was packaged with what belongs there.
pub(super) fn check_files(workspace: &Workspace, house: &House) -> Result<(), Failure> {
    let mut faults = Vec::new();
    for package in workspace.published() {
        let found = files::faults(&house.package(package), &workspace.root)?;
        faults.extend(
            found
                .into_iter()
                .map(|fault| format!("{}: {fault}", package.name)),
        );
    }
    all_well(&faults)
}

/// Compiles what was packaged, from there.
pub(super) fn compile(workspace: &Workspace, house: &House) -> Result<(), Failure> {
    let mut command = cargo();
    command
        .current_dir(house.folder())
        .env("CARGO_TARGET_DIR", &workspace.target_directory)
        .args(["check", "--quiet", "--workspace", "--lib", "--all-features"]);
    succeed(&mut command, "cargo check of what was packaged")
}

/// Where the archives are unpacked: a workspace of its own beside whatever else was built.
pub(super) struct House(PathBuf);

impl House {
    pub(super) fn new(workspace: &Workspace) -> Self {
        Self(workspace.target_directory.join("release-dry-run"))
    }

    pub(super) fn folder(&self) -> &Path {
        &self.0
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.0.join("Cargo.lock")
    }

    pub(super) fn package(&self, package: &Package) -> PathBuf {
        self.0.join(format!("{}-{}", package.name, package.version))
    }

    pub(super) fn is_furnished(&self) -> bool {
        self.0.join("Cargo.toml").exists()
    }

    fn clear(&self) -> Result<(), Failure> {
        let failure = |error| Failure::broken(format!("{}: {error}", self.0.display()));
        if self.0.exists() {
            fs::remove_dir_all(&self.0).map_err(failure)?;
        }
        fs::create_dir_all(&self.0).map_err(failure)
    }

    /// A package names its siblings by version; here they are found without a registry.
    fn furnish(&self, packages: &[&Package]) -> Result<(), Failure> {
        let folders = packages
            .iter()
            .map(|p| (&p.name, format!("{}-{}", p.name, p.version)));
        let mut manifest = String::from("[workspace]\nresolver = \"3\"\nmembers = [\n");
        for (_, folder) in folders.clone() {
            manifest.push_str(&format!("    {folder:?},\n"));
        }
        manifest.push_str("]\n\n[patch.crates-io]\n");
        for (name, folder) in folders {
            manifest.push_str(&format!("{name} = {{ path = {folder:?} }}\n"));
        }
        fs::write(self.0.join("Cargo.toml"), manifest)
            .map_err(|error| Failure::broken(format!("{}: {error}", self.0.display())))
    }
}

/// Runs a program whose success is all that is asked.
pub(super) fn succeed(command: &mut Command, what: &str) -> Result<(), Failure> {
    let status = process::run(command, &mut |_| {})?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::broken(format!("{what}: {status}")))
    }
}

/// Tells each fault on a line, and their number as the verdict.
pub(super) fn all_well(faults: &[String]) -> Result<(), Failure> {
    for fault in faults {
        eprintln!("    {fault}");
    }
    match faults {
        [] => Ok(()),
        [only] => Err(Failure::broken(only.clone())),
        [first, rest @ ..] => Err(Failure::broken(format!(
            "{first}, and {} more, see above",
            rest.len()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(web: &str, errors: &str) -> Workspace {
        let json = format!(
            r#"{{"workspace_root": "/w", "target_directory": "/t", "packages": [
                {{"name": "axum", "manifest_path": "/w/a", "dependencies": [
                    {{"name": "web", "req": "^0.1"}}, {{"name": "errors", "req": "^0.1"}}]}},
                {{"name": "shop", "manifest_path": "/w/s", "publish": []}},
                {{"name": "web", "manifest_path": "/w/w", "dependencies": [{web}]}},
                {{"name": "errors", "manifest_path": "/w/e", "dependencies": [{errors}]}}]}}"#
        );
        Workspace::parse(json.as_bytes()).unwrap()
    }

    #[test]
    fn what_is_needed_goes_first_and_the_unpublished_not_at_all() {
        let workspace = workspace(
            r#"{"name": "errors", "req": "^0.1"}"#,
            r#"{"name": "web", "req": "*", "kind": "dev"}"#,
        );
        let order = in_order(&workspace).unwrap();
        let names: Vec<_> = order.iter().map(|package| &*package.name).collect();
        assert_eq!(names, ["errors", "web", "axum"]);
    }

    #[test]
    fn a_circle_is_named() {
        let workspace = workspace(
            r#"{"name": "errors", "req": "^0.1"}"#,
            r#"{"name": "web", "req": "^0.1"}"#,
        );
        let failure = in_order(&workspace).unwrap_err();
        assert!(
            failure
                .to_string()
                .contains("axum, errors, web need each other"),
            "{failure}"
        );
    }
}
