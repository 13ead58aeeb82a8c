//! The sections about shared state: `[store]` and `[limits.on_store_error]`.

use std::num::NonZeroU32;
use std::path::PathBuf;

use seawall_ratelimit::OnStoreError;
use serde::Deserialize;

use super::Span;
use crate::store::Location;

/// `[store]`: where shared state lives, and how long it may take.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// As `--store`, which wins.
    pub location: Location,
    /// Keeps this service's state apart from others' in the same place.
    pub namespace: String,
    /// How long a decision of rate limits may wait for the store.
    pub decide_within: Span,
    /// How long a webhook, or a request with an idempotency key, may wait until the store has
    /// remembered it.
    pub claim_within: Span,
    /// The SQLite file of the ledger, where it is not in the store itself. In a temporary directory
    /// unless given.
    pub ledger: Option<PathBuf>,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            location: Location::default(),
            namespace: "shop".to_owned(),
            decide_within: Span::from_millis(250),
            claim_within: Span::from_secs(2),
            ledger: None,
        }
    }
}

/// `[limits.on_store_error]`: what each limit does while the store is out of reach: `"fail_open"`,
/// `"fail_closed"` or `{ local = { replicas = 2 } }`.
///
/// There is no such choice for accepted webhooks: one that cannot be remembered is refused with 503,
/// and its sender tries again.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OnStoreErrors {
    /// All of `/api`.
    pub api: OnStoreError,
    /// `POST /api/expensive-operation`.
    pub expensive_operation: OnStoreError,
    /// `POST /api/send-email`.
    pub send_email: OnStoreError,
    /// `POST /api/projects/{project_id}/builds`, both of its limits.
    pub builds: OnStoreError,
}

impl Default for OnStoreErrors {
    fn default() -> Self {
        let replicas = NonZeroU32::MIN;
        Self {
            // An outage of the store should not become one of the service.
            api: OnStoreError::FailOpen,
            builds: OnStoreError::FailOpen,
            // What costs money or a name is still counted, by this process alone.
            expensive_operation: OnStoreError::Local { replicas },
            send_email: OnStoreError::Local { replicas },
        }
    }
}
