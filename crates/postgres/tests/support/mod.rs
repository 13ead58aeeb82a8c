//! Real servers for the tests: one that is there already, or throw-away ones on free ports.
#![allow(dead_code, reason = "each test target uses its part of this")]

mod server;

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use seawall_postgres::{PostgresStore, PostgresStoreBuilder};

pub use server::Server;

/// A database to keep counters in. `None`, said aloud, where there is none.
pub enum Postgres {
    Given(String),
    Own(Arc<Server>),
}

impl Postgres {
    /// The database that the variable names, or one of our own.
    pub fn find() -> Option<Self> {
        match std::env::var("SEAWALL_POSTGRES_URL") {
            Ok(url) if !url.is_empty() => Some(Self::Given(url)),
            _ => shared().map(Self::Own),
        }
    }

    pub fn url(&self) -> String {
        match self {
            Self::Given(url) => url.clone(),
            Self::Own(server) => server.url(),
        }
    }
}

/// One server for all tests that run at the same time: making one takes a second of work.
fn shared() -> Option<Arc<Server>> {
    static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    let mut shared = SHARED
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(server) = shared.upgrade() {
        return Some(server);
    }
    let server = Arc::new(Server::start()?);
    *shared = Arc::downgrade(&server);
    Some(server)
}

/// A store whose timeouts do not cut into a test on a busy machine.
pub fn patient(url: impl AsRef<str>) -> PostgresStoreBuilder {
    PostgresStore::builder(url)
        .connect_timeout(PATIENCE)
        .operation_timeout(PATIENCE)
}

/// A patient store whose tables are there.
pub async fn migrated(url: impl AsRef<str>) -> PostgresStore {
    let store = patient(url).connect().await.unwrap();
    store.migrate().await.unwrap();
    store
}

/// A name that no other run uses.
pub fn unique() -> String {
    format!("run-{:x}", RandomState::new().hash_one(0))
}

pub const PATIENCE: Duration = Duration::from_secs(20);
