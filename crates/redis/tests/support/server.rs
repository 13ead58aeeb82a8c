//! One `redis-server` on loopback that keeps nothing, and can be killed, stopped and started again.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

pub struct Server {
    port: u16,
    args: Vec<String>,
    data: TempDir,
    child: Child,
}

impl Server {
    /// Starts a server; `None`, said aloud, where no program is installed.
    pub fn start(args: &[&str]) -> Option<Self> {
        let Some(program) = program() else {
            assert!(
                std::env::var_os("SEAWALL_REQUIRE_SERVERS").is_none_or(|value| value != "1"),
                "redis-server is not installed, and SEAWALL_REQUIRE_SERVERS=1"
            );
            eprintln!("SKIPPED: redis-server is not installed");
            return None;
        };
        let args: Vec<_> = args.iter().map(|arg| (*arg).to_owned()).collect();
        for port in free_ports().take(5) {
            let data = tempfile::tempdir().unwrap();
            let child = spawn(&program, port, data.path(), &args);
            let mut server = Self {
                port,
                args: args.clone(),
                data,
                child,
            };
            if server.wait() {
                return Some(server);
            }
        }
        panic!("redis-server does not start");
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn restart(&mut self) {
        self.child = spawn(&program().unwrap(), self.port, self.data.path(), &self.args);
        assert!(self.wait(), "redis-server does not start again");
    }

    /// Stops the process where it stands; its sockets stay open.
    pub fn freeze(&self) {
        kill_process(Pid::from_child(&self.child), Signal::STOP).unwrap();
    }

    pub fn thaw(&self) {
        kill_process(Pid::from_child(&self.child), Signal::CONT).unwrap();
    }

    pub async fn command(&self, words: &[&str]) -> redis::RedisResult<redis::Value> {
        command(&self.url(), words).await
    }

    /// Whether it answers before long.
    fn wait(&mut self) -> bool {
        for _ in 0..1_000 {
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            if answers_ping(self.port).unwrap_or(false) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub async fn command(url: &str, words: &[&str]) -> redis::RedisResult<redis::Value> {
    let client = redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await?;
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    command.query_async(&mut connection).await
}

fn spawn(program: &PathBuf, port: u16, data: &std::path::Path, args: &[String]) -> Child {
    Command::new(program)
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--dir"])
        .arg(data)
        .args(["--save", "", "--appendonly", "no"])
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn answers_ping(port: u16) -> std::io::Result<bool> {
    use std::io::{Read as _, Write as _};
    let limit = Duration::from_millis(500);
    let mut stream = std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(limit))?;
    stream.write_all(b"PING\r\n")?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer)?;
    Ok(&answer == b"+PONG")
}

/// Ports below those of outgoing connections, with the one 10,000 above free for the Cluster bus.
pub fn free_ports() -> impl Iterator<Item = u16> {
    use std::hash::{BuildHasher, RandomState};
    let start = u16::try_from(RandomState::new().hash_one(1) % 10_000).unwrap();
    let is_free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    (0..10_000)
        .map(move |step| 12_000 + (start + step) % 10_000)
        .filter(move |port| is_free(*port) && is_free(*port + 10_000))
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = ["redis-server", "valkey-server"];
    let mut candidates =
        std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    candidates.find(|candidate| candidate.is_file())
}
