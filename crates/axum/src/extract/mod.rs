//! Extractors whose refusals have the same body as every other error, and say what is wrong
//! without saying how the service is built.

mod claimed;
mod form;
mod json;
#[cfg(feature = "multipart")]
mod multipart;
mod path;
mod query;
mod refusal;
#[cfg(feature = "validate")]
mod valid;
mod verified;

pub use claimed::Claimed;
pub use form::Form;
pub use json::Json;
#[cfg(feature = "multipart")]
#[cfg_attr(docsrs, doc(cfg(feature = "multipart")))]
pub use multipart::ValidMultipart;
pub use path::Path;
pub use query::Query;
#[cfg(feature = "validate")]
#[cfg_attr(docsrs, doc(cfg(feature = "validate")))]
pub use valid::{ValidForm, ValidHeaders, ValidJson, ValidPath, ValidQuery};
pub use verified::Verified;
