//! A type around one value: it is read as the value is.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Result};

use super::kind::Kinds;
use super::{cross, generics};
use crate::container::Container;
use crate::field::Field;

pub(super) fn emit(
    input: &DeriveInput,
    container: &Container,
    fields: &syn::Fields,
) -> Result<TokenStream> {
    let Some(only) = fields.iter().next() else {
        return Err(syn::Error::new_spanned(&input.ident, "there is no field"));
    };
    let field = Field::parse(only, None)?;
    let ty = field.ty;
    let span = ty.span();
    let mut kinds = Kinds::default();
    let kind = kinds.field(&field);
    let definitions = kinds.definitions;
    let member = match &only.ident {
        Some(ident) => quote!(#ident),
        None => quote!(0),
    };
    let name = &input.ident;
    let generics = generics(input, container, true);
    let (impl_generics, _, clause) = generics.split_for_impl();
    let (_, type_generics, _) = input.generics.split_for_impl();
    let names: Vec<_> = only.ident.iter().collect();
    let (cross_definition, cross_call) = cross(input, container, &names, &container.checks, "");
    let calls = &field.calls;
    let read = quote_spanned!(span=> <#ty as __v::read::Read<'__de, #kind>>);
    Ok(quote! {
        #definitions
        #cross_definition
        #[automatically_derived]
        impl #impl_generics __v::Validate<'__de> for #name #type_generics #clause {
            fn read<__D: __v::__serde::Deserializer<'__de>>(
                deserializer: __D,
                cx: &mut __v::Cx<'_>,
            ) -> ::core::result::Result<::core::option::Option<Self>, __D::Error> {
                let before = cx.faults();
                let ::core::option::Option::Some(value) = #read::read(deserializer, cx)? else {
                    return ::core::result::Result::Ok(::core::option::Option::None);
                };
                let value = Self { #member: value };
                {
                    let value = &value.#member;
                    #(#calls)*
                }
                #cross_call
                ::core::result::Result::Ok((cx.faults() == before).then_some(value))
            }

            fn check(&self, cx: &mut __v::Cx<'_>) {
                {
                    let value = &self.#member;
                    #read::check(value, cx);
                    #(#calls)*
                }
                let value = self;
                #cross_call
            }

            fn schema(schemas: &mut __v::Schemas) -> __v::Schema {
                #read::schema(schemas)
            }
        }
    })
}
