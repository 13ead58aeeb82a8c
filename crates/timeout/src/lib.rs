#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod clock;
mod deadline;
mod elapsed;
mod ext;
mod limit;
mod scope;
mod timer;
mod total;
mod within;

pub use deadline::Deadline;
pub use elapsed::{Cause, Elapsed};
pub use ext::DeadlineExt;
pub use limit::Limit;
pub use scope::{Scope, current, enter, scope};
pub use total::{Total, total};
pub use within::{Within, within};
