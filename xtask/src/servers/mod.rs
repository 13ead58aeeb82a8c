//! Throw-away servers for the store tests: found or installed, started on free ports with empty
//! data, and stopped whatever happens.

mod ports;
mod postgres;
mod redis;

use std::{
    fs,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::{
    failure::Failure,
    process::{check_interrupt, ended_within},
};

/// A kind of server that some member's tests need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Redis,
    Postgres,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Redis, Self::Postgres];

    /// The member whose tests need it.
    pub(crate) fn member(self) -> &'static str {
        match self {
            Self::Redis => "seawall-redis",
            Self::Postgres => "seawall-postgres",
        }
    }

    /// The variable by which the tests find it.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::Redis => "SEAWALL_REDIS_URL",
            Self::Postgres => "SEAWALL_POSTGRES_URL",
        }
    }

    pub(crate) fn start(self) -> Result<Server, Failure> {
        match self {
            Self::Redis => redis::start(),
            Self::Postgres => postgres::start(),
        }
    }
}

/// A running server. Dropping it stops it and removes its data.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) url: String,
    name: &'static str,
    child: Child,
    // Behind the child, since fields are dropped in order and `Drop` has stopped it by then.
    _data: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGINT makes both kinds close their connections and end without ceremony.
        let _ = kill_process(Pid::from_child(&self.child), Signal::INT);
        if !ended_within(&mut self.child, Duration::from_secs(5)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        eprintln!("    {} stopped", self.name);
    }
}

/// Starts a server whose command line is made for a port, on the first port that works.
fn launch(
    name: &'static str,
    data: TempDir,
    command: impl Fn(u16) -> Command,
    url: impl Fn(u16) -> String,
    ready: impl Fn(u16) -> bool,
) -> Result<Server, Failure> {
    let log = data.path().join("server.log");
    let mut last = String::new();
    for port in ports::candidates().take(5) {
        let mut command = command(port);
        let output = fs::File::create(&log).and_then(|file| Ok((file.try_clone()?, file)));
        let (out, err) = output.map_err(|error| broken(name, &error))?;
        // A group of its own: Ctrl-C at the terminal must not stop the server under the tests.
        command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err);
        let mut child = command.spawn().map_err(|error| broken(name, &error))?;

        match wait_until_ready(&mut child, || ready(port)) {
            Ok(()) => {
                let url = url(port);
                eprintln!("    {name} at {url}");
                return Ok(Server {
                    url,
                    name,
                    child,
                    _data: data,
                });
            }
            Err(failure) => {
                let _ = child.kill();
                let _ = child.wait();
                if failure == Failure::Interrupted {
                    return Err(failure);
                }
                last = tail(&log);
            }
        }
    }
    Err(Failure::broken(format!(
        "{name} does not start; its last words were:\n{last}"
    )))
}

fn wait_until_ready(child: &mut Child, ready: impl Fn() -> bool) -> Result<(), Failure> {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(20) {
        check_interrupt()?;
        if ended_within(child, Duration::ZERO) {
            break;
        }
        if ready() {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(20));
    }
    Err(Failure::broken("not ready"))
}

/// A folder for a server's data, outside the workspace: another user may have to reach it.
fn folder(name: &'static str) -> Result<TempDir, Failure> {
    tempfile::Builder::new()
        .prefix(&format!("seawall-{name}-"))
        .tempdir()
        .map_err(|error| broken(name, &error))
}

fn broken(name: &str, error: &std::io::Error) -> Failure {
    Failure::broken(format!("{name} cannot be started: {error}"))
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}
