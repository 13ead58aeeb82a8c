//! The laws of [`Store`](crate::Store), for the tests of every store.
//!
//! Each function panics with the law that was broken. They use records of their own, so a store
//! that other tests use at the same time does not mind (but [`never_evicts`] wants an empty one of
//! a known size). They never sleep: where time has to pass, `advance` moves the store's clock on.
//! A store whose clock is a server's is run with the moment as an argument, in these tests only.
//! Clocks that count whole milliseconds will do.
//!
//! # Examples
//!
//! ```
//! use std::sync::Arc;
//! use seawall_idempotency::{ManualClock, MemoryStore, conformance};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), seawall_idempotency::ConfigError> {
//! let clock = Arc::new(ManualClock::new());
//! let store = MemoryStore::builder().clock(Arc::clone(&clock)).build()?;
//! conformance::laws(&store, |by| clock.advance(by)).await;
//! conformance::random_operations(&store, 1, 500, |by| clock.advance(by)).await;
//!
//! let small = MemoryStore::builder().clock(Arc::clone(&clock)).entries(10).build()?;
//! conformance::never_evicts(&small, 10, |by| clock.advance(by)).await;
//! # Ok(())
//! # }
//! ```

mod laws;
mod model;
mod room;
mod support;

pub use laws::laws;
pub use model::random_operations;
pub use room::never_evicts;
