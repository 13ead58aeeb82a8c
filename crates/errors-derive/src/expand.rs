//! From the attributes to the implementation.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{
    Attribute, Data, DeriveInput, Error, Fields, Ident, Path, Result, parse_quote,
    spanned::Spanned as _,
};

use crate::attributes::{Face, FieldAttributes, Kind, TypeAttributes};

/// The `match` arms of one variant, or of a struct.
enum Arm {
    /// Hands the whole value over to its one field.
    Delegate(TokenStream),
    /// Builds the public half from a borrowed value.
    Build(TokenStream),
}

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let attributes = TypeAttributes::parse(&input.attrs)?;
    let krate = attributes
        .krate
        .unwrap_or_else(|| parse_quote!(::seawall_errors));

    let arms = match &input.data {
        Data::Struct(data) => {
            let face = attributes.face;
            if face.kind.is_none() {
                return Err(Error::new(input.ident.span(), SILENT));
            }
            vec![arm(&krate, &face, None, &data.fields)?]
        }
        Data::Enum(data) => {
            let mut arms = Vec::new();
            let mut errors = None;
            for variant in &data.variants {
                let arm = face(&attributes.face, &variant.attrs, &variant.ident)
                    .and_then(|face| arm(&krate, &face, Some(&variant.ident), &variant.fields));
                match arm {
                    Ok(arm) => arms.push(arm),
                    Err(error) => collect(&mut errors, error),
                }
            }
            if let Some(errors) = errors {
                return Err(errors);
            }
            arms
        }
        Data::Union(_) => {
            return Err(Error::new(
                input.ident.span(),
                "a union cannot be an API error",
            ));
        }
    };

    let (mut delegates, mut builders) = (Vec::new(), Vec::new());
    for arm in arms {
        match arm {
            Arm::Delegate(arm) => delegates.push(arm),
            Arm::Build(arm) => builders.push(arm),
        }
    }
    let owned = if builders.is_empty() {
        // Nothing is left for a common arm, which would be unreachable (or, without variants, all).
        quote!()
    } else {
        let rest = (!delegates.is_empty()).then(|| {
            // The outer `match` took these; a `match` on a reference cannot know.
            quote!(_ => #krate::ApiError::new(#krate::codes::INTERNAL_ERROR),)
        });
        quote! {
            this => {
                let error = match &this { #(#builders)* #rest };
                #krate::ApiError::source(error, this)
            }
        }
    };

    let name = &input.ident;
    let (generics, types, bounds) = input.generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #generics #krate::IntoApiError for #name #types #bounds {
            fn into_api_error(self) -> #krate::ApiError {
                match self { #(#delegates)* #owned }
            }
        }

        #[automatically_derived]
        impl #generics ::core::convert::From<#name #types> for #krate::ApiError #bounds {
            fn from(error: #name #types) -> Self {
                #krate::IntoApiError::into_api_error(error)
            }
        }
    })
}

/// What a variant says, completed by what the enum says for those that say nothing.
fn face(default: &Face, attributes: &[Attribute], variant: &Ident) -> Result<Face> {
    let said = Face::parse(attributes)?;
    let face = if said.is_silent() {
        default.clone()
    } else {
        Face {
            kind: said.kind.clone().or_else(|| default.kind.clone()),
            ..said
        }
    };
    if face.kind.is_none() {
        return Err(Error::new(variant.span(), SILENT));
    }
    Ok(face)
}

fn arm(krate: &Path, face: &Face, variant: Option<&Ident>, fields: &Fields) -> Result<Arm> {
    let path = match variant {
        Some(variant) => quote!(Self::#variant),
        None => quote!(Self),
    };
    let code = match &face.kind {
        Some(Kind::Transparent(span)) => {
            let said_more =
                face.message.is_some() || face.retry_after.is_some() || face.not_executed;
            let only = fields
                .iter()
                .next()
                .filter(|_| fields.len() == 1 && !said_more);
            let Some(field) = only else {
                return Err(Error::new(
                    *span,
                    "`transparent` goes with exactly one field and says everything",
                ));
            };
            if !FieldAttributes::parse(&field.attrs)?.is_silent() {
                return Err(Error::new(
                    field.span(),
                    "`transparent` leaves nothing to say here",
                ));
            }
            let member = match &field.ident {
                Some(name) => quote!(#name),
                None => quote!(0),
            };
            return Ok(Arm::Delegate(quote! {
                #path { #member: inner } => #krate::IntoApiError::into_api_error(inner),
            }));
        }
        Some(Kind::Code(code)) => quote!(#code),
        Some(Kind::Internal) | None => quote!(#krate::codes::INTERNAL_ERROR),
    };

    let mut error = quote!(#krate::ApiError::new(#code));
    if let Some(message) = &face.message {
        error.extend(quote!(.message(#message)));
    }
    if let Some(seconds) = &face.retry_after {
        error.extend(quote!(.retry_after(::core::time::Duration::from_secs(#seconds))));
    }
    if face.not_executed {
        error.extend(quote!(.not_executed()));
    }

    let (mut bindings, mut waits) = (Vec::new(), Vec::new());
    for (position, field) in fields.iter().enumerate() {
        let attributes = FieldAttributes::parse(&field.attrs)?;
        if attributes.is_silent() {
            continue;
        }
        let index = syn::Index::from(position);
        let member = match &field.ident {
            Some(name) => quote!(#name),
            None => quote!(#index),
        };
        let binding = format_ident!("field_{position}");
        bindings.push(quote!(#member: #binding));
        if let Some(public) = &attributes.public {
            let name = public.member(field.ident.as_ref())?;
            error.extend(quote!(.meta(#name, ::core::clone::Clone::clone(#binding))));
        }
        if attributes.retry_after {
            if face.retry_after.is_some() || !waits.is_empty() {
                return Err(Error::new(field.ty.span(), "the wait is given twice"));
            }
            waits.push(quote! {
                match ::core::convert::Into::<::core::option::Option<::core::time::Duration>>::into(
                    ::core::clone::Clone::clone(#binding),
                ) {
                    ::core::option::Option::Some(delay) => error.retry_after(delay),
                    ::core::option::Option::None => error,
                }
            });
        }
    }
    Ok(Arm::Build(quote! {
        #path { #(#bindings,)* .. } => {
            let error = #error;
            #(let error = #waits;)*
            error
        }
    }))
}

fn collect(errors: &mut Option<Error>, error: Error) {
    match errors {
        Some(errors) => errors.combine(error),
        None => *errors = Some(error),
    }
}

const SILENT: &str = "say how callers see this: `#[api(code = ..)]`, `#[api(internal)]` or \
                      `#[api(transparent)]`";
