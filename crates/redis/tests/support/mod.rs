//! Real servers for the tests: one that is there already, or throw-away ones on free ports.
#![allow(
    dead_code,
    unused_imports,
    reason = "each test target uses its part of this"
)]

mod cluster;
mod proxy;
mod server;

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use seawall_redis::{RedisStore, RedisStoreBuilder};

pub use cluster::{Cluster, text};
pub use proxy::Proxy;
pub use server::{Server, command};

/// A server to keep counters on. `None`, said aloud, where there is none.
pub enum Redis {
    Given(String),
    Own(Server),
}

impl Redis {
    /// The server that the variable names, or one of our own.
    pub fn find() -> Option<Self> {
        match std::env::var("SEAWALL_REDIS_URL") {
            Ok(url) if !url.is_empty() => Some(Self::Given(url)),
            _ => Server::start(&[]).map(Self::Own),
        }
    }

    pub fn url(&self) -> String {
        match self {
            Self::Given(url) => url.clone(),
            Self::Own(server) => server.url(),
        }
    }
}

/// A store whose timeouts do not cut into a test on a busy machine.
pub fn patient(url: impl AsRef<str>) -> RedisStoreBuilder {
    RedisStore::builder(url)
        .connect_timeout(PATIENCE)
        .operation_timeout(PATIENCE)
}

/// A name that no other run uses.
pub fn unique() -> String {
    format!("run-{:x}", RandomState::new().hash_one(0))
}

pub const PATIENCE: Duration = Duration::from_secs(20);
