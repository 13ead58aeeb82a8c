//! Documentation as docs.rs makes it, and the same as data.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use super::packaging::succeed;
use crate::{
    failure::Failure,
    workspace::{Package, Workspace, cargo},
};

/// All features, the cfg of docs.rs, and no warning.
pub(super) fn pages(workspace: &Workspace) -> Result<(), Failure> {
    let mut command = command(workspace, "-D warnings --cfg docsrs")?;
    succeed(&mut command, "cargo doc")
}

/// The public items as JSON, one file a package.
pub(super) fn data(workspace: &Workspace) -> Result<(), Failure> {
    let flags = "-Z unstable-options --output-format json --cap-lints allow";
    succeed(&mut command(workspace, flags)?, "rustdoc's JSON")
}

/// Where [`data`] has put a package's items.
pub(super) fn data_file(workspace: &Workspace, package: &Package) -> PathBuf {
    let name = package.name.replace('-', "_");
    workspace
        .target_directory
        .join("doc")
        .join(format!("{name}.json"))
}

fn command(workspace: &Workspace, flags: &str) -> Result<Command, Failure> {
    let mut command = cargo();
    command
        .current_dir(&workspace.root)
        .env("RUSTDOC", wrapper(&workspace.target_directory)?)
        .env("RUSTDOCFLAGS", flags)
        .args(["doc", "--quiet", "--no-deps", "--lib", "--all-features"]);
    for package in workspace.published() {
        command.args(["-p", &package.name]);
    }
    Ok(command)
}

/// A stable rustdoc that takes unstable options. The variable is for rustdoc alone: where cargo has
/// it too, build scripts look for unstable features, and every crate is compiled anew.
fn wrapper(target: &Path) -> Result<PathBuf, Failure> {
    let path = target.join("rustdoc-unstable");
    let rustdoc = std::env::var("RUSTDOC").unwrap_or_else(|_| "rustdoc".to_owned());
    let script = format!("#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec '{rustdoc}' \"$@\"\n");
    let written = fs::create_dir_all(target)
        .and_then(|()| fs::write(&path, script))
        .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o755)));
    match written {
        Ok(()) => Ok(path),
        Err(error) => Err(Failure::broken(format!("{}: {error}", path.display()))),
    }
}
