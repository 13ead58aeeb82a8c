#![cfg_attr(feature = "ratelimit", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "ratelimit"),
    doc = "Shared state for Seawall. Empty until a feature is chosen: `ratelimit`."
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "ratelimit")]
mod builder;
#[cfg(feature = "ratelimit")]
mod error;
#[cfg(feature = "ratelimit")]
mod key;
#[cfg(feature = "ratelimit")]
mod link;
#[cfg(feature = "ratelimit")]
mod ratelimit;
#[cfg(feature = "ratelimit")]
mod store;

#[cfg(feature = "ratelimit")]
pub use builder::RedisStoreBuilder;
#[cfg(feature = "ratelimit")]
pub use error::{ConnectError, Error};
#[cfg(feature = "ratelimit")]
pub use key::HashTag;
#[cfg(feature = "ratelimit")]
pub use store::RedisStore;
