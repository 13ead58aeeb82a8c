#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod clock;
mod config_error;
#[cfg(feature = "conformance")]
#[cfg_attr(docsrs, doc(cfg(feature = "conformance")))]
pub mod conformance;
mod fingerprint;
mod key;
pub mod machine;
mod operation;
mod outcome;
mod store;

pub use clock::{Clock, ManualClock, SystemClock};
pub use config_error::ConfigError;
pub use fingerprint::Fingerprint;
pub use key::{IdempotencyKey, KeyError, KeyErrorKind};
pub use operation::{Operation, Pepper, RecordId};
pub use outcome::{Body, DecodeError, Outcome};
pub use store::{
    BoxStore, BoxStoreError, Caps, Completion, Durability, Lost, MemoryStore, MemoryStoreBuilder,
    Nonce, OnLapse, Reach, Reserve, Reserved, Settled, Store, StoreFailure, Token, Wait,
};
