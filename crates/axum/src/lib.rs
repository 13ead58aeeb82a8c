#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod context;
mod error;
pub mod extract;

pub use builder::{Seawall, SeawallBuilder};
pub use context::{ContextLayer, ContextService};
pub use error::Error;
pub use extract::{Form, Json, Path, Query, Verified};

/// What a handler returns: its answer, or an [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
