//! A shop as a child process: started, found, ended.

use std::env;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time;

use super::health::Mending;
use super::{Framework, Side, Trouble};

/// One running shop.
///
/// However storm ends, the shop ends too: told to on the ordinary way out, killed when this value is
/// dropped (a panic, say), and by the end of its standard input when storm itself is killed.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) side: Side,
    /// What the hardened shops of this run are built on. The bare one is on axum, whatever it is.
    pub(crate) framework: Framework,
    pub(crate) api: SocketAddr,
    pub(super) admin: SocketAddr,
    pub(crate) pid: u32,
    /// Which of its dependencies are broken on purpose right now.
    pub(crate) mending: Arc<Mending>,
    child: Child,
}

impl Service {
    /// Starts a shop and waits until it listens.
    pub(crate) async fn start(
        side: Side,
        framework: Framework,
        config: &Path,
        log: &Path,
    ) -> Result<Self, Trouble> {
        let troubled = |error: std::io::Error| {
            Trouble::new(format!("the {} shop does not start: {error}", side.name()))
        };
        let program = env::current_exe().map_err(troubled)?;
        let mut command = Command::new(program);
        command
            .args(["serve", "--until-stdin-closes"])
            .args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
            .arg("--config")
            .arg(config)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(log).map_err(troubled)?)
            // Printing a backtrace for each planted panic would be measured as memory.
            .env("RUST_BACKTRACE", "0")
            // Ctrl-C is for storm, which then ends its children in good order.
            .process_group(0)
            .kill_on_drop(true);
        match side {
            Side::Bare => command.arg("--bare"),
            Side::Hardened => command.args(["--framework", framework.name()]),
        };
        let mut child = command.spawn().map_err(troubled)?;
        let stdout = child.stdout.take().expect("stdout is piped");
        let pid = child.id().expect("nobody has waited for the child yet");

        let ready = time::timeout(START, addresses(BufReader::new(stdout).lines())).await;
        let Ok(Some((api, admin))) = ready else {
            let _ = child.kill().await;
            return Err(Trouble::new(format!(
                "the {} shop does not start: {}",
                side.name(),
                last_words(log),
            )));
        };
        Ok(Self {
            side,
            framework,
            api,
            admin,
            pid,
            mending: Arc::default(),
            child,
        })
    }

    /// Whether the process still runs.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until the process ends by itself, and gives its exit code; `None` if it does not.
    pub(crate) async fn ended(&mut self, patience: Duration) -> Option<i32> {
        time::timeout(patience, self.child.wait())
            .await
            .ok()?
            .ok()?
            .code()
    }

    /// Ends the process as a crash would, and waits until it is gone.
    pub(super) async fn kill(&mut self) -> Result<(), Trouble> {
        let killed = self.child.kill().await;
        killed.map_err(|error| Trouble::new(format!("a shop that cannot be killed: {error}")))
    }

    /// Ends the process: by closing its input, which drains it, and by force when that takes long.
    pub(crate) async fn stop(mut self) {
        drop(self.child.stdin.take());
        if time::timeout(STOP, self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }
}

const START: Duration = Duration::from_secs(10);
const STOP: Duration = Duration::from_secs(2);

/// The two addresses that a shop prints once it listens.
async fn addresses(mut lines: Lines<BufReader<ChildStdout>>) -> Option<(SocketAddr, SocketAddr)> {
    let mut after = async |prefix: &str| {
        let line = lines.next_line().await.ok()??;
        line.strip_prefix(prefix)?.parse().ok()
    };
    let api = after("listening on http://").await?;
    let admin = after("admin on http://").await?;
    Some((api, admin))
}

fn last_words(log: &Path) -> String {
    let words = fs::read_to_string(log).unwrap_or_default();
    match words.lines().last() {
        Some(line) => line.to_owned(),
        None => format!("it said nothing ({})", PathBuf::from(log).display()),
    }
}
