#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod answer;
mod body;
mod builder;
mod cipher;
mod claim;
mod clock;
#[cfg(feature = "serde")]
mod config;
mod config_error;
#[cfg(feature = "conformance")]
#[cfg_attr(docsrs, doc(cfg(feature = "conformance")))]
pub mod conformance;
mod fingerprint;
mod header;
mod held;
mod idempotency;
mod key;
pub mod machine;
mod observer;
mod operation;
mod outcome;
mod policy;
mod seal;
#[cfg(all(test, shuttle))]
mod shuttle_models;
mod store;
mod sync;
mod waiters;

pub use answer::{Finished, Refused, Run, RunError};
pub use body::BodyForm;
pub use builder::IdempotencyBuilder;
pub use cipher::Cipher;
pub use claim::Claim;
pub use clock::{Clock, ManualClock, SystemClock};
#[cfg(feature = "serde")]
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
pub use config::PolicyConfig;
pub use config_error::ConfigError;
pub use fingerprint::Fingerprint;
pub use held::Held;
pub use idempotency::{Begun, Idempotency};
pub use key::{IdempotencyKey, KeyError, KeyErrorKind};
pub use observer::{Event, Observer};
pub use operation::{Operation, Pepper, RecordId};
pub use outcome::{Body, DecodeError, Outcome};
pub use policy::{InFlight, Keep, OnOutage, OnUnknown, Policy, Presence};
pub use seal::SealError;
pub use store::{
    BoxStore, BoxStoreError, Caps, Completion, Durability, Lost, MemoryStore, MemoryStoreBuilder,
    Nonce, OnLapse, Reach, Reserve, Reserved, Settled, Store, StoreFailure, Token, Wait,
};
