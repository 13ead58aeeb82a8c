#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod breaker;
mod builder;
mod call;
mod clock;
mod complete;
mod config;
mod control;
mod drop_policy;
mod error;
mod half_open;
#[cfg(feature = "serde")]
mod humane;
mod judge;
mod machine;
mod observer;
mod open_time;
mod outcome;
mod permit;
mod ratio;
mod registry;
mod rules;
mod snapshot;
mod state;
mod sync;
#[cfg(feature = "serde")]
mod text;
mod transition;
mod window;
mod word;

#[cfg(all(test, loom))]
mod loom_models;
#[cfg(all(test, shuttle))]
mod shuttle_models;

pub use breaker::CircuitBreaker;
pub use builder::Builder;
pub use call::{Run, Watch};
pub use clock::{Clock, ManualClock};
pub use config::{Config, EvaluateOn, IgnoredAs, Rates, SlowCalls, Trip};
pub use drop_policy::{DropPolicy, DropRule};
pub use error::{ConfigError, Error, Rejected};
pub use half_open::{AfterWait, HalfOpen, Verdict};
pub use judge::Counts;
pub use observer::{Cause, Completion, Observer, Transition};
pub use open_time::OpenTime;
pub use outcome::{ByResult, Classify, Ending, Outcome};
pub use permit::{OwnedPermit, Permit};
pub use ratio::Ratio;
pub use registry::{Registry, RegistryFull};
pub use snapshot::Snapshot;
pub use state::State;
