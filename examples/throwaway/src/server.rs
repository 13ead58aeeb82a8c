//! One running server, which can be killed and started again.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::watch::Watch;
use crate::{Error, Program, ports, postgres, redis};

/// A kind of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "callers decide for each kind")]
pub enum Kind {
    /// Redis.
    Redis,
    /// `PostgreSQL`.
    Postgres,
}

/// What outlives a killed process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third")]
pub enum Disk {
    /// Nothing need be kept: the cheapest, for tests.
    Nothing,
    /// What was answered is still there after a restart; only a power cut may lose it. `PostgreSQL`
    /// is always like that.
    Writes,
}

impl Kind {
    /// What it is called, by people and in a URL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Postgres => "postgres",
        }
    }

    /// The programs that it needs.
    #[must_use]
    pub fn programs(self) -> Vec<Program> {
        match self {
            Self::Redis => vec![redis::program()],
            Self::Postgres => postgres::programs(),
        }
    }

    fn url(self, port: u16) -> String {
        match self {
            Self::Redis => format!("redis://127.0.0.1:{port}/"),
            Self::Postgres => format!("postgres://postgres@127.0.0.1:{port}/postgres"),
        }
    }
}

/// A running server. Dropping it stops it and removes its data.
#[derive(Debug)]
pub struct Server {
    kind: Kind,
    port: u16,
    launch: Launch,
    child: Child,
    watch: Option<Watch>,
    // Behind the child, since fields are dropped in order and `Drop` has stopped it by then.
    data: TempDir,
}

#[derive(Debug)]
enum Launch {
    Redis(redis::Launch),
    Postgres(postgres::Launch),
}

impl Launch {
    fn command(&self, port: u16) -> Command {
        match self {
            Self::Redis(redis) => redis.command(port),
            Self::Postgres(postgres) => postgres.command(port),
        }
    }

    fn is_ready(&self, port: u16, pid: u32) -> bool {
        match self {
            Self::Redis(_) => redis::answers_ping(port).unwrap_or(false),
            Self::Postgres(postgres) => postgres.is_ready(pid),
        }
    }
}

impl Server {
    /// Starts a server and waits until it answers: a fraction of a second for Redis, one or two for
    /// `PostgreSQL`. It blocks; `interrupted` is asked again and again, and `true` ends the attempt.
    ///
    /// # Errors
    ///
    /// When a program is missing or does not come up.
    pub fn start(kind: Kind, disk: Disk, interrupted: &dyn Fn() -> bool) -> Result<Self, Error> {
        let broken = |error: std::io::Error| Error::broken(kind.name(), &error);
        // Outside of any workspace: another user may have to reach it.
        let prefix = format!("seawall-{}-", kind.name());
        let data = tempfile::Builder::new().prefix(&prefix).tempdir();
        let data = data.map_err(broken)?;
        let launch = match kind {
            Kind::Redis => Launch::Redis(redis::Launch::prepare(data.path(), disk)?),
            Kind::Postgres => Launch::Postgres(postgres::Launch::prepare(data.path())?),
        };
        let mut last = String::new();
        for port in ports::candidates().take(5) {
            let (mut child, watch) = spawn(&launch, port, data.path()).map_err(broken)?;
            match wait_until_ready(&launch, port, &mut child, interrupted) {
                Ready::Yes => {
                    return Ok(Self {
                        kind,
                        port,
                        launch,
                        child,
                        watch: Some(watch),
                        data,
                    });
                }
                Ready::Interrupted => {
                    end(&mut child);
                    return Err(Error::Interrupted);
                }
                Ready::No => {
                    end(&mut child);
                    last = tail(data.path());
                }
            }
        }
        let name = kind.name();
        Err(Error::Broken(format!(
            "{name} does not start; its last words were:\n{last}"
        )))
    }

    /// Which kind it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Where it is, for clients.
    #[must_use]
    pub fn url(&self) -> String {
        self.kind.url(self.port)
    }

    /// Where it is, for proxies.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// Kills it as a crash would, with all its processes, and waits until nobody listens any more:
    /// on a busy machine a killed process keeps its sockets until it gets its turn to die.
    pub fn kill(&mut self) {
        self.watch = None;
        kill_family(&mut self.child);
        for _ in 0..SILENT {
            if TcpStream::connect(self.address()).is_err() {
                return;
            }
            thread::sleep(TICK);
        }
    }

    /// Starts it again on the same port, with what the disk has kept. It blocks as
    /// [`start`](Self::start) does.
    ///
    /// # Errors
    ///
    /// When it does not come up, perhaps because somebody else has taken the port.
    pub fn restart(&mut self, interrupted: &dyn Fn() -> bool) -> Result<(), Error> {
        self.watch = None;
        kill_family(&mut self.child);
        // PostgreSQL refuses to start while a process of the killed server lives on: one that was born
        // while the others were counted.
        for _ in 0..AGAIN {
            let spawned = spawn(&self.launch, self.port, self.data.path());
            let (child, watch) =
                spawned.map_err(|error| Error::broken(self.kind.name(), &error))?;
            (self.child, self.watch) = (child, Some(watch));
            match wait_until_ready(&self.launch, self.port, &mut self.child, interrupted) {
                Ready::Yes => return Ok(()),
                Ready::Interrupted => return Err(Error::Interrupted),
                Ready::No if ended(&mut self.child) => thread::sleep(TICK),
                Ready::No => break,
            }
        }
        Err(Error::Broken(format!(
            "{} does not start again; its last words were:\n{}",
            self.kind.name(),
            tail(self.data.path())
        )))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // First, so that it never sees a server that is gone.
        self.watch = None;
        end(&mut self.child);
    }
}

