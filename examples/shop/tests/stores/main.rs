//! The shop and the server behind `--store`: its own, or the user's.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use throwaway::{Disk, Kind, Server};

#[test]
fn a_program_that_is_not_installed_is_named_with_its_package() {
    let nowhere = TempDir::new().unwrap();
    let output = shop("redis").env("PATH", nowhere.path()).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(
        told.contains("--store `redis`: expected a server that can be started"),
        "{told}"
    );
    assert!(told.contains("(package `redis-server`)"), "{told}");
}

/// SIGKILL cannot be caught: there it is the work of who watches over the server.
#[test]
fn its_own_server_ends_with_it_however_it_ends() {
    for signal in ["-TERM", "-INT", "-KILL"] {
        drop(match server() {
            Some(server) => server,
            None => return,
        });
        let mut running = Running::start("redis");
        let redis = redis_of(running.shop.id());
        let data = fs::read_link(format!("/proc/{redis}/cwd")).unwrap();
        assert!(data.starts_with(std::env::temp_dir()), "{data:?}");
        running.signal(signal);
        running.shop.wait().unwrap();
        within_twenty_seconds(|| (has_ended(redis) && !data.exists()).then_some(()));
    }
}

#[test]
fn one_redis_for_payments_and_limits_is_said_once_whatever_it_evicts() {
    let Some(server) = server() else { return };
    for (policy, told) in [
        ("noeviction", "give limits a server of their own"),
        ("allkeys-lru", "idempotency keys are not safe in this Redis"),
    ] {
        let set = format!("CONFIG SET maxmemory-policy {policy}");
        assert_eq!(server_says(&server, &set), "+OK");
        let running = Running::start(&server.url());
        within_twenty_seconds(|| running.log().contains(told).then_some(()));
        assert_eq!(running.log().matches("maxmemory-policy").count(), 1);
    }
}

/// Nobody fills a server that ends with the demonstration.
#[test]
fn its_own_server_is_no_reason_to_warn() {
    drop(match server() {
        Some(server) => server,
        None => return,
    });
    let mut running = Running::start("redis");
    running.signal("-TERM");
    running.shop.wait().unwrap();
    assert!(!running.log().contains("maxmemory-policy"));
}

/// A shop that listens.
struct Running {
    shop: Child,
    folder: TempDir,
}

impl Running {
    fn start(store: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let mut shop = shop(store)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut first = String::new();
        let mut lines = BufReader::new(shop.stdout.take().unwrap());
        lines.read_line(&mut first).unwrap();
        assert!(first.starts_with("listening on"), "{first}");
        Self { shop, folder }
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .args([signal, &self.shop.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.shop.kill();
        let _ = self.shop.wait();
    }
}

fn shop(store: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shop"));
    command.args(["--listen", "127.0.0.1:0", "--store", store]);
    command
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
    let mut stream = TcpStream::connect(server.address()).unwrap();
    write!(stream, "{command}\r\n").unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    answer.trim_end().to_owned()
}

fn redis_of(shop: u32) -> u32 {
    let tasks = fs::read_dir(format!("/proc/{shop}/task")).unwrap();
    let children = tasks
        .filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok())
        .collect::<String>();
    let is_redis = |pid: &u32| {
        fs::read_to_string(format!("/proc/{pid}/comm"))
            .is_ok_and(|name| name.trim() == "redis-server")
    };
    let mut pids = children.split_whitespace().map(|pid| pid.parse().unwrap());
    pids.find(is_redis).unwrap()
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
