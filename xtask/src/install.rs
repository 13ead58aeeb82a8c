//! Installing what is missing, where that is allowed.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use throwaway::Program;

use crate::{failure::Failure, process};

/// The program's path, after an installation if need be. `otherwise` is what else a user may do, for
/// the message when it cannot be had.
pub(crate) fn find_or_install(program: &Program, otherwise: &str) -> Result<PathBuf, Failure> {
    if let Ok(found) = program.find() {
        return Ok(found);
    }
    install(program, otherwise)?;
    program.find().map_err(|_| {
        Failure::broken(format!(
            "{} was installed, but brought no {}",
            program.package(),
            program.name()
        ))
    })
}

fn install(program: &Program, otherwise: &str) -> Result<(), Failure> {
    let (name, package) = (program.name(), program.package());
    let missing = |why: &str| {
        Failure::broken(format!(
            "{name} is missing and cannot be installed here ({why}): install the package \
             `{package}`{otherwise}"
        ))
    };
    if !rustix::process::geteuid().is_root() {
        return Err(missing("not root"));
    }
    if !Path::new("/usr/bin/apt-get").exists() {
        return Err(missing("no apt-get"));
    }
    eprintln!("    installing {package}");
    // Old package lists name versions that are gone, so a failure is worth one refresh.
    let installed = apt_get(package)? || (refresh()? && apt_get(package)?);
    if installed {
        Ok(())
    } else {
        Err(missing("apt-get failed"))
    }
}

fn apt_get(package: &str) -> Result<bool, Failure> {
    let mut command = Command::new("apt-get");
    command.args(["install", "--yes", "--no-install-recommends", package]);
    quiet(&mut command)
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
