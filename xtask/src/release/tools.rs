//! cargo's subcommands that are not part of a toolchain, each in the version that was tried.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    failure::Failure,
    process,
    workspace::{Workspace, cargo},
};

pub(super) struct Tool {
    name: &'static str,
    version: &'static str,
}

pub(super) const DENY: Tool = Tool {
    name: "cargo-deny",
    version: "0.20.2",
};

pub(super) const SEMVER_CHECKS: Tool = Tool {
    name: "cargo-semver-checks",
    version: "0.48.0",
};

impl Tool {
    /// The tool in its version, from the path or from an earlier run.
    pub(super) fn find(&self, workspace: &Workspace) -> Option<PathBuf> {
        [
            self.home(workspace).join("bin").join(self.name),
            self.name.into(),
        ]
        .into_iter()
        .find(|program| self.is_it(program))
    }

    /// As [`Tool::find`], and compiles the tool where there is none. An error says why it cannot be
    /// had.
    pub(super) fn find_or_install(&self, workspace: &Workspace) -> Result<PathBuf, Failure> {
        if let Some(found) = self.find(workspace) {
            return Ok(found);
        }
        eprintln!("    installing {self}, which takes minutes once");
        let mut command = cargo();
        command
            // Out of the repository, whose settings are not the tool's.
            .current_dir(std::env::temp_dir())
            // It runs for seconds: optimising it takes longer than it saves.
            .args(["install", "--quiet", "--locked", "--debug", "--root"])
            .arg(self.home(workspace))
            .arg("--target-dir")
            .arg(workspace.target_directory.join("tools/build"))
            .arg(self.to_string());
        let status = process::run(&mut command, &mut |_| {})?;
        self.find(workspace)
            .ok_or_else(|| Failure::broken(format!("{self} cannot be installed here ({status})")))
    }

    fn home(&self, workspace: &Workspace) -> PathBuf {
        let folder = format!("{}-{}", self.name, self.version);
        workspace.target_directory.join("tools").join(folder)
    }

    fn is_it(&self, program: &Path) -> bool {
        let mut command = self.command(program);
        command.arg("--version").stderr(Stdio::null());
        command.output().is_ok_and(|output| {
            let told = String::from_utf8_lossy(&output.stdout);
            output.status.success() && told.split_whitespace().any(|word| word == self.version)
        })
    }

    /// The program, which expects its own name first, as cargo would say it.
    pub(super) fn command(&self, program: &Path) -> Command {
        let subcommand = self.name.trim_start_matches("cargo-");
        let mut command = Command::new(program);
        command.arg(OsString::from(subcommand));
        command
    }
}

impl std::fmt::Display for Tool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}
