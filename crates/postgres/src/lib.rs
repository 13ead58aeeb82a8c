// Its first example needs this feature, and hides no line that would say so.
#![cfg_attr(feature = "ratelimit", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "ratelimit"),
    doc = "Shared state for Seawall in Postgres, a feature for each leaf: `idempotency`, `ratelimit`, \
           `signing`. Empty until one is chosen; the whole page is shown with `ratelimit`."
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "ratelimit", feature = "signing", feature = "idempotency"))]
mod builder;
#[cfg(any(feature = "ratelimit", feature = "signing", feature = "idempotency"))]
mod error;
#[cfg(feature = "idempotency")]
mod idempotency;
#[cfg(feature = "ratelimit")]
mod key;
#[cfg(any(feature = "ratelimit", feature = "signing", feature = "idempotency"))]
mod link;
#[cfg(feature = "ratelimit")]
mod ratelimit;
#[cfg(feature = "signing")]
mod signing;
#[cfg(any(feature = "ratelimit", feature = "signing", feature = "idempotency"))]
mod store;
#[cfg(any(feature = "ratelimit", feature = "signing", feature = "idempotency"))]
mod sweeper;

#[cfg(any(feature = "ratelimit", feature = "signing", feature = "idempotency"))]
pub use builder::PostgresStoreBuilder;
#[cfg(any(feature = "ratelimit", feature = "signing", feature = "idempotency"))]
pub use error::{ConnectError, Error};
#[cfg(feature = "idempotency")]
#[cfg_attr(docsrs, doc(cfg(feature = "idempotency")))]
pub use idempotency::{CompleteError, SCHEMA as IDEMPOTENCY_SCHEMA, complete_in};
#[cfg(feature = "ratelimit")]
pub use ratelimit::SCHEMA as RATELIMIT_SCHEMA;
#[cfg(feature = "signing")]
pub use signing::SCHEMA as SIGNING_SCHEMA;
#[cfg(any(feature = "ratelimit", feature = "signing", feature = "idempotency"))]
pub use store::PostgresStore;
/// The driver, of the version whose transactions [`complete_in`] takes.
#[cfg(feature = "idempotency")]
#[cfg_attr(docsrs, doc(cfg(feature = "idempotency")))]
pub use tokio_postgres;
