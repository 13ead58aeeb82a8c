//! A shop to run and to ask.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running shop; killed when dropped.
pub(crate) struct Shop {
    pub(crate) api: String,
    pub(crate) admin: String,
    child: Child,
}

impl Shop {
    /// Starts a shop on free ports and waits for its two lines.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::spawn(args, Stdio::null())
    }

    fn spawn(args: &[&str], log: Stdio) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut address = |prefix: &str| {
            let line = lines.next().unwrap().unwrap();
            line.strip_prefix(prefix).unwrap().to_owned()
        };
        let api = address("listening on http://");
        let admin = address("admin on http://");
        Self { api, admin, child }
    }

    /// As [`start`](Self::start), with what it logs.
    pub(crate) fn start_logging(args: &[&str]) -> (Self, impl Iterator<Item = String> + use<>) {
        let mut shop = Self::spawn(args, Stdio::piped());
        let log = BufReader::new(shop.child.stderr.take().unwrap()).lines();
        (shop, log.map(Result::unwrap))
    }

    /// Sends a signal and lets it run.
    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .arg(format!("-{signal}"))
            .arg(self.child.id().to_string())
            .status();
        assert!(sent.unwrap().success());
    }

    /// Sends a signal and waits for the exit code.
    pub(crate) fn stop(self, signal: &str) -> Option<i32> {
        self.signal(signal);
        self.wait()
    }

    pub(crate) fn wait(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // Already gone after `wait`, and then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a shop that is not to start: exit code, stdout, stderr.
pub(crate) fn finished(args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(PROGRAM).args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// One request on a connection of its own; the whole answer as text.
pub(crate) fn ask(address: &str, line: &str, body: &str) -> String {
    ask_with(address, line, "", body)
}

/// The same with more header lines, each with its end.
pub(crate) fn ask_with(address: &str, line: &str, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let length = body.len();
    write!(
        stream,
        "{line} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_shop");
