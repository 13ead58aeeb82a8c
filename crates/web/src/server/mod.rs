//! What servers are made of below every layer, without a socket: limits, admission, refusals.
//!
//! For adapters: each drives its framework's own server and asks here what it may let in
//! ([`Limits`], [`Admission`]) and in which words it refuses ([`Refusal`], [`too_slow`],
//! [`head_too_large`]), so that servers differ in their parsers only.
//!
//! # Examples
//!
//! ```
//! use seawall_web::server::{Admission, Full, Limits};
//!
//! let mut limits = Limits::new(100);
//! limits.connections_by_address = 1;
//! limits.check()?;
//!
//! let admission = Admission::new(&limits);
//! let peer = "203.0.113.9".parse()?;
//! let permit = admission.admit(peer).expect("the first of its address");
//! assert_eq!(admission.admit(peer).unwrap_err(), Full::ByAddress);
//! drop(permit);
//! assert!(admission.admit(peer).is_ok());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod admission;
mod limits;
mod voice;

pub use admission::{Admission, Full, Permit};
pub use limits::{Limits, ServerLimitsError};
pub use voice::{Refusal, head_too_large, too_slow};