fn spawn(launch: &Launch, port: u16, data: &Path) -> std::io::Result<(Child, Watch)> {
    let log = fs::File::create(log(data))?;
    // A group of its own: Ctrl-C at the terminal must not stop the server under its users.
    let mut child = launch
        .command(port)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()?;
    match Watch::over(child.id(), data) {
        Ok(watch) => Ok((child, watch)),
        Err(error) => {
            end(&mut child);
            Err(error)
        }
    }
}

enum Ready {
    Yes,
    No,
    Interrupted,
}

fn wait_until_ready(
    launch: &Launch,
    port: u16,
    child: &mut Child,
    interrupted: &dyn Fn() -> bool,
) -> Ready {
    for _ in 0..TICKS {
        if interrupted() {
            return Ready::Interrupted;
        }
        if ended(child) {
            return Ready::No;
        }
        if launch.is_ready(port, child.id()) {
            return Ready::Yes;
        }
        thread::sleep(TICK);
    }
    Ready::No
}

/// SIGINT makes both kinds close their connections and end without ceremony.
fn end(child: &mut Child) {
    let _ = kill_process(Pid::from_child(child), Signal::INT);
    for _ in 0..TICKS / 4 {
        if ended(child) {
            return;
        }
        thread::sleep(TICK);
    }
    kill_family(child);
}

/// A killed postmaster's children go too, but take their time.
fn kill_family(child: &mut Child) {
    if ended(child) {
        return;
    }
    let parent = Pid::from_child(child).as_raw_nonzero();
    let listed = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
    let _ = child.kill();
    for pid in listed.unwrap_or_default().split_whitespace() {
        if let Some(pid) = pid.parse().ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    let _ = child.wait();
}

/// A child that cannot be waited for is not ours any more.
fn ended(child: &mut Child) -> bool {
    !matches!(child.try_wait(), Ok(None))
}

fn log(data: &Path) -> std::path::PathBuf {
    data.join("server.log")
}

fn tail(data: &Path) -> String {
    let text = fs::read_to_string(log(data)).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}

const SILENT: u32 = 250;
/// Starts after a kill.
const AGAIN: u32 = 50;
const TICK: Duration = Duration::from_millis(20);
/// Twenty seconds for a start, five for an end.
const TICKS: u32 = 1_000;

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;

    use super::*;

    /// `None`, said aloud, where the programs are not installed.
    fn server(kind: Kind, disk: Disk) -> Option<Server> {
        match Server::start(kind, disk, &|| false) {
            Ok(server) => Some(server),
            Err(error @ (Error::Missing { .. } | Error::NoOwner)) => {
                #[expect(clippy::print_stderr, reason = "a test that says why it is skipped")]
                {
                    eprintln!("SKIPPED: {error}");
                }
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn is_up(server: &Server) -> bool {
        TcpStream::connect(server.address()).is_ok()
    }

    fn redis(server: &Server, command: &str) -> String {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        write!(stream, "{command}\r\nQUIT\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn a_dropped_server_is_gone_with_its_data() {
        for kind in [Kind::Redis, Kind::Postgres] {
            let Some(server) = server(kind, Disk::Nothing) else {
                continue;
            };
            assert!(is_up(&server), "{kind:?}");
            let (address, data) = (server.address(), server.data.path().to_owned());
            drop(server);
            assert!(TcpStream::connect(address).is_err(), "{kind:?}");
            assert!(!data.exists(), "{kind:?}");
        }
    }

    #[test]
    fn a_killed_server_is_down_until_it_is_restarted_at_the_same_address() {
        for kind in [Kind::Redis, Kind::Postgres] {
            let Some(mut server) = server(kind, Disk::Nothing) else {
                continue;
            };
            let url = server.url();
            server.kill();
            assert!(!is_up(&server), "{kind:?}");
            server.restart(&|| false).unwrap();
            assert!(is_up(&server), "{kind:?}");
            assert_eq!(server.url(), url);
        }
    }

    #[test]
    fn what_redis_has_written_outlives_a_kill_where_it_is_to() {
        for (disk, kept) in [(Disk::Nothing, "$-1"), (Disk::Writes, "$1\r\nv")] {
            let Some(mut server) = server(Kind::Redis, disk) else {
                return;
            };
            assert!(redis(&server, "SET k v").starts_with("+OK"));
            server.kill();
            server.restart(&|| false).unwrap();
            let found = redis(&server, "GET k");
            assert!(found.starts_with(kept), "{disk:?}: {found}");
        }
    }

    #[test]
    fn an_interrupted_start_leaves_nothing_behind() {
        for kind in [Kind::Redis, Kind::Postgres] {
            match Server::start(kind, Disk::Nothing, &|| true) {
                Err(Error::Interrupted | Error::Missing { .. } | Error::NoOwner) => {}
                other => panic!("{kind:?}: {other:?}"),
            }
        }
    }
}
