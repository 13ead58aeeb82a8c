//! The laws of the store trait, and exact traces, for authors of stores.
//!
//! A store is tested in *conformance mode*: it takes the time from a [`ManualClock`](crate::ManualClock)
//! instead of its own clock, and lets nothing expire by real time, since the steps of a trace may be
//! years apart. Everything else is the code that runs in production.
//!
//! # Examples
//!
//! ```
//! use std::sync::Arc;
//! use seawall_ratelimit::{ManualClock, MemoryStore, conformance};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let clock = Arc::new(ManualClock::new());
//! let store = MemoryStore::builder().clock(Arc::clone(&clock)).build();
//! conformance::laws(&store, &clock, "run-1").await;
//! # });
//! ```

mod laws;
mod vectors;

pub use laws::laws;
pub use vectors::{Counts, run_vectors};
