//! Extractors whose refusals have the same body as every other error, and say what is wrong
//! without saying how the service is built.

mod form;
mod json;
mod path;
mod query;
mod refusal;
#[cfg(feature = "validate")]
mod valid;
mod verified;

pub use form::Form;
pub use json::Json;
pub use path::Path;
pub use query::Query;
#[cfg(feature = "validate")]
#[cfg_attr(docsrs, doc(cfg(feature = "validate")))]
pub use valid::{ValidForm, ValidJson, ValidPath, ValidQuery};
pub use verified::Verified;
