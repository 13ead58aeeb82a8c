#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod answer;
mod builder;
mod check;
mod clock;
mod config;
mod drain;
mod fault;
mod flight;
mod health;
mod jitter;
mod json;
mod machine;
mod observer;
#[cfg(feature = "serde")]
mod plain;
mod report;
mod service;

pub use answer::{Access, Answer, Details, Probe};
pub use builder::{Builder, Heartbeat};
pub use check::{Check, Role};
pub use config::ConfigError;
pub use drain::{Drain, Drained, InFlight, Stop};
pub use fault::{Failure, Fault};
pub use health::Health;
pub use observer::{Change, Observer};
#[cfg(feature = "serde")]
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
pub use plain::{CheckConfig, DrainConfig};
pub use report::{CheckReport, Report, State, Status};
