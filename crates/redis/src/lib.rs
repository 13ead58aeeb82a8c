#![cfg_attr(
    any(feature = "idempotency", feature = "ratelimit", feature = "signing"),
    doc = include_str!("../README.md")
)]
#![cfg_attr(
    not(any(feature = "idempotency", feature = "ratelimit", feature = "signing")),
    doc = "Shared state for Seawall. Empty until a feature is chosen: `idempotency`, `ratelimit`, \
           `signing`."
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "idempotency", feature = "ratelimit", feature = "signing"))]
mod builder;
#[cfg(any(feature = "idempotency", feature = "ratelimit", feature = "signing"))]
mod error;
#[cfg(any(feature = "idempotency", feature = "ratelimit", feature = "signing"))]
mod eviction;
#[cfg(feature = "idempotency")]
mod idempotency;
#[cfg(any(feature = "idempotency", feature = "ratelimit", feature = "signing"))]
mod key;
#[cfg(any(feature = "idempotency", feature = "ratelimit", feature = "signing"))]
mod link;
#[cfg(feature = "ratelimit")]
mod ratelimit;
#[cfg(feature = "signing")]
mod signing;
#[cfg(any(feature = "idempotency", feature = "ratelimit", feature = "signing"))]
mod store;

#[cfg(any(feature = "idempotency", feature = "ratelimit", feature = "signing"))]
pub use builder::RedisStoreBuilder;
#[cfg(any(feature = "idempotency", feature = "ratelimit", feature = "signing"))]
pub use error::{ConnectError, Error};
#[cfg(any(feature = "idempotency", feature = "ratelimit", feature = "signing"))]
pub use eviction::{Eviction, Unsuited};
#[cfg(any(feature = "idempotency", feature = "ratelimit", feature = "signing"))]
pub use key::HashTag;
#[cfg(any(feature = "idempotency", feature = "ratelimit", feature = "signing"))]
pub use store::RedisStore;
