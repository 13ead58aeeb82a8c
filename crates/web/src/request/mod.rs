//! Who asks: the request's head, the client's address, and the key a decision is made by.

#[cfg(feature = "timeout")]
mod budget;
mod client_ip;
mod coding;
mod forwarded;
mod head;
#[cfg(feature = "idempotency")]
mod idempotency;
#[cfg(feature = "ratelimit")]
mod key;
mod known;
#[cfg(feature = "idempotency")]
mod scope;
#[cfg(feature = "signing")]
mod signed;

#[cfg(feature = "timeout")]
#[cfg_attr(docsrs, doc(cfg(feature = "timeout")))]
pub use budget::budget;
pub use client_ip::{ClientIp, ForwardedHeader, InvalidCidr, NoPeer};
pub use coding::Coding;
pub use head::RequestHead;
#[cfg(feature = "idempotency")]
#[cfg_attr(docsrs, doc(cfg(feature = "idempotency")))]
pub use idempotency::{changes_state, idempotency_key};
#[cfg(feature = "ratelimit")]
#[cfg_attr(docsrs, doc(cfg(feature = "ratelimit")))]
pub use key::{KeyBy, Missing};
pub use known::{Known, PathParams, PeerAddr, Principal, Route};
#[cfg(feature = "idempotency")]
#[cfg_attr(docsrs, doc(cfg(feature = "idempotency")))]
pub use scope::{Caller, Scope};
#[cfg(feature = "signing")]
#[cfg_attr(docsrs, doc(cfg(feature = "signing")))]
pub use signed::SignedHead;
