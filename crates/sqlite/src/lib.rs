// Its first example needs this feature, and hides no line that would say so.
#![cfg_attr(feature = "signing", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "signing"),
    doc = "Shared state for Seawall in an SQLite file, a feature for each leaf: `idempotency`, `signing`. \
           The whole page is shown with `signing`."
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod clock;
mod error;
#[cfg(feature = "idempotency")]
mod idempotency;
#[cfg(feature = "signing")]
mod signing;
mod store;
mod worker;

pub use builder::SqliteStoreBuilder;
pub use error::{OpenError, SqliteStoreError};
#[cfg(feature = "idempotency")]
#[cfg_attr(docsrs, doc(cfg(feature = "idempotency")))]
pub use idempotency::{CompleteError, complete_in};
/// The driver, of the version whose transactions [`complete_in`] takes.
#[cfg(feature = "idempotency")]
#[cfg_attr(docsrs, doc(cfg(feature = "idempotency")))]
pub use rusqlite;
pub use store::SqliteStore;
