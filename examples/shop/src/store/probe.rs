//! Whether the shared store answers: what `/readyz` tells of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use seawall_postgres::PostgresStore;
use seawall_ratelimit::{BoxStore, Limiter, Quota};

/// Asks the store what a decision asks it, and charges nothing.
#[derive(Clone, Debug)]
pub struct Probe {
    kind: &'static str,
    limiter: Arc<Limiter<BoxStore>>,
    schema: Option<Schema>,
}

/// The tables of a database that was perhaps out of reach when the shop started.
#[derive(Clone, Debug)]
struct Schema {
    store: PostgresStore,
    is_there: Arc<AtomicBool>,
}

impl Probe {
    pub(super) fn new(kind: &'static str, limits: BoxStore) -> Self {
        // What nothing else counts by, and this does not either.
        let limiter = Limiter::new(limits, Quota::per_hour(1));
        Self {
            kind,
            limiter: Arc::new(limiter),
            schema: None,
        }
    }

    pub(super) fn migrating(self, store: PostgresStore) -> Self {
        let schema = Schema {
            store,
            is_there: Arc::default(),
        };
        Self {
            schema: Some(schema),
            ..self
        }
    }

    /// What the check is called: the kind of store.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.kind
    }

    /// Asks. Makes the tables first, where that has not been possible yet.
    ///
    /// # Errors
    ///
    /// When the store does not answer, or refuses to.
    pub async fn ask(&self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        if let Some(schema) = &self.schema {
            // Relaxed: it orders nothing, and making tables twice does no harm.
            if !schema.is_there.load(Ordering::Relaxed) {
                schema.store.migrate().await?;
                schema.is_there.store(true, Ordering::Relaxed);
            }
        }
        self.limiter.peek("readiness").await.map(drop)?;
        Ok(())
    }
}
