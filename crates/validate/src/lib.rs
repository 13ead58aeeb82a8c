// Its examples derive; without the feature there is nothing of them to run.
#![cfg_attr(feature = "derive", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "derive"),
    doc = "One pass from hostile bytes to a value you can trust. The feature `derive` is what most of the documentation is about."
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "jiff")]
mod clock;
mod code;
mod cx;
mod input;
mod later;
mod limits;
mod node;
pub mod norm;
mod pairs;
mod parser;
mod path;
#[doc(hidden)]
pub mod read;
pub mod rule;
mod schema;
pub mod types;
mod valid;
mod validate;
mod violation;
mod violations;
mod visitor;

pub use code::Code;
pub use cx::Cx;
pub use input::FromText;
pub use later::{AsyncCheck, Findings, LaterError};
pub use limits::Limits;
pub use parser::{
    Parser, from_deserializer, from_form, from_headers, from_json, from_pairs, from_query,
};
pub use schema::{Schema, Schemas, schema_of};
pub use valid::Valid;
pub use validate::Validate;
pub use violation::{Param, Violation};
pub use violations::{Kind, Violations};

/// Derives [`Validate`](trait@Validate) and `serde::Deserialize` over the same code.
#[cfg(feature = "derive")]
#[cfg_attr(docsrs, doc(cfg(feature = "derive")))]
pub use seawall_validate_derive::Validate;

#[doc(hidden)]
pub use parser::deserialize as __deserialize;
#[doc(hidden)]
pub use serde as __serde;
