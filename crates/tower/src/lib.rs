#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
pub mod body_limit;
pub mod circuit_breaker;
mod clock;
pub mod deadline;
#[cfg(feature = "decompression")]
#[cfg_attr(docsrs, doc(cfg(feature = "decompression")))]
pub mod decompression;
pub mod errors;
pub mod fused;
mod head;
pub mod idempotency;
mod known;
mod origin;
pub mod outbound;
mod outside;
pub mod rate_limit;
mod reply;
pub mod request_id;
pub mod trace;
pub mod verify;

pub use body::ReplyBody;
pub use body_limit::BodyLimitLayer;
pub use circuit_breaker::CircuitBreakerLayer;
pub use deadline::{DeadlineLayer, PassDeadlineLayer};
#[cfg(feature = "decompression")]
#[cfg_attr(docsrs, doc(cfg(feature = "decompression")))]
pub use decompression::DecompressionLayer;
pub use errors::ErrorsLayer;
pub use fused::FusedLayer;
pub use head::HttpHead;
pub use idempotency::IdempotencyLayer;
pub use origin::{Origin, OriginScope};
pub use outbound::OutboundLayer;
pub use rate_limit::RateLimitLayer;
pub use reply::{Attached, Passthrough, respond};
pub use request_id::RequestIdLayer;
pub use trace::TraceLayer;
pub use verify::VerifyLayer;
