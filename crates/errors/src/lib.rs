#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod clock;
mod code;
pub mod codes;
mod convert;
mod detail;
mod error;
mod header;
mod private;
mod random;
mod render;
mod request_id;
mod text;
pub mod trace;
pub mod wire;

pub use code::{ErrorCode, Retry, assert_unique};
pub use convert::{Internal, IntoApiError, ResultExt};
pub use detail::Detail;
pub use error::ApiError;
pub use private::Private;
pub use render::{Format, FormatPolicy, RenderContext, Rendered, Renderer};
pub use request_id::RequestId;
pub use text::{FixedText, PublicText};
