//! From a location to stores that can be used.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use seawall_idempotency::BoxStore as BoxRecords;
use seawall_postgres::PostgresStore;
use seawall_ratelimit::{BoxStore, MemoryStore};
use seawall_redis::RedisStore;
use seawall_signing::{BoxNonceStore, MemoryNonceStore};
use seawall_sqlite::SqliteStore;
use seawall_telemetry::Metrics;
use tempfile::TempDir;
use throwaway::{Disk, Kind, Server};
use tokio::{task, time};

use super::{Location, Probe, Url};
use crate::config::Config;
use crate::ledger::{Ledger, LedgerError, Once};

/// How many callers the limits remember at once in memory; 24 bytes each, allocated at the start.
const CALLERS: usize = 200_000;

/// Everything that is kept for longer than a request, each behind one type.
#[derive(Debug)]
pub struct Stores {
    /// The counts of rate limits.
    pub limits: BoxStore,
    /// The webhooks that were accepted.
    pub nonces: BoxNonceStore,
    /// What requests with idempotency keys were answered.
    pub records: BoxRecords,
    /// The charges.
    pub ledger: Ledger,
    /// Keeps this service's state apart from others' in the same place.
    pub namespace: String,
    /// Whether a server that is not part of this process answers.
    pub probe: Option<Probe>,
    /// Dropped last: what the stores stand on.
    _ground: Ground,
}

#[derive(Debug, Default)]
struct Ground {
    _server: Option<Server>,
    _folder: Option<TempDir>,
}

impl Stores {
    /// Everything in memory but the ledger, for a service that has to stand alone.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be opened.
    pub fn in_memory(config: &Config) -> Result<Self, OpenError> {
        let (ledger, folder) = ledger(config)?;
        Ok(Self {
            limits: memory(),
            nonces: BoxNonceStore::new(MemoryNonceStore::with_capacity(config.webhooks.remembered)),
            records: BoxRecords::new(seawall_idempotency::MemoryStore::new()),
            ledger,
            namespace: config.store.namespace.clone(),
            probe: None,
            _ground: Ground {
                _server: None,
                _folder: folder,
            },
        })
    }
}

/// Opens what `config.store` names. A server that does not answer is no error: the service starts,
/// says so on `/readyz`, and each policy does what it does on any other day without a store.
///
/// # Errors
///
/// When the address is unusable, the file cannot be opened, or a throw-away server does not start.
pub async fn open(config: &Config, metrics: &Metrics) -> Result<Stores, OpenError> {
    match config.store.location.clone() {
        Location::Memory => Stores::in_memory(config),
        Location::Sqlite(path) => sqlite(config, path, metrics),
        Location::Redis(url) => {
            let (url, server) = at_server(Kind::Redis, url).await?;
            redis(config, &url, server, metrics)
        }
        Location::Postgres(url) => {
            let (url, server) = at_server(Kind::Postgres, url).await?;
            postgres(config, &url, server, metrics).await
        }
    }
}

/// The ledger of a shop whose records are elsewhere, and the folder that it is in, where that is a
/// temporary one.
///
/// # Errors
///
/// When the file cannot be opened.
pub(crate) fn ledger(config: &Config) -> Result<(Ledger, Option<TempDir>), OpenError> {
    let (path, folder) = match &config.store.ledger {
        Some(path) => (path.clone(), None),
        None => {
            let folder = temporary()?;
            (folder.path().join("ledger.db"), Some(folder))
        }
    };
    Ok((ledger_at(&path, Once::Apart)?, folder))
}

fn ledger_at(path: &Path, once: Once) -> Result<Ledger, OpenError> {
    Ledger::sqlite(path, once).map_err(|error| OpenError::ledger(path, &error))
}

fn temporary() -> Result<TempDir, OpenError> {
    let folder = tempfile::Builder::new().prefix("shop-").tempdir();
    folder.map_err(|error| OpenError::failed("sqlite", "a temporary directory", error))
}

fn memory() -> BoxStore {
    BoxStore::new(MemoryStore::new(CALLERS))
}

/// Rate limits stay in memory: a write to the disk a request would cost more than it guards.
fn sqlite(config: &Config, path: Option<PathBuf>, metrics: &Metrics) -> Result<Stores, OpenError> {
    let (path, folder) = match path {
        Some(path) => (path, None),
        None => {
            let folder = temporary()?;
            (folder.path().join("shop.db"), Some(folder))
        }
    };
    let remembered = u64::try_from(config.webhooks.remembered).unwrap_or(u64::MAX);
    let store = SqliteStore::builder(&path)
        .operation_timeout(config.store.claim_within.get())
        .nonces(remembered)
        .open()
        .map_err(|error| OpenError::unusable(&path, &error))?;
    let store = metrics.timed("sqlite", store);
    Ok(Stores {
        limits: memory(),
        records: BoxRecords::new(store.clone()),
        nonces: BoxNonceStore::new(store),
        ledger: ledger_at(&path, Once::Together)?,
        namespace: config.store.namespace.clone(),
        probe: None,
        _ground: Ground {
            _server: None,
            _folder: folder,
        },
    })
}

