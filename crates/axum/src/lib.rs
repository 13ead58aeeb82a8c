// Its first example needs this feature, and hides no line that would say so.
#![cfg_attr(feature = "serve", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "serve"),
    doc = "Seawall for axum: one builder, extractors and an error type that answer alike and leak \
           nothing. The whole page is shown with feature `serve`."
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
#[cfg(feature = "config")]
mod configured;
mod context;
mod error;
pub mod extract;
#[cfg(feature = "health")]
mod health;
mod inward;
#[cfg(feature = "degrade")]
mod partial;
#[cfg(feature = "serve")]
mod serve;

pub use builder::{Seawall, SeawallBuilder};
pub use context::{ContextLayer, ContextService};
pub use error::Error;
#[cfg(feature = "multipart")]
#[cfg_attr(docsrs, doc(cfg(feature = "multipart")))]
pub use extract::ValidMultipart;
pub use extract::{Claimed, Form, Json, Path, Query, Verified};
#[cfg(feature = "validate")]
#[cfg_attr(docsrs, doc(cfg(feature = "validate")))]
pub use extract::{ValidForm, ValidHeaders, ValidJson, ValidPath, ValidQuery};
#[cfg(feature = "health")]
#[cfg_attr(docsrs, doc(cfg(feature = "health")))]
pub use health::{health_routes, health_routes_for};
#[cfg(feature = "degrade")]
#[cfg_attr(docsrs, doc(cfg(feature = "degrade")))]
pub use partial::Partial;
#[cfg(feature = "config")]
#[cfg_attr(docsrs, doc(cfg(feature = "config")))]
pub use seawall_web::config::Reload;
#[cfg(feature = "serve")]
#[cfg_attr(docsrs, doc(cfg(feature = "serve")))]
pub use serve::{Serve, ServerLimits, ServerLimitsBuilder, ServerLimitsError, serve};

/// What a handler returns: its answer, or an [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
