//! The way to the servers: one connection to one server, or one to each master of a Cluster; and how
//! long anything may take on it.

#[cfg(feature = "cluster")]
mod cluster;

use std::fmt;
use std::future::Future;
use std::time::Duration;

use redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig};
use redis::io::tcp::TcpSettings;
use redis::{Client, Cmd, IntoConnectionInfo, RedisResult, Value};

use crate::error::{ConnectError, Error};

/// How long a connection, and how long a call, may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    pub(crate) connect: Duration,
    pub(crate) operation: Duration,
}

#[derive(Clone)]
pub(crate) struct Link {
    wire: Wire,
    timeouts: Timeouts,
}

#[derive(Clone)]
enum Wire {
    Single(ConnectionManager),
    #[cfg(feature = "cluster")]
    Cluster(cluster::Nodes),
}

impl Link {
    pub(crate) fn single(url: &str, timeouts: Timeouts) -> Result<Self, ConnectError> {
        let info = url.into_connection_info().map_err(ConnectError::address)?;
        let client = Client::open(info.set_tcp_settings(tcp())).map_err(ConnectError::address)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(timeouts.connect))
            // `send` bounds the whole call, the wait for a connection included.
            .set_response_timeout(None)
            // A server that refuses connections is unavailable now, and the next call tries again:
            // so calls fail at once while it is down, and succeed at once when it is back.
            .set_number_of_retries(0);
        let manager = ConnectionManager::new_lazy_with_config(client, config)
            .map_err(ConnectError::address)?;
        Ok(Self {
            wire: Wire::Single(manager),
            timeouts,
        })
    }

    #[cfg(feature = "cluster")]
    pub(crate) fn cluster(urls: &[String], timeouts: Timeouts) -> Result<Self, ConnectError> {
        let nodes = cluster::Nodes::new(urls, timeouts)?;
        Ok(Self {
            wire: Wire::Cluster(nodes),
            timeouts,
        })
    }

    /// Waits until there is a connection.
    pub(crate) async fn reach(&self, limit: Duration) -> Result<(), ConnectError> {
        let ping = redis::cmd("PING");
        match tokio::time::timeout(limit, self.wire.send(&ping)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(ConnectError::unreachable(error)),
            Err(_) => Err(ConnectError::timeout(limit)),
        }
    }

    /// Sends the command that `make` makes, within the operation timeout. It is never sent again
    /// after a broken connection, since it may have been carried out; only if the server itself says
    /// that it was not.
    pub(crate) async fn call(&self, script: &Script, rest: &Rest) -> Result<Value, Error> {
        self.within(async {
            match self.wire.send(&rest.by_hash(script)).await {
                // The server was restarted, or has become the master, since it last saw the script.
                Err(error) if is_no_script(&error) => self.wire.send(&rest.by_text(script)).await,
                done => done,
            }
        })
        .await
    }

    /// Sends the command to the server, or to each master of a Cluster, within the operation timeout.
    pub(crate) async fn ask_all(&self, command: &Cmd) -> Result<Vec<Value>, Error> {
        self.within(self.wire.send_to_all(command)).await
    }

    async fn within<T>(&self, call: impl Future<Output = RedisResult<T>>) -> Result<T, Error> {
        let limit = self.timeouts.operation;
        match tokio::time::timeout(limit, call).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(Error::timeout(limit)),
        }
    }

    #[cfg(all(feature = "cluster", feature = "ratelimit"))]
    pub(crate) const fn is_cluster(&self) -> bool {
        matches!(self.wire, Wire::Cluster(_))
    }
}

impl Wire {
    async fn send(&self, command: &Cmd) -> RedisResult<Value> {
        match self {
            Self::Single(manager) => flat(manager.clone().req_packed_command(command).await),
            #[cfg(feature = "cluster")]
            Self::Cluster(nodes) => nodes.send(command).await,
        }
    }

    async fn send_to_all(&self, command: &Cmd) -> RedisResult<Vec<Value>> {
        match self {
            Self::Single(_) => Ok(vec![self.send(command).await?]),
            #[cfg(feature = "cluster")]
            Self::Cluster(nodes) => nodes.send_to_all(command).await,
        }
    }
}

/// An error that the server answered, as an error.
fn flat(result: RedisResult<Value>) -> RedisResult<Value> {
    match result {
        Ok(Value::ServerError(error)) => Err(error.into()),
        result => result,
    }
}

fn is_no_script(error: &redis::RedisError) -> bool {
    error.kind() == redis::ErrorKind::Server(redis::ServerErrorKind::NoScript)
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wire = match self.wire {
            Wire::Single(_) => "single",
            #[cfg(feature = "cluster")]
            Wire::Cluster(_) => "cluster",
        };
        f.debug_struct("Link")
            .field("wire", &wire)
            .field("timeouts", &self.timeouts)
            .finish()
    }
}

/// A script, which Redis knows by its SHA-1.
pub(crate) struct Script {
    text: &'static str,
    hash: String,
}

impl Script {
    pub(crate) fn new(text: &'static str) -> Self {
        Self {
            text,
            hash: redis::Script::new(text).get_hash().to_owned(),
        }
    }
}

/// What a script is called with.
pub(crate) struct Rest {
    pub(crate) keys: Vec<crate::key::Key>,
    /// Arguments, written one after the other.
    pub(crate) args: Vec<u8>,
    /// Where each of them ends.
    pub(crate) ends: Vec<usize>,
}

impl Rest {
    pub(crate) fn with_capacity(keys: usize, args: usize) -> Self {
        Self {
            keys: Vec::with_capacity(keys),
            args: Vec::with_capacity(args * 12),
            ends: Vec::with_capacity(args),
        }
    }

    pub(crate) fn push(&mut self, arg: impl fmt::Display) {
        use std::io::Write as _;
        let Ok(()) = write!(self.args, "{arg}") else {
            return;
        };
        self.ends.push(self.args.len());
    }

    /// Appends bytes as they are.
    #[cfg(feature = "idempotency")]
    pub(crate) fn push_bytes(&mut self, arg: &[u8]) {
        self.args.extend_from_slice(arg);
        self.ends.push(self.args.len());
    }

    fn by_hash(&self, script: &Script) -> Cmd {
        self.command("EVALSHA", &script.hash)
    }

    fn by_text(&self, script: &Script) -> Cmd {
        self.command("EVAL", script.text)
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let bytes = name.len() + script.len() + self.keys.len() * 26 + self.args.len() + 8;
        let mut command = Cmd::with_capacity(3 + self.keys.len() + self.ends.len(), bytes);
        command.arg(name).arg(script).arg(self.keys.len());
        for key in &self.keys {
            command.arg(&key[..]);
        }
        let mut start = 0;
        for &end in &self.ends {
            command.arg(&self.args[start..end]);
            start = end;
        }
        command
    }
}

/// Small writes go out at once; and a peer that vanished without a word (a dead machine, a lost
/// route) is noticed in seconds, where the system's own patience is a quarter of an hour.
fn tcp() -> TcpSettings {
    let settings = TcpSettings::default().set_nodelay(true);
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    let settings = settings.set_user_timeout(Duration::from_secs(3));
    settings
}
