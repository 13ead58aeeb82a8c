#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod attributes;
mod expand;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Implements `IntoApiError`, and `From` for `?`, by what each variant says about its public face.
///
/// The value itself becomes the private cause, so that operators read its `Display` and its
/// sources: the type has to be an `Error + Send + Sync + 'static`. Callers see nothing of it but
/// what an attribute names.
///
/// On a variant, or on a struct:
///
/// | attribute | meaning |
/// |---|---|
/// | `code = PATH` | the `ErrorCode`; on an enum, the code of variants without an attribute |
/// | `internal` | `internal_error`: callers learn nothing |
/// | `transparent` | the one field says how it looks, by its own `IntoApiError` |
/// | `message = "text"` | the message instead of the code's title |
/// | `retry_after = SECONDS` | the wait to ask for |
/// | `not_executed` | refused before anything was carried out |
///
/// On a field:
///
/// | attribute | meaning |
/// |---|---|
/// | `public`, `public = "name"` | callers may see the value, as a member of the problem body; it is `Clone + Into<serde_json::Value>` |
/// | `retry_after` | a `Duration` or `Option<Duration>`: the wait to ask for |
///
/// On the type: `crate = PATH`, where `seawall_errors` goes by another name.
#[proc_macro_derive(ApiError, attributes(api))]
pub fn derive_api_error(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::expand(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
