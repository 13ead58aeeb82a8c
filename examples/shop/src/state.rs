//! What every request handler is given.

use std::sync::Arc;

use crate::config::Config;
use crate::domain::Shop;
use crate::drain::Drain;
use crate::index::Index;
use crate::telemetry::Telemetry;

/// The business, its configuration and the drain state; a clone is a few pointers.
#[derive(Clone, Debug)]
pub struct AppState {
    /// The business itself.
    pub shop: Arc<Shop>,
    /// What the operator configured.
    pub config: Arc<Config>,
    /// Whether the service has been told to stop.
    pub drain: Drain,
    /// What is counted, where the guards are; the bare shop has none.
    pub telemetry: Telemetry,
    /// The index, where another service holds it.
    pub(crate) index: Option<Index>,
}

impl AppState {
    /// A fresh shop with this configuration.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            index: config.index_at.map(Index::new),
            shop: Arc::new(Shop::new()),
            config: Arc::new(config),
            drain: Drain::default(),
            telemetry: Telemetry::new(),
        }
    }
}
