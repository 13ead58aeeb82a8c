// Its first example needs this feature, and hides no line that would say so.
#![cfg_attr(feature = "ratelimit", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "ratelimit"),
    doc = "What Seawall's crates do, as metrics and tracing events. Empty until a feature is chosen, \
           one for each leaf: `breaker`, `degrade`, `errors`, `health`, `idempotency`, `ratelimit`, \
           `signing`, `timeout`; the whole page is shown with `ratelimit`."
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(
    feature = "breaker",
    feature = "degrade",
    feature = "errors",
    feature = "health",
    feature = "idempotency",
    feature = "ratelimit",
    feature = "signing"
))]
mod both;
#[cfg(any(feature = "idempotency", feature = "ratelimit", feature = "signing"))]
mod clock;
#[cfg(any(
    feature = "breaker",
    feature = "degrade",
    feature = "errors",
    feature = "health",
    feature = "idempotency",
    feature = "ratelimit",
    feature = "signing"
))]
mod metrics;
#[cfg(any(feature = "idempotency", feature = "ratelimit", feature = "signing"))]
mod timed;
#[cfg(any(
    feature = "breaker",
    feature = "degrade",
    feature = "errors",
    feature = "health",
    feature = "idempotency",
    feature = "ratelimit",
    feature = "signing"
))]
mod tracing;

#[cfg(any(
    feature = "breaker",
    feature = "degrade",
    feature = "errors",
    feature = "health",
    feature = "idempotency",
    feature = "ratelimit",
    feature = "signing"
))]
pub use both::Both;
#[cfg(any(
    feature = "breaker",
    feature = "degrade",
    feature = "errors",
    feature = "health",
    feature = "idempotency",
    feature = "ratelimit",
    feature = "signing"
))]
pub use metrics::{BUCKETS, Kind, Metric, Metrics, catalogue};
#[cfg(any(feature = "idempotency", feature = "ratelimit", feature = "signing"))]
#[cfg_attr(
    docsrs,
    doc(cfg(any(feature = "idempotency", feature = "ratelimit", feature = "signing")))
)]
pub use timed::Timed;
#[cfg(any(
    feature = "breaker",
    feature = "degrade",
    feature = "errors",
    feature = "health",
    feature = "idempotency",
    feature = "ratelimit",
    feature = "signing"
))]
pub use tracing::Tracing;
