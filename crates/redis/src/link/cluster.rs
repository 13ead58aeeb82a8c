//! The masters of a Redis Cluster, and which errors of theirs allow to send a command again.
//!
//! The driver would send a command again after a broken connection. That could repeat a refund,
//! which would give away what others use; so its retries are off, and only what a server says it did
//! not carry out goes out again.

use std::time::Duration;

use redis::aio::ConnectionLike;
use redis::cluster::{ClusterClient, ClusterConfig};
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo, SingleNodeRoutingInfo};
use redis::{Cmd, ErrorKind, Pipeline, RedisError, RedisResult, ServerErrorKind, Value};

use super::{Timeouts, flat, tcp};
use crate::error::ConnectError;

#[derive(Clone)]
pub(super) struct Nodes(ClusterConnection);

impl Nodes {
    pub(super) fn new(urls: &[String], timeouts: Timeouts) -> Result<Self, ConnectError> {
        let client = ClusterClient::builder(urls.iter().map(String::as_str))
            .retries(0)
            .connection_timeout(timeouts.connect)
            .response_timeout(timeouts.operation)
            .overall_response_timeout(Some(timeouts.operation.max(timeouts.connect)))
            .tcp_settings(tcp())
            .build()
            .map_err(ConnectError::address)?;
        let config = ClusterConfig::new()
            .set_connection_timeout(timeouts.connect)
            .set_response_timeout(timeouts.operation);
        Ok(Self(
            client.get_pending_async_connection_with_config(config),
        ))
    }

    pub(super) async fn send(&self, command: &Cmd) -> RedisResult<Value> {
        let mut nodes = self.0.clone();
        for pause in PAUSES {
            let result = nodes.req_packed_command(command).await;
            let error = match flat(result) {
                Err(error) => error,
                done => return done,
            };
            match error.kind() {
                // The slot is on its way to another master, and this key is there already or new.
                ErrorKind::Server(ServerErrorKind::Ask) => {
                    if let Some((host, port)) = asked(&error) {
                        return ask(&mut nodes, command, host, port).await;
                    }
                }
                // The driver is fetching the new map; the next attempt waits for it.
                ErrorKind::Server(
                    ServerErrorKind::Moved | ServerErrorKind::ReadOnly | ServerErrorKind::TryAgain,
                ) => tokio::time::sleep(pause).await,
                _ => return Err(error),
            }
        }
        flat(nodes.req_packed_command(command).await)
    }

    /// Asks each master once.
    pub(super) async fn send_to_all(&self, command: &Cmd) -> RedisResult<Vec<Value>> {
        let masters = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
        let answer = self.0.clone().route_command(command.clone(), masters).await;
        match flat(answer)? {
            Value::Map(answers) => answers.into_iter().map(|(_, a)| flat(Ok(a))).collect(),
            other => Ok(vec![other]),
        }
    }
}

fn asked(error: &RedisError) -> Option<(String, u16)> {
    let (address, _slot) = error.redirect_node()?;
    let (host, port) = address.rsplit_once(':')?;
    Some((host.to_owned(), port.parse().ok()?))
}

/// One command, sent to whom we were pointed at, right behind the word that allows it.
async fn ask(
    nodes: &mut ClusterConnection,
    command: &Cmd,
    host: String,
    port: u16,
) -> RedisResult<Value> {
    let mut pipeline = Pipeline::new();
    pipeline.cmd("ASKING").add_command(command.clone());
    let to = SingleNodeRoutingInfo::ByAddress { host, port };
    let mut values = nodes.route_pipeline(pipeline, 0, 2, to).await?;
    flat(Ok(values.pop().unwrap_or(Value::Nil)))
}

/// How long to wait before each further attempt; the operation timeout cuts them short.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(1),
    Duration::from_millis(10),
    Duration::from_millis(30),
];
