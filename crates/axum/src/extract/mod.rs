//! Extractors whose refusals have the same body as every other error, and say what is wrong
//! without saying how the service is built.

mod form;
mod json;
mod path;
mod query;
mod refusal;
mod verified;

pub use form::Form;
pub use json::Json;
pub use path::Path;
pub use query::Query;
pub use verified::Verified;
