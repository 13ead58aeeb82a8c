//! One PostgreSQL on loopback that can be killed, stopped and started again.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

pub struct Server {
    port: u16,
    programs: PathBuf,
    owner: Option<(u32, u32)>,
    folder: TempDir,
    child: Child,
}

impl Server {
    /// Starts a server; `None`, said aloud, where no program is installed.
    pub fn start() -> Option<Self> {
        let (Some(programs), Some(owner)) = (programs(), owner()) else {
            assert!(
                std::env::var_os("SEAWALL_REQUIRE_SERVERS").is_none_or(|value| value != "1"),
                "PostgreSQL is not installed, and SEAWALL_REQUIRE_SERVERS=1"
            );
            eprintln!("SKIPPED: PostgreSQL is not installed, or there is no user to run it as");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        if let Some((user, group)) = owner {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let output = command(&programs.join("initdb"), owner)
            .args([
                "--no-sync",
                "--auth=trust",
                "--username=postgres",
                "--encoding=UTF8",
                "-D",
            ])
            .arg(folder.path().join("data"))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let port = free_port();
        let child = spawn(&programs, owner, folder.path(), port);
        let mut server = Self {
            port,
            programs,
            owner,
            folder,
            child,
        };
        assert!(server.is_ready(), "postgres does not start");
        Some(server)
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Kills the server as a crash would, backends and all.
    pub fn kill(&mut self) {
        for pid in self.family() {
            let _ = kill_process(pid, Signal::KILL);
        }
        self.child.wait().unwrap();
    }

    /// Starts the server that was killed, on its port and data.
    pub fn restart(&mut self) {
        // It refuses to start while a process of the killed one lives on: one that was born while the
        // others were counted.
        for _ in 0..50 {
            self.child = spawn(&self.programs, self.owner, self.folder.path(), self.port);
            if self.is_ready() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("postgres does not start again");
    }

    /// Stops all its processes where they stand; their sockets stay open.
    pub fn freeze(&self) {
        for pid in self.family() {
            let _ = kill_process(pid, Signal::STOP);
        }
    }

    pub fn thaw(&self) {
        for pid in self.family() {
            let _ = kill_process(pid, Signal::CONT);
        }
    }

    /// The postmaster, then its children.
    fn family(&self) -> Vec<Pid> {
        let parent = Pid::from_child(&self.child);
        let raw = parent.as_raw_nonzero();
        let listed = fs::read_to_string(format!("/proc/{raw}/task/{raw}/children"));
        let children = listed.unwrap_or_default();
        let children = children
            .split_whitespace()
            .filter_map(|pid| Pid::from_raw(pid.parse().ok()?));
        std::iter::once(parent).chain(children).collect()
    }

    /// Waits until the server is ready, or has ended.
    fn is_ready(&mut self) -> bool {
        // The eighth line of this file is the server's own word on its state.
        let status = self.folder.path().join("data/postmaster.pid");
        for _ in 0..2_000 {
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            let text = fs::read_to_string(&status).unwrap_or_default();
            let is_ours = text.lines().next() == Some(&self.child.id().to_string());
            if is_ours
                && text
                    .lines()
                    .nth(7)
                    .is_some_and(|state| state.trim() == "ready")
            {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("postgres is not ready");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for pid in self.family() {
            let _ = kill_process(pid, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

fn spawn(programs: &Path, owner: Option<(u32, u32)>, folder: &Path, port: u16) -> Child {
    let mut command = command(&programs.join("postgres"), owner);
    command
        .arg("-D")
        .arg(folder.join("data"))
        .args(["-p", &port.to_string(), "-F"]);
    for setting in [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=200",
    ] {
        command.args(["-c", setting]);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The server refuses to run as root.
fn command(program: &Path, owner: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").env("LC_ALL", "C");
    if let Some((user, group)) = owner {
        command.uid(user).gid(group);
    }
    command
}

/// Whom to run as: `Some(None)` is ourselves.
fn owner() -> Option<Option<(u32, u32)>> {
    if !geteuid().is_root() {
        return Some(None);
    }
    let id = |what| {
        let output = Command::new("id").args([what, "postgres"]).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    Some(Some((id("-u")?, id("-g")?)))
}

/// Debian keeps the server's programs off the path, a folder a version.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut folders: Vec<_> = versions
        .filter_map(|entry| {
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    folders.sort();
    let on_path = std::env::var_os("PATH")?;
    let on_path: Vec<_> = std::env::split_paths(&on_path).collect();
    let mut folders = folders
        .into_iter()
        .rev()
        .map(|(_, folder)| folder)
        .chain(on_path);
    folders.find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

fn free_port() -> u16 {
    let start = u16::try_from(RandomState::new().hash_one(1) % 8_000).unwrap();
    (0..8_000)
        .map(|step| 22_000 + (start + step) % 8_000)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .unwrap()
}
