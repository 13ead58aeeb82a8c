//! Three masters on loopback, each with a replica.

use std::time::Duration;

use redis::{RedisResult, Value};
use seawall_redis::{RedisStore, RedisStoreBuilder};

use super::{PATIENCE, Server};

pub struct Cluster {
    /// Masters first; the replica of `nodes[i]` is `nodes[i + 3]`.
    nodes: Vec<Server>,
}

impl Cluster {
    pub async fn start() -> Option<Self> {
        let args = [
            "--cluster-enabled",
            "yes",
            "--cluster-node-timeout",
            "1000",
            "--cluster-replica-validity-factor",
            "0",
            "--repl-diskless-sync-delay",
            "0",
        ];
        let nodes: Option<Vec<_>> = (0..6).map(|_| Server::start(&args)).collect();
        let cluster = Self { nodes: nodes? };
        cluster.join().await.unwrap();
        Some(cluster)
    }

    async fn join(&self) -> RedisResult<()> {
        let first = self.nodes[0].port().to_string();
        for (i, node) in self.nodes.iter().enumerate() {
            node.command(&["CLUSTER", "SET-CONFIG-EPOCH", &(i + 1).to_string()])
                .await?;
            if i > 0 {
                node.command(&["CLUSTER", "MEET", "127.0.0.1", &first])
                    .await?;
            }
        }
        for (node, range) in self.nodes.iter().zip(RANGES) {
            let slots: Vec<_> = range.map(|slot| slot.to_string()).collect();
            let mut words = vec!["CLUSTER", "ADDSLOTS"];
            words.extend(slots.iter().map(String::as_str));
            node.command(&words).await?;
        }
        self.until("all know all", |info| {
            info.contains("cluster_known_nodes:6")
        })
        .await;
        for i in 0..3 {
            let master = self.id(i).await;
            self.nodes[i + 3]
                .command(&["CLUSTER", "REPLICATE", &master])
                .await?;
        }
        self.until("state is ok", |info| info.contains("cluster_state:ok"))
            .await;
        for i in 0..3 {
            let mut linked = false;
            for _ in 0..1_000 {
                let info = text(self.nodes[i + 3].command(&["INFO", "replication"]).await?);
                linked = info.contains("master_link_status:up");
                if linked {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            assert!(linked, "replica {i} does not follow its master");
        }
        Ok(())
    }

    async fn until(&self, what: &str, holds: impl Fn(&str) -> bool) {
        for node in &self.nodes {
            let mut good = false;
            for _ in 0..2_000 {
                good = holds(&text(node.command(&["CLUSTER", "INFO"]).await.unwrap()));
                if good {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            assert!(good, "cluster: {what}");
        }
    }

    pub async fn id(&self, node: usize) -> String {
        text(
            self.nodes[node]
                .command(&["CLUSTER", "MYID"])
                .await
                .unwrap(),
        )
    }

    pub fn node(&self, node: usize) -> &Server {
        &self.nodes[node]
    }

    pub fn kill(&mut self, node: usize) {
        self.nodes[node].kill();
    }

    /// A store that knows all the nodes, and is in no hurry.
    pub fn store(&self) -> RedisStoreBuilder {
        RedisStore::cluster(self.nodes.iter().map(Server::url))
            .connect_timeout(PATIENCE)
            .operation_timeout(PATIENCE)
    }
}

pub fn text(value: Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).unwrap(),
        Value::VerbatimString { text, .. } => text,
        other => format!("{other:?}"),
    }
}

const RANGES: [std::ops::Range<u16>; 3] = [0..5_461, 5_461..10_923, 10_923..16_384];
