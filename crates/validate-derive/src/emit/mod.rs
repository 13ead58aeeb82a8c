//! From the parsed attributes to code.

mod kind;
mod newtype;
mod object;
mod variants;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Data, DeriveInput, Fields, GenericParam, Generics, Lifetime, Result};

use crate::container::Container;
use crate::serde_attr::Serde;

/// The lifetime of the input in generated code.
fn input_lifetime() -> Lifetime {
    Lifetime::new("'__de", proc_macro2::Span::call_site())
}

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let input = &without_self(input)?;
    let container = Container::parse(&input.attrs)?;
    let serde = Serde::parse(&input.attrs)?;
    let body = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) if !(container.transparent || serde.transparent) => {
                let mut kinds = kind::Kinds::default();
                let object = object::emit(input, &container, &serde, fields, &mut kinds, None)?;
                let (definitions, code) = (kinds.definitions, object.code);
                quote!(#definitions #code)
            }
            fields if fields.len() == 1 => newtype::emit(input, &container, fields)?,
            Fields::Named(_) => {
                return Err(syn::Error::new_spanned(
                    &input.ident,
                    "`transparent` needs exactly one field",
                ));
            }
            Fields::Unnamed(_) => {
                return Err(syn::Error::new_spanned(
                    &input.ident,
                    "a tuple struct can be derived with exactly one field; name the fields",
                ));
            }
            Fields::Unit => {
                return Err(syn::Error::new_spanned(
                    &input.ident,
                    "a struct without fields has nothing to read",
                ));
            }
        },
        Data::Enum(data) => variants::emit(input, &container, &serde, data)?,
        Data::Union(_) => {
            return Err(syn::Error::new_spanned(
                &input.ident,
                "a union cannot be read; use an enum",
            ));
        }
    };
    let deserialize = container
        .deserialize
        .then(|| deserialize(input, &container));
    let krate = &container.krate;
    Ok(quote! {
        #[doc(hidden)]
        #[allow(
            unreachable_pub, unused_qualifications, unused_variables, non_camel_case_types,
            missing_debug_implementations, missing_docs, unnameable_types, trivial_numeric_casts,
            clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction,
        )]
        const _: () = {
            use #krate as __v;
            #body
            #deserialize
        };
    })
}

/// The generics of an impl for the type: those of the type, the input's lifetime, which outlives
/// the type's own, and the bounds.
fn generics(input: &DeriveInput, container: &Container, fields_too: bool) -> Generics {
    let mut generics = input.generics.clone();
    let de = input_lifetime();
    let lifetimes: Vec<_> = input
        .generics
        .lifetimes()
        .map(|def| def.lifetime.clone())
        .collect();
    let types: Vec<_> = input
        .generics
        .type_params()
        .map(|param| param.ident.clone())
        .collect();
    for param in &mut generics.params {
        match param {
            GenericParam::Type(param) => param.default = None,
            GenericParam::Const(param) => param.default = None,
            GenericParam::Lifetime(_) => {}
        }
    }
    generics.params.insert(0, syn::parse_quote!(#de));
    let clause = generics.make_where_clause();
    for lifetime in lifetimes {
        clause.predicates.push(syn::parse_quote!(#de: #lifetime));
    }
    match &container.bound {
        Some(bound) if fields_too => clause.predicates.extend(bound.iter().cloned()),
        None if fields_too => {
            for param in types {
                clause
                    .predicates
                    .push(syn::parse_quote!(#param: __v::Validate<#de>));
            }
        }
        _ => {}
    }
    generics
}

fn deserialize(input: &DeriveInput, container: &Container) -> TokenStream {
    let name = &input.ident;
    let generics = generics(input, container, true);
    let (impl_generics, _, clause) = generics.split_for_impl();
    let (_, type_generics, _) = input.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #impl_generics __v::__serde::Deserialize<'__de> for #name #type_generics #clause {
            fn deserialize<__D: __v::__serde::Deserializer<'__de>>(
                deserializer: __D,
            ) -> ::core::result::Result<Self, __D::Error> {
                __v::__deserialize::<Self, __D>(deserializer)
            }
        }
    }
}

/// The checks across fields, as a method, so that `self` means the value.
fn cross(
    input: &DeriveInput,
    container: &Container,
    names: &[&syn::Ident],
    statements: &[TokenStream],
    suffix: &str,
) -> (TokenStream, TokenStream) {
    if statements.is_empty() {
        return (TokenStream::new(), TokenStream::new());
    }
    let name = &input.ident;
    let generics = generics(input, container, true);
    let (impl_generics, _, clause) = generics.split_for_impl();
    let (_, type_generics, _) = input.generics.split_for_impl();
    let bind = (!names.is_empty()).then(|| quote!(let Self { #(#names,)* .. } = self;));
    let cross = quote::format_ident!("__Cross{suffix}");
    let definition = quote! {
        trait #cross<'__de> {
            fn cross(&self, cx: &mut __v::Cx<'_>);
        }
        impl #impl_generics #cross<'__de> for #name #type_generics #clause {
            fn cross(&self, cx: &mut __v::Cx<'_>) {
                #bind
                #(#statements)*
            }
        }
    };
    let call = quote!(<Self as #cross<'__de>>::cross(&value, cx););
    (definition, call)
}

/// The input with its own name for `Self` in the types of fields, since those are repeated where
/// `Self` is something else.
fn without_self(input: &DeriveInput) -> Result<DeriveInput> {
    fn replace(tokens: TokenStream, name: &TokenStream) -> TokenStream {
        let each = |token| match token {
            proc_macro2::TokenTree::Ident(ident) if ident == "Self" => name.clone(),
            proc_macro2::TokenTree::Group(group) => {
                let mut inner =
                    proc_macro2::Group::new(group.delimiter(), replace(group.stream(), name));
                inner.set_span(group.span());
                proc_macro2::TokenTree::Group(inner).into()
            }
            other => TokenStream::from(other),
        };
        tokens.into_iter().map(each).collect()
    }
    let name = &input.ident;
    let (_, type_generics, _) = input.generics.split_for_impl();
    let name = quote!(#name #type_generics);
    let mut input = input.clone();
    let all: Vec<&mut syn::Field> = match &mut input.data {
        Data::Struct(data) => data.fields.iter_mut().collect(),
        Data::Enum(data) => data
            .variants
            .iter_mut()
            .flat_map(|v| v.fields.iter_mut())
            .collect(),
        Data::Union(_) => Vec::new(),
    };
    for field in all {
        field.ty = syn::parse2(replace(field.ty.to_token_stream(), &name))?;
    }
    Ok(input)
}

/// A type with every lifetime made `'static`, so that a constant can name it. A number's type has
/// no lifetimes, and if the list around it has some, any will do.
fn to_static(ty: &impl ToTokens) -> TokenStream {
    fn replace(tokens: TokenStream) -> TokenStream {
        let mut out = TokenStream::new();
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                proc_macro2::TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                    tokens.next();
                    out.extend(quote!('static));
                }
                proc_macro2::TokenTree::Group(group) => {
                    let inner = replace(group.stream());
                    out.extend([proc_macro2::TokenTree::Group(proc_macro2::Group::new(
                        group.delimiter(),
                        inner,
                    ))]);
                }
                other => out.extend([other]),
            }
        }
        out
    }
    replace(ty.to_token_stream())
}
