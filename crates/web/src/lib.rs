#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod answer;
#[cfg(feature = "serde")]
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
pub mod config;
#[cfg(any(feature = "idempotency", feature = "signing"))]
mod gathered;
#[cfg(feature = "idempotency")]
#[cfg_attr(docsrs, doc(cfg(feature = "idempotency")))]
pub mod idempotency;
#[cfg(feature = "ratelimit")]
#[cfg_attr(docsrs, doc(cfg(feature = "ratelimit")))]
pub mod limits;
pub mod order;
mod origin;
pub mod request;
#[cfg(feature = "server")]
#[cfg_attr(docsrs, doc(cfg(feature = "server")))]
pub mod server;

#[cfg(any(feature = "idempotency", feature = "signing"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "idempotency", feature = "signing"))))]
pub use gathered::Gathered;
pub use origin::{Origin, OriginScope};

#[cfg(test)]
mod testing;