fn redis(
    config: &Config,
    url: &str,
    server: Option<Server>,
    metrics: &Metrics,
) -> Result<Stores, OpenError> {
    let within = |limit: Duration| {
        RedisStore::builder(url)
            .operation_timeout(limit)
            .build()
            .map_err(|error| OpenError::address("redis", &error))
    };
    let limits = within(config.store.decide_within.get())?;
    let limits = BoxStore::new(metrics.timed("redis", limits));
    let nonces = within(config.store.claim_within.get())?;
    let namespace = config.store.namespace.clone();
    // A server of our own has no bound and ends with us.
    if server.is_none() {
        task::spawn(warn_of_eviction(nonces.clone()));
    }
    let nonces = metrics.timed("redis", nonces);
    let (ledger, folder) = ledger(config)?;
    Ok(Stores {
        probe: Some(Probe::new("redis", limits.clone())),
        limits,
        records: BoxRecords::new(nonces.clone()),
        nonces: BoxNonceStore::new(nonces),
        ledger,
        namespace,
        _ground: Ground {
            _server: server,
            _folder: folder,
        },
    })
}

/// A record that is evicted is a payment that is made twice; and where nothing is evicted, a flood of
/// callers fills the memory, and payments are refused. One Redis for both suits one of them at most. One
/// that is out of reach is asked again at the next start.
async fn warn_of_eviction(store: RedisStore) {
    let Ok(eviction) = store.eviction().await else {
        return;
    };
    if let Err(unsuited) = eviction.suits_records() {
        tracing::warn!(%unsuited, "the records of idempotency keys are not safe in this Redis");
    }
    if let Err(unsuited) = eviction.suits_limits() {
        tracing::warn!(
            %unsuited,
            "rate limits and the records of idempotency keys share this Redis: give limits a server \
             of their own"
        );
    }
}

async fn postgres(
    config: &Config,
    url: &str,
    server: Option<Server>,
    metrics: &Metrics,
) -> Result<Stores, OpenError> {
    let within = |limit: Duration| {
        PostgresStore::builder(url)
            .operation_timeout(limit)
            .build()
            .map_err(|error| OpenError::address("postgres", &error))
    };
    let store = within(config.store.decide_within.get())?;
    let nonces = metrics.timed("postgres", within(config.store.claim_within.get())?);
    let limits = BoxStore::new(metrics.timed("postgres", store.clone()));
    let namespace = config.store.namespace.clone();
    let probe = Probe::new("postgres", limits.clone()).migrating(store);
    // Who is out of reach now is asked again by the check behind `/readyz`.
    match time::timeout(MIGRATE, probe.ask()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the store is not ready yet"),
        Err(_) => tracing::warn!("the store has not answered within {MIGRATE:?}"),
    }
    Ok(Stores {
        records: BoxRecords::new(nonces.clone()),
        ledger: Ledger::postgres(url)
            .map_err(|error| OpenError::failed("postgres", "a ledger", error))?,
        nonces: BoxNonceStore::new(nonces),
        probe: Some(probe),
        limits,
        namespace,
        _ground: Ground {
            _server: server,
            _folder: None,
        },
    })
}

const MIGRATE: Duration = Duration::from_secs(5);

/// The address that was given, or that of a server of our own.
async fn at_server(kind: Kind, url: Option<Url>) -> Result<(String, Option<Server>), OpenError> {
    if let Some(url) = url {
        return Ok((url.expose().to_owned(), None));
    }
    let start = move || Server::start(kind, Disk::Writes, &|| false);
    let started = task::spawn_blocking(start).await;
    let server = started
        .map_err(|error| OpenError::failed(kind.name(), "a server", error))?
        .map_err(|error| OpenError::failed(kind.name(), "a server that can be started", error))?;
    Ok((server.url(), Some(server)))
}

/// Why there is no store: always something to set right on this machine or in the configuration.
#[derive(Debug)]
pub struct OpenError {
    store: String,
    expected: String,
}

impl OpenError {
    fn address(kind: &str, error: &dyn Error) -> Self {
        // The driver's cause may quote the address, and with it a password.
        let told = error.to_string();
        let expected = told.strip_prefix("expected ").unwrap_or(&told).to_owned();
        Self {
            store: format!("{kind}://…"),
            expected,
        }
    }

    fn unusable(path: &Path, error: &seawall_sqlite::OpenError) -> Self {
        let cause = error
            .source()
            .map_or_else(String::new, |cause| format!(": {cause}"));
        Self {
            store: format!("sqlite:{}", path.display()),
            expected: format!("a usable file, but {error}{cause}"),
        }
    }

    fn ledger(path: &Path, error: &LedgerError) -> Self {
        let cause = error
            .source()
            .map_or_else(String::new, |cause| format!(": {cause}"));
        Self {
            store: format!("ledger {}", path.display()),
            expected: format!("a usable file, but {error}{cause}"),
        }
    }

    fn failed(kind: &str, expected: &str, error: impl fmt::Display) -> Self {
        Self {
            store: kind.to_owned(),
            expected: format!("{expected}: {error}"),
        }
    }

    /// What was given, without secrets.
    #[must_use]
    pub fn store(&self) -> &str {
        &self.store
    }

    /// What would have been accepted.
    #[must_use]
    pub fn expected(&self) -> &str {
        &self.expected
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { store, expected } = self;
        write!(f, "store `{store}`: expected {expected}")
    }
}

impl Error for OpenError {}
