//! One PostgreSQL that need not survive a power cut.

use std::{
    fs,
    os::unix::{fs::chown, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{Server, broken, folder, launch};
use crate::{failure::Failure, install::Program};

pub(super) fn start() -> Result<Server, Failure> {
    let program = |name| Program {
        name,
        package: "postgresql",
        otherwise: ", or pass --without-servers",
        folders: versioned_folders(),
    };
    let initdb = program("initdb").find_or_install()?;
    let postgres = program("postgres").find_or_install()?;
    let owner = Owner::choose()?;

    let data = folder("postgres")?;
    if let Owner::Other { user, group } = owner {
        chown(data.path(), Some(user), Some(group)).map_err(|error| broken("postgres", &error))?;
    }
    let directory = data.path().join("data");
    initialise(&mut owner.command(&initdb), &directory)?;

    let status = directory.join("postmaster.pid");
    launch(
        "postgres",
        data,
        |port| {
            let mut command = owner.command(&postgres);
            command
                .arg("-D")
                .arg(&directory)
                .args(["-p", &port.to_string(), "-F"]);
            for setting in SETTINGS {
                command.args(["-c", setting]);
            }
            command
        },
        |port| format!("postgres://postgres@127.0.0.1:{port}/postgres"),
        |_| says_ready(&fs::read_to_string(&status).unwrap_or_default()),
    )
}

/// `-F` above switches fsync off. Commits stay synchronous: tests kill clients, not the machine.
const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "full_page_writes=off",
    "max_connections=200",
];

/// Whom the server runs as: it refuses to run as root.
#[derive(Debug, Clone, Copy)]
enum Owner {
    Ourselves,
    Other { user: u32, group: u32 },
}

impl Owner {
    fn choose() -> Result<Self, Failure> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Ourselves);
        }
        match (id("-u"), id("-g")) {
            (Some(user), Some(group)) => Ok(Self::Other { user, group }),
            _ => Err(Failure::broken(
                "PostgreSQL does not run as root, and there is no user `postgres` to run it as: \
                 install the package `postgresql`, or pass --without-servers",
            )),
        }
    }

    /// The program itself is the child, with no `su` or `runuser` between, so that a signal to
    /// the child is a signal to the server.
    fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        // The current folder may be closed to the other user.
        command.current_dir("/").env("LC_ALL", "C");
        if let Self::Other { user, group } = self {
            command.uid(user).gid(group);
        }
        command
    }
}

fn id(what: &str) -> Option<u32> {
    let output = Command::new("id")
        .args([what, "postgres"])
        .stderr(Stdio::null())
        .output()
        .ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

fn initialise(initdb: &mut Command, directory: &Path) -> Result<(), Failure> {
    initdb.args([
        "--no-sync",
        "--auth=trust",
        "--username=postgres",
        "--encoding=UTF8",
        "-D",
    ]);
    let output = initdb
        .arg(directory)
        .output()
        .map_err(|error| broken("initdb", &error))?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(Failure::broken(format!(
        "initdb failed:\n{}",
        stderr.trim_end()
    )))
}

/// Debian keeps the server's programs off the path, a folder a version; the newest goes first.
fn versioned_folders() -> Vec<PathBuf> {
    let entries = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut versions: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions.into_iter().map(|(_, folder)| folder).collect()
}

/// The eighth line of `postmaster.pid` is the server's own word on its state.
fn says_ready(postmaster_pid: &str) -> bool {
    postmaster_pid
        .lines()
        .nth(7)
        .is_some_and(|state| state.trim() == "ready")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_line_of_the_pid_file_tells_readiness() {
        let file = |state: &str| format!("12\n/d\n0\n15000\n\n127.0.0.1\n  1 2\n{state}");
        assert!(says_ready(&file("ready   \n")));
        assert!(!says_ready(&file("starting\n")));
        assert!(!says_ready("12\n/ready\n"));
    }
}
