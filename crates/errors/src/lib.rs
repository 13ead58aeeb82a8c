#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod clock;
mod code;
pub mod codes;
mod convert;
mod detail;
mod error;
mod header;
mod observer;
mod private;
mod public;
mod random;
mod render;
mod request_id;
#[cfg(feature = "testkit")]
#[cfg_attr(docsrs, doc(cfg(feature = "testkit")))]
pub mod testkit;
mod text;
pub mod trace;
pub mod wire;

pub use code::{ErrorCode, Retry, assert_unique};
pub use convert::{Internal, IntoApiError, ResultExt};
pub use detail::Detail;
pub use error::ApiError;
pub use observer::{Answer, Ending, Observer};
pub use private::Private;
pub use public::PublicError;
pub use render::{Format, FormatPolicy, RenderContext, Rendered, Renderer};
pub use request_id::RequestId;
/// Derives [`IntoApiError`] for an error type of your own; the attributes are listed below.
///
/// # Examples
///
/// ```
/// use seawall_errors::ApiError;
///
/// seawall_errors::error_codes! {
///     /// Nothing left to sell.
///     pub OUT_OF_STOCK = 409, "out_of_stock", "The item is out of stock";
/// }
///
/// #[derive(Debug, ApiError)]
/// enum CheckoutError {
///     #[api(code = OUT_OF_STOCK)]
///     OutOfStock {
///         #[api(public)]
///         sku: String,
///         warehouse: String,
///     },
///     #[api(internal)]
///     Database(std::io::Error),
/// }
/// # impl std::fmt::Display for CheckoutError {
/// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
/// #         match self {
/// #             Self::OutOfStock { sku, warehouse } => write!(f, "no {sku} in {warehouse}"),
/// #             Self::Database(_) => write!(f, "database"),
/// #         }
/// #     }
/// # }
/// # impl std::error::Error for CheckoutError {}
///
/// fn buy() -> Result<(), ApiError> {
///     Err(CheckoutError::OutOfStock { sku: "A-1".into(), warehouse: "Ghent".into() })?
/// }
///
/// let error = buy().unwrap_err();
/// assert_eq!(error.code(), OUT_OF_STOCK);
/// assert!(error.public_meta().eq([("sku", &"A-1".into())]));
/// assert_eq!(error.private().report(), "no A-1 in Ghent");
/// ```
///
#[cfg(feature = "derive")]
#[cfg_attr(docsrs, doc(cfg(feature = "derive")))]
pub use seawall_errors_derive::ApiError;
pub use text::{IntoPublicText, PublicText};
