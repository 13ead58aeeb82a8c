// Its first example needs this feature, and hides no line that would say so.
#![cfg_attr(feature = "ratelimit", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "ratelimit"),
    doc = "Shared state for Seawall in Redis, a feature for each leaf: `idempotency`, `ratelimit`, `signing`. \
           Empty until one is chosen; the whole page is shown with `ratelimit`."
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
