//! The program that runs the tests: nextest where it is installed, else `cargo test`.

use std::{
    fmt,
    path::PathBuf,
    process::{Command, Stdio},
};

use super::plan::Plan;
use crate::workspace::{Workspace, cargo};

pub(super) enum Runner {
    Nextest {
        /// Settings that apply only where there is a test target named `vectors`.
        vectors_config: PathBuf,
    },
    CargoTest,
}

impl Runner {
    pub(super) fn choose(workspace: &Workspace) -> Self {
        let mut command = cargo();
        command
            .args(["nextest", "--version"])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if command.status().is_ok_and(|status| status.success()) {
            let vectors_config = workspace.root.join(".config/nextest-vectors.toml");
            Self::Nextest { vectors_config }
        } else {
            Self::CargoTest
        }
    }

    /// Compiles everything, so that the time of the tests is the tests'.
    pub(super) fn build(&self, plan: &Plan) -> Command {
        let mut command = self.common(plan);
        command.arg("--no-run");
        command
    }

    pub(super) fn run(&self, plan: &Plan) -> Command {
        let mut command = self.common(plan);
        command.arg("--no-fail-fast");
        if let Self::Nextest { .. } = self {
            command.args(["--no-tests=pass", "--status-level=slow"]);
        }
        command
    }

    fn common(&self, plan: &Plan) -> Command {
        let mut command = cargo();
        match self {
            Self::Nextest { vectors_config } => {
                command.args(["nextest", "run"]);
                if plan.has_vectors {
                    command.arg("--tool-config-file");
                    command.arg(format!("xtask:{}", vectors_config.display()));
                }
            }
            Self::CargoTest => {
                command.args(["test", "--lib", "--bins", "--tests", "--examples"]);
            }
        }
        command.arg("--all-features").args(plan.selection());
        command
    }
}

impl fmt::Display for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nextest { .. } => "cargo nextest",
            Self::CargoTest => "cargo test",
        })
    }
}
