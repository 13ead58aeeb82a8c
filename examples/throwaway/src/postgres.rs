//! One PostgreSQL that need not survive a power cut.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Error, Program};

pub(crate) fn programs() -> Vec<Program> {
    let program = |name| Program {
        name,
        package: "postgresql",
        folders: versioned_folders(),
    };
    vec![program("initdb"), program("postgres")]
}

/// How it is started.
#[derive(Debug)]
pub(crate) struct Launch {
    program: PathBuf,
    owner: Owner,
    directory: PathBuf,
}

impl Launch {
    pub(crate) fn prepare(data: &Path) -> Result<Self, Error> {
        let mut found = Vec::new();
        for program in programs() {
            found.push(program.find()?);
        }
        let [initdb, program] = &found[..] else {
            unreachable!("two programs were looked for")
        };
        let owner = Owner::choose()?;
        if let Owner::Other { user, group } = owner {
            chown(data, Some(user), Some(group))
                .map_err(|error| Error::broken("postgres", &error))?;
        }
        let directory = data.join("data");
        initialise(&mut owner.command(initdb), &directory)?;
        Ok(Self {
            program: program.clone(),
            owner,
            directory,
        })
    }

    pub(crate) fn command(&self, port: u16) -> Command {
        let mut command = self.owner.command(&self.program);
        command
            .arg("-D")
            .arg(&self.directory)
            .args(["-p", &port.to_string(), "-F"]);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command
    }

    /// The file of a server that was killed is still there, and says that it was ready.
    pub(crate) fn is_ready(&self, pid: u32) -> bool {
        let status = fs::read_to_string(self.directory.join("postmaster.pid")).unwrap_or_default();
        says_ready(&status, pid)
    }
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
    fn choose() -> Result<Self, Error> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Ourselves);
        }
        match (id("-u"), id("-g")) {
            (Some(user), Some(group)) => Ok(Self::Other { user, group }),
            _ => Err(Error::NoOwner),
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

fn initialise(initdb: &mut Command, directory: &Path) -> Result<(), Error> {
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
        .map_err(|error| Error::broken("initdb", &error))?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(Error::Broken(format!(
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

/// The first line of `postmaster.pid` is the server that wrote it, the eighth its own word on its
/// state.
fn says_ready(postmaster_pid: &str, pid: u32) -> bool {
    let mut lines = postmaster_pid.lines();
    let is_ours = lines.next().is_some_and(|first| first == pid.to_string());
    is_ours && lines.nth(6).is_some_and(|state| state.trim() == "ready")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_line_of_its_own_pid_file_tells_readiness() {
        let file = |state: &str| format!("12\n/d\n0\n15000\n\n127.0.0.1\n  1 2\n{state}");
        assert!(says_ready(&file("ready   \n"), 12));
        assert!(!says_ready(&file("ready   \n"), 13));
        assert!(!says_ready(&file("starting\n"), 12));
        assert!(!says_ready("12\n/ready\n", 12));
    }
}
