//! What every request handler is given.

use std::ops::Deref;
use std::sync::Arc;

use crate::config::Config;
use crate::domain::Shop;
use crate::drain::Drain;
use crate::index::Index;
use crate::telemetry::Telemetry;

/// What every handler works with. It is cloned for each request, several times, by every core: so a
/// clone is one pointer.
#[derive(Clone, Debug)]
pub struct AppState(Arc<Shared>);

/// The business, its configuration and the drain state.
#[derive(Debug)]
pub struct Shared {
    /// The business itself.
    pub shop: Arc<Shop>,
    /// What the operator configured.
    pub config: Config,
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
        Self(Arc::new(Shared {
            index: config.index_at.map(Index::new),
            shop: Arc::new(Shop::new()),
            config,
            drain: Drain::default(),
            telemetry: Telemetry::new(),
        }))
    }
}

impl Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
