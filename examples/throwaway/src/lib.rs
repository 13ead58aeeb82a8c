//! Throw-away servers: empty, on free ports of loopback, and gone when they are dropped, or when the
//! process that started them is killed.
//!
//! `cargo xtask test` starts them for the store tests, the shop where `--store` names a kind without
//! an address, and storm as well, which also kills them in the middle of things. Nothing is installed
//! here; what is missing is an [`Error`] that names it.

mod error;
mod find;
mod ports;
mod postgres;
mod redis;
mod server;
mod watch;

pub use error::Error;
pub use find::Program;
pub use server::{Disk, Kind, Server};
