//! Who asks: the request's head, the client's address, and the key a decision is made by.

mod client_ip;
mod coding;
mod forwarded;
mod head;
#[cfg(feature = "ratelimit")]
mod key;
mod known;
#[cfg(feature = "signing")]
mod signed;

pub use client_ip::{ClientIp, ForwardedHeader, InvalidCidr, NoPeer};
pub use coding::Coding;
pub use head::RequestHead;
#[cfg(feature = "ratelimit")]
#[cfg_attr(docsrs, doc(cfg(feature = "ratelimit")))]
pub use key::{KeyBy, Missing};
pub use known::{PathParams, PeerAddr, Principal, Route};
#[cfg(feature = "signing")]
#[cfg_attr(docsrs, doc(cfg(feature = "signing")))]
pub use signed::SignedHead;
