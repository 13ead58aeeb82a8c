#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod clock;
mod error;
#[cfg(feature = "signing")]
mod signing;
mod store;
mod worker;

pub use builder::SqliteStoreBuilder;
pub use error::{OpenError, SqliteStoreError};
pub use store::SqliteStore;
