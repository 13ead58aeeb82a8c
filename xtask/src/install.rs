//! Finding a program, and installing them where that is allowed.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{failure::Failure, process};

/// Where a program may lie, and what brings it.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    /// The Debian package, which has this name with most package managers.
    pub(crate) package: &'static str,
    /// What else a user may do, for the message when it cannot be had.
    pub(crate) otherwise: &'static str,
    /// Folders off the path in which to look too, best first.
    pub(crate) folders: Vec<PathBuf>,
}

impl Program {
    /// The program's path, after an installation if need be.
    pub(crate) fn find_or_install(&self) -> Result<PathBuf, Failure> {
        if let Some(found) = self.find() {
            return Ok(found);
        }
        self.install()?;
        self.find().ok_or_else(|| {
            Failure::broken(format!(
                "{} was installed, but brought no {}",
                self.package, self.name
            ))
        })
    }

    fn find(&self) -> Option<PathBuf> {
        let path = env::var_os("PATH").unwrap_or_default();
        self.folders
            .iter()
            .cloned()
            .chain(env::split_paths(&path))
            .map(|folder| folder.join(self.name))
            .find(|candidate| candidate.is_file())
    }

    fn install(&self) -> Result<(), Failure> {
        let missing = |why: &str| {
            Failure::broken(format!(
                "{} is missing and cannot be installed here ({why}): install the package `{}`{}",
                self.name, self.package, self.otherwise
            ))
        };
        if !rustix::process::geteuid().is_root() {
            return Err(missing("not root"));
        }
        if !Path::new("/usr/bin/apt-get").exists() {
            return Err(missing("no apt-get"));
        }
        eprintln!("    installing {}", self.package);
        // Old package lists name versions that are gone, so a failure is worth one refresh.
        let installed = self.apt_get()? || (refresh()? && self.apt_get()?);
        if installed {
            Ok(())
        } else {
            Err(missing("apt-get failed"))
        }
    }

    fn apt_get(&self) -> Result<bool, Failure> {
        let mut command = Command::new("apt-get");
        command.args(["install", "--yes", "--no-install-recommends", self.package]);
        quiet(&mut command)
    }
}

fn refresh() -> Result<bool, Failure> {
    quiet(Command::new("apt-get").arg("update"))
}

fn quiet(command: &mut Command) -> Result<bool, Failure> {
    // RUNLEVEL 1 keeps the package from starting a server of its own on the standard port.
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("RUNLEVEL", "1")
        .stdout(Stdio::null());
    process::run_reading_stdout(command, &mut |_| {}).map(|status| status.success())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_folder_off_the_path_is_looked_into_first() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("sh"), "").unwrap();
        let program = |folders| Program {
            name: "sh",
            package: "none",
            otherwise: "",
            folders,
        };
        let off_the_path = program(vec![folder.path().to_owned()]);
        assert_eq!(off_the_path.find(), Some(folder.path().join("sh")));
        assert_ne!(program(Vec::new()).find(), Some(folder.path().join("sh")));
    }

    #[test]
    fn what_is_nowhere_is_not_found() {
        let program = Program {
            name: "no-such-program",
            package: "none",
            otherwise: "",
            folders: Vec::new(),
        };
        assert_eq!(program.find(), None);
    }
}
