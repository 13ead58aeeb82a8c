// Its first example needs this feature, and hides no line that would say so.
#![cfg_attr(feature = "serve", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "serve"),
    doc = "Seawall for actix-web: one builder, middlewares, extractors and an error type that answer \
           alike and leak nothing. The whole page is shown with feature `serve`."
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod authenticate;
pub mod body_limit;
mod builder;
mod clock;
#[cfg(feature = "config")]
mod configured;
pub mod deadline;
mod error;
pub mod errors;
pub mod extract;
mod head;
#[cfg(feature = "health")]
mod health;
pub mod idempotency;
mod live;
mod outside;
#[cfg(feature = "degrade")]
mod partial;
pub mod rate_limit;
mod reply;
pub mod request_id;
#[cfg(feature = "serve")]
mod serve;
mod stage;
pub mod trace;
pub mod verify;

pub use authenticate::AuthenticateLayer;
pub use body_limit::BodyLimitLayer;
pub use builder::{Seawall, SeawallBuilder};
pub use deadline::DeadlineLayer;
pub use error::Error;
pub use errors::ErrorsLayer;
pub use extract::{Claimed, Form, Json, Path, Query, Verified};
#[cfg(feature = "validate")]
#[cfg_attr(docsrs, doc(cfg(feature = "validate")))]
pub use extract::{ValidForm, ValidHeaders, ValidJson, ValidPath, ValidQuery};
pub use head::HttpHead;
#[cfg(feature = "health")]
#[cfg_attr(docsrs, doc(cfg(feature = "health")))]
pub use health::{health_routes, health_routes_for};
pub use idempotency::IdempotencyLayer;
#[cfg(feature = "degrade")]
#[cfg_attr(docsrs, doc(cfg(feature = "degrade")))]
pub use partial::Partial;
pub use rate_limit::RateLimitLayer;
pub use reply::{Attached, Passthrough, respond};
pub use request_id::RequestIdLayer;
#[cfg(feature = "config")]
#[cfg_attr(docsrs, doc(cfg(feature = "config")))]
pub use seawall_web::config::Reload;
#[cfg(feature = "serve")]
#[cfg_attr(docsrs, doc(cfg(feature = "serve")))]
pub use serve::{Serve, ServerLimits, ServerLimitsBuilder, ServerLimitsError, serve};
pub use stage::{OptionalFuture, OptionalService, Stage};
pub use trace::TraceLayer;
pub use verify::VerifyLayer;

/// What a handler returns: its answer, or an [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
