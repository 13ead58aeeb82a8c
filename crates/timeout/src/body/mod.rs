//! Limits for a body that arrives, or leaves, in parts: how long a gap may be, and how long the whole.
//!
//! A total limit alone either kills honest large uploads or lets a client hold a connection for long
//! with one byte now and then; a limit for the gaps alone never ends that. Hence both.
//!
//! No framework is known here. Poll the body, hand what it said to [`IdleLimit::poll`], and return
//! what that says.
//!
//! ```
//! use std::time::Duration;
//! use seawall_timeout::body::{IdleLimit, Limits};
//! use seawall_timeout::Cause;
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let limits = Limits::new().idle(Duration::from_secs(10)).whole(Duration::from_secs(60));
//! let mut limit = std::pin::pin!(IdleLimit::new(limits));
//!
//! // A client which sends nothing at all:
//! let mut body = std::pin::pin!(std::future::pending::<Vec<u8>>());
//! let part = std::future::poll_fn(|cx| {
//!     let part = body.as_mut().poll(cx);
//!     limit.as_mut().poll(cx, part)
//! });
//! let elapsed = part.await.unwrap_err();
//! assert_eq!(elapsed.cause(), Cause::Idle);
//! # }
//! ```

mod gaps;
mod idle;

pub use gaps::Limits;
pub use idle::IdleLimit;
