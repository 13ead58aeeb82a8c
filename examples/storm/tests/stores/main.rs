//! storm and the server behind `--store`: started for the run and ended with it, or the user's own.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use throwaway::{Disk, Kind, Server};

#[test]
fn an_address_that_is_none_is_refused_without_its_password() {
    for (store, expected) in [
        ("redis://:secret@", "redis://HOST:PORT"),
        (
            "postgres://user:secret@",
            "postgres://USER@HOST:PORT/DATABASE",
        ),
        ("mysql://secret@127.0.0.1/", "memory, sqlite"),
    ] {
        let output = storm(&["--store", store]).output().unwrap();
        let told = refusal(&output, 2);
        assert!(told.contains(expected), "{told}");
        assert!(!told.contains("secret"), "{told}");
    }
}

#[test]
fn a_program_that_is_not_installed_is_named_with_its_package() {
    let nowhere = TempDir::new().unwrap();
    let output = storm(&["--store", "redis", "--only", "two-replicas", "--quick"])
        .env("PATH", nowhere.path())
        .output()
        .unwrap();
    let told = refusal(&output, 2);
    assert!(told.contains("redis-server is not installed"), "{told}");
    assert!(told.contains("(package `redis-server`)"), "{told}");
}

/// Without its store the shop keeps other promises, and a report would call them broken.
#[test]
fn an_address_at_which_nobody_answers_is_no_run() {
    let reports = Reports::new();
    let output = reports
        .storm(&["--quick", "--store", "redis://:secret@127.0.0.1:1/"])
        .output()
        .unwrap();
    let told = refusal(&output, 3);
    assert!(
        told.contains("expected a redis that answers at 127.0.0.1:1"),
        "{told}"
    );
    assert!(!told.contains("secret"), "{told}");
}

#[test]
fn a_server_of_the_users_own_is_used_and_left_running() {
    let Some(server) = server() else { return };
    let reports = Reports::new();
    let output = reports
        .storm(&[
            "--quick",
            "--only",
            "two-replicas",
            "--store",
            &server.url(),
        ])
        .output()
        .unwrap();
    // What is asked here is whose server it was; a busy machine may be too slow for the scenario.
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    assert!(
        TcpStream::connect(server.address()).is_ok(),
        "it still runs"
    );
    assert!(
        server_says(&server, "DBSIZE") != ":0",
        "nothing was counted there"
    );
}

#[test]
fn an_interrupt_ends_the_server_too() {
    let Some(mut run) = Run::start() else { return };
    run.signal("-INT");
    assert_eq!(run.storm.wait().unwrap().code(), Some(3));
    run.assert_nothing_is_left();
}

/// Nobody can catch SIGKILL, so this is the work of who watches over the server.
#[test]
fn a_killed_storm_leaves_no_server_behind() {
    let Some(mut run) = Run::start() else { return };
    run.signal("-KILL");
    assert_eq!(run.storm.wait().unwrap().code(), None);
    run.assert_nothing_is_left();
}

/// A storm that is at work, over a Redis of its own.
struct Run {
    storm: Child,
    children: Vec<u32>,
    data: PathBuf,
    _reports: Reports,
}

impl Run {
    fn start() -> Option<Self> {
        drop(server()?);
        let reports = Reports::new();
        let storm = reports
            .storm(&["--only", "slow-handler", "--store", "redis"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The server, who watches over it, and both shops.
        let children = within_twenty_seconds(|| {
            let children = children_of(storm.id());
            (children.len() == 4).then_some(children)
        });
        let is_redis = |pid: &&u32| {
            fs::read_to_string(format!("/proc/{pid}/comm"))
                .is_ok_and(|name| name.trim() == "redis-server")
        };
        let redis = children.iter().find(is_redis).unwrap();
        let data = fs::read_link(format!("/proc/{redis}/cwd")).unwrap();
        assert!(data.starts_with(std::env::temp_dir()), "{data:?}");
        Some(Self {
            storm,
            children,
            data,
            _reports: reports,
        })
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .args([signal, &self.storm.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }

    fn assert_nothing_is_left(&self) {
        within_twenty_seconds(|| {
            let children = self.children.iter();
            (children.copied().all(has_ended) && !self.data.exists()).then_some(())
        });
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.storm.kill();
        let _ = self.storm.wait();
    }
}

/// Where the reports of a run go.
struct Reports(TempDir);

impl Reports {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn storm(&self, args: &[&str]) -> Command {
        let mut command = storm(args);
        for (flag, name) in [("--json", "a.json"), ("--html", "a.html")] {
            command.arg(flag).arg(self.0.path().join(name));
        }
        command
    }
}

fn storm(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_storm"));
    command.args(args);
    command
}

/// The one line that a command which does not run has to say.
fn refusal(output: &Output, code: i32) -> String {
    let told = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.contains("expected"), "{told}");
    told
}

/// `None`, said aloud, where Redis is not installed.
fn server() -> Option<Server> {
    match Server::start(Kind::Redis, Disk::Nothing, &|| false) {
        Ok(server) => Some(server),
        Err(error @ throwaway::Error::Missing { .. }) => {
            #[expect(clippy::print_stderr, reason = "a test that says why it is skipped")]
            {
                eprintln!("SKIPPED: {error}");
            }
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn server_says(server: &Server, command: &str) -> String {
    use std::io::{BufRead as _, BufReader, Write as _};
    let mut stream = TcpStream::connect(server.address()).unwrap();
    write!(stream, "{command}\r\n").unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    answer.trim_end().to_owned()
}

/// Asks again and again, as a process cannot be told to be quick.
fn within_twenty_seconds<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "not within twenty seconds");
        thread::sleep(Duration::from_millis(20));
    }
}

fn children_of(pid: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    tasks
        .filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok())
        .flat_map(|line| {
            line.split_whitespace()
                .map(|pid| pid.parse().unwrap())
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Gone, or dead and waiting for a parent that does not look: an orphan's is the machine's first
/// process, and in a container that may be anything.
fn has_ended(pid: u32) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"));
    stat.ok()
        .and_then(|stat| {
            stat.rsplit_once(')')
                .map(|(_, rest)| rest.trim().to_owned())
        })
        .is_none_or(|rest| rest.starts_with('Z'))
}
