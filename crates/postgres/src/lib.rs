#![cfg_attr(feature = "ratelimit", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "ratelimit"),
    doc = "Shared state for Seawall. Empty until a feature is chosen: `ratelimit`, `signing`."
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "ratelimit", feature = "signing"))]
mod builder;
#[cfg(any(feature = "ratelimit", feature = "signing"))]
mod error;
#[cfg(feature = "ratelimit")]
mod key;
#[cfg(any(feature = "ratelimit", feature = "signing"))]
mod link;
#[cfg(feature = "ratelimit")]
mod ratelimit;
#[cfg(feature = "signing")]
mod signing;
#[cfg(any(feature = "ratelimit", feature = "signing"))]
mod store;
#[cfg(any(feature = "ratelimit", feature = "signing"))]
mod sweeper;

#[cfg(any(feature = "ratelimit", feature = "signing"))]
pub use builder::PostgresStoreBuilder;
#[cfg(any(feature = "ratelimit", feature = "signing"))]
pub use error::{ConnectError, Error};
#[cfg(feature = "ratelimit")]
pub use ratelimit::SCHEMA as RATELIMIT_SCHEMA;
#[cfg(feature = "signing")]
pub use signing::SCHEMA as SIGNING_SCHEMA;
#[cfg(any(feature = "ratelimit", feature = "signing"))]
pub use store::PostgresStore;
