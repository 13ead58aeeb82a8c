#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod clock;
mod component;
mod degrade;
mod drive;
mod join;
mod join_all;
mod last_good;
mod observer;
mod partial;
#[cfg(feature = "serde")]
mod plain;
mod reason;

pub use component::kind;
pub use component::{Component, critical, optional, or_else, stale};
pub use degrade::Degrade;
pub use join::{Join, Parts};
pub use join_all::JoinAll;
pub use last_good::{Aged, LastGood, Slot};
pub use observer::{Observer, Served};
pub use partial::{ComponentError, Fault, Partial};
#[cfg(feature = "serde")]
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
pub use plain::Config;
pub use reason::{Reason, Unavailable};
