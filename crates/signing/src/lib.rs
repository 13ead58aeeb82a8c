#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![allow(
    clippy::needless_doctest_main,
    reason = "the first example is a program that can be pasted as it stands"
)]

mod article;
mod clock;
mod config_error;
#[cfg(feature = "conformance")]
#[cfg_attr(docsrs, doc(cfg(feature = "conformance")))]
pub mod conformance;
mod content_digest;
mod encoding;
mod envelope;
mod head;
mod key;
mod keyring;
mod observer;
mod owned_head;
mod refused;
mod replay;
pub mod scheme;
mod secret;
mod signer;
mod tolerance;
mod verifier;

pub use article::verify_signature;
pub use clock::{Clock, SystemClock, UnixTime};
pub use config_error::ConfigError;
pub use content_digest::ContentDigest;
pub use encoding::Encoding;
pub use envelope::{Envelope, MAX_SIGNATURES};
pub use head::{Head, only};
pub use key::{Algorithm, Key, KeyId, KeyIdError};
pub use keyring::{
    KeyProvider, KeyProviderError, KeyQuery, KeyRing, KeyRingBuilder, Keys, MAX_ACTIVE_KEYS,
    NamedKey, SharedKeyRing,
};
pub use observer::Observer;
pub use owned_head::OwnedHead;
pub use refused::{Class, Refused, RefusedKind};
pub use replay::{
    BoxNonceStore, BoxNonceStoreError, Claim, MemoryNonceStore, Nonce, NonceStore, OnStoreError,
    StoreFailure,
};
pub use secret::{Secret, SecretError};
pub use signer::{Draft, SignError, SignedHeaders, Signer};
pub use tolerance::Tolerance;
pub use verifier::{Attempt, Session, Unclaimed, Verification, Verifier, VerifierBuilder};
