#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod body;
#[cfg(feature = "cancel")]
mod cancelling;
mod class;
mod clock;
mod config;
mod deadline;
mod elapsed;
mod ext;
pub mod header;
mod limit;
#[cfg(feature = "serde")]
mod plain;
mod scope;
mod timer;
mod total;
mod within;

#[cfg(feature = "cancel")]
#[cfg_attr(docsrs, doc(cfg(feature = "cancel")))]
pub use cancelling::{Cancelling, cancelling};
pub use class::{Builder, Class, Classes};
pub use config::ConfigError;
pub use deadline::Deadline;
pub use elapsed::{Cause, Elapsed};
pub use ext::DeadlineExt;
pub use limit::Limit;
#[cfg(feature = "serde")]
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
pub use plain::Config;
pub use scope::{Scope, current, enter, scope};
pub use total::{Total, total};
pub use within::{Within, within};
