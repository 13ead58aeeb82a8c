//! Where shared state lives: the one place that knows every backend.
//!
//! What a backend does not offer stays in memory, and [`Location`] says which that is.

mod location;
mod open;
mod probe;

pub use location::{Location, Url};
pub(crate) use open::ledger;
pub use open::{OpenError, Stores, open};
pub use probe::Probe;
