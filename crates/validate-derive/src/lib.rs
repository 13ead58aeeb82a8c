#![doc = include_str!("../README.md")]

mod attr;
mod case;
mod container;
mod emit;
mod field;
mod maximum;
mod moment;
mod normalize;
mod rules;
mod serde_attr;
mod special;
mod text;

use proc_macro::TokenStream;

/// Derives `Validate` and `serde::Deserialize` over the same code.
#[proc_macro_derive(Validate, attributes(validate, serde))]
pub fn derive_validate(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    emit::derive(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
