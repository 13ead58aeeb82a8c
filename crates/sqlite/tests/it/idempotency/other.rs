//! Another process: the test binary runs itself.

use std::env;
use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// Another process, which is killed when the test is done with it.
pub(crate) struct Other {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// What the other process was told.
pub(crate) const PATH: &str = "SEAWALL_SQLITE_TEST";
pub(crate) const WHAT: &str = "SEAWALL_SQLITE_TEST_WHAT";

impl Other {
    /// Runs `test`, which is an ignored one, and tells it `what`.
    pub(crate) fn start(test: &str, path: &Path, what: &str) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([test, "--exact", "--ignored", "--nocapture"])
            .env(PATH, path)
            .env(WHAT, what)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    pub(crate) fn wait_for(&mut self, word: &str) {
        let mut read = Vec::new();
        for line in &mut self.lines {
            read.push(line.unwrap());
            if read.last().unwrap().contains(word) {
                return;
            }
        }
        panic!("the other process never said `{word}` but {read:?}");
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// With SIGKILL, which nobody hears.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn signal(pid: u32, name: &str) {
    let pid = pid.to_string();
    let sent = Command::new("kill")
        .args(["-s", name, &pid])
        .status()
        .unwrap();
    assert!(sent.success(), "kill -s {name} {pid}");
}
