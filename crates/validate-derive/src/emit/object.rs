//! A struct with named fields.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, FieldsNamed, Result};

use super::kind::Kinds;
use super::{cross, generics};
use crate::container::Container;
use crate::field::{Field, doc};
use crate::serde_attr::{Default, Serde};

/// The code of a struct, and its fields.
pub(super) struct Object<'a> {
    pub(super) code: TokenStream,
    pub(super) fields: Vec<Field<'a>>,
    pub(super) parts: Vec<Part>,
}

/// `hidden` is the number of the variant that the struct stands for, if it does.
pub(super) fn emit<'a>(
    input: &DeriveInput,
    container: &Container,
    serde: &Serde,
    named: &'a FieldsNamed,
    kinds: &mut Kinds,
    hidden: Option<usize>,
) -> Result<Object<'a>> {
    let fields = parse(named, serde)?;
    let name = &input.ident;
    let generics = generics(input, container, true);
    let (impl_generics, partial_generics, clause) = generics.split_for_impl();
    let (_, type_generics, _) = input.generics.split_for_impl();
    let suffix = hidden.map(|number| number.to_string()).unwrap_or_default();
    let partial = format_ident!("__Partial{suffix}");
    let parts = fields
        .iter()
        .enumerate()
        .map(|(at, field)| Part::new(at, field, serde, kinds))
        .collect::<Vec<_>>();
    let statements: Vec<_> = container
        .checks
        .iter()
        .chain(fields.iter().flat_map(|field| &field.cross))
        .cloned()
        .collect();
    let names: Vec<_> = fields
        .iter()
        .filter(|field| !field.skip)
        .filter_map(|field| field.ident)
        .collect();
    let (cross_definition, cross_call) = cross(input, container, &names, &statements, &suffix);

    let read: Vec<_> = parts
        .iter()
        .filter(|part| !part.flat && !part.skip)
        .collect();
    let flat: Vec<_> = parts.iter().filter(|part| part.flat).collect();
    let count = read.len();
    let closed = container.closed;

    let places = parts.iter().map(|part| &part.place);
    let opens = parts.iter().map(|part| &part.open);
    let finds = read.iter().enumerate().map(|(at, part)| {
        let keys = &part.keys;
        quote!(#(#keys)|* => return ::core::option::Option::Some(#at),)
    });
    let accepts = read.iter().enumerate().map(|(at, part)| {
        let accept = &part.accept;
        quote!(#at => { #accept })
    });
    let flat_finds = flat.iter().map(|part| {
        let fields = &part.read;
        quote! {
            if let ::core::option::Option::Some(at) = #fields::find(key) {
                return ::core::option::Option::Some(offset + at);
            }
            let offset = offset + #fields::COUNT;
        }
    });
    let flat_accepts = flat.iter().map(|part| {
        let (fields, held) = (&part.read, &part.held);
        quote! {
            if field < #fields::COUNT {
                return #fields::accept(&mut partial.#held, field, map, cx);
            }
            let field = field - #fields::COUNT;
        }
    });
    let flat_counts = flat.iter().map(|part| &part.read);
    let closes = parts.iter().map(|part| &part.close);
    let held: Vec<_> = parts.iter().map(|part| &part.held).collect();
    let members = fields.iter().map(|field| field.ident);
    let checks = parts.iter().map(|part| &part.check);
    let describes = parts.iter().map(|part| &part.describe);
    let title = name.to_string();
    let description = doc(&input.attrs).map(|text| quote!(schema.set("description", #text);));

    // A variant is no type that a schema could name.
    let schema = quote! {
        let mut schema = __v::Schema::of_type("object");
        #description
        <Self as __v::read::Fields<'__de>>::describe(&mut schema, schemas);
        if #closed {
            schema.set_flag("additionalProperties", false);
        }
        schema
    };
    let schema = match hidden {
        Some(_) => schema,
        None => quote! {
            schemas.named::<Self>(
                ::core::concat!(::core::module_path!(), ::core::line!(), ":", ::core::column!()),
                #title,
                |schemas| { #schema },
            )
        },
    };
    let code = quote! {
        #cross_definition

        pub struct #partial #impl_generics #clause {
            #(#places,)*
            __of: ::core::marker::PhantomData<(fn() -> #name #type_generics, &'__de ())>,
        }

        #[automatically_derived]
        impl #impl_generics __v::read::Fields<'__de> for #name #type_generics #clause {
            type Partial = #partial #partial_generics;
            const COUNT: ::core::primitive::usize = #count #(+ #flat_counts::COUNT)*;
            const CLOSED: ::core::primitive::bool = #closed;

            fn open() -> Self::Partial {
                #partial { #(#opens,)* __of: ::core::marker::PhantomData }
            }

            fn find(key: &::core::primitive::str) -> ::core::option::Option<::core::primitive::usize> {
                match key {
                    #(#finds)*
                    _ => {}
                }
                let offset = #count;
                #(#flat_finds)*
                ::core::option::Option::None
            }

            fn accept<__A: __v::__serde::de::MapAccess<'__de>>(
                partial: &mut Self::Partial,
                field: ::core::primitive::usize,
                map: &mut __A,
                cx: &mut __v::Cx<'_>,
            ) -> ::core::result::Result<(), __A::Error> {
                match field {
                    #(#accepts)*
                    _ => {
                        let field = field - #count;
                        #(#flat_accepts)*
                    }
                }
                ::core::result::Result::Ok(())
            }

            fn close(
                partial: Self::Partial,
                cx: &mut __v::Cx<'_>,
            ) -> ::core::option::Option<Self> {
                let before = cx.faults();
                #(#closes)*
                let value = Self { #(#members: #held?,)* };
                #cross_call
                (cx.faults() == before).then_some(value)
            }

            fn check_fields(&self, cx: &mut __v::Cx<'_>) {
                let value = self;
                #(#checks)*
                #cross_call
            }

            fn describe(schema: &mut __v::Schema, schemas: &mut __v::Schemas) {
                #(#describes)*
            }
        }

        #[automatically_derived]
        impl #impl_generics __v::Validate<'__de> for #name #type_generics #clause {
            fn read<__D: __v::__serde::Deserializer<'__de>>(
                deserializer: __D,
                cx: &mut __v::Cx<'_>,
            ) -> ::core::result::Result<::core::option::Option<Self>, __D::Error> {
                __v::read::read_fields::<Self, __D>(deserializer, cx)
            }

            fn check(&self, cx: &mut __v::Cx<'_>) {
                <Self as __v::read::Fields<'__de>>::check_fields(self, cx);
            }

            fn schema(schemas: &mut __v::Schemas) -> __v::Schema {
                #schema
            }
        }
    };
    Ok(Object {
        code,
        fields,
        parts,
    })
}

/// Parses the fields, and refuses two that would answer to one key.
pub(super) fn parse<'a>(named: &'a FieldsNamed, serde: &Serde) -> Result<Vec<Field<'a>>> {
    let mut fields = Vec::new();
    let mut errors: Option<syn::Error> = None;
    let mut keys = HashSet::new();
    for field in &named.named {
        match Field::parse(field, serde.rename_all) {
            Ok(parsed) => {
                let read = !parsed.flatten && !parsed.skip;
                for key in std::iter::once(&parsed.wire).chain(&parsed.aliases) {
                    if read && !keys.insert(key.clone()) {
                        let error = syn::Error::new_spanned(
                            field,
                            format!("two fields answer to the key `{key}`"),
                        );
                        combine(&mut errors, error);
                    }
                }
                fields.push(parsed);
            }
            Err(error) => combine(&mut errors, error),
        }
    }
    errors.map_or(Ok(fields), Err)
}

pub(super) fn combine(errors: &mut Option<syn::Error>, error: syn::Error) {
    match errors {
        Some(all) => all.combine(error),
        None => *errors = Some(error),
    }
}

/// The code that belongs to one field.
pub(super) struct Part {
    pub(super) flat: bool,
    pub(super) skip: bool,
    pub(super) held: syn::Ident,
    pub(super) keys: Vec<String>,
    /// The kind of the rules; none for fields that are flattened or skipped.
    pub(super) kind: TokenStream,
    /// The qualified type on which the reading functions are called.
    pub(super) read: TokenStream,
    pub(super) place: TokenStream,
    pub(super) open: TokenStream,
    pub(super) accept: TokenStream,
    pub(super) close: TokenStream,
    pub(super) check: TokenStream,
    pub(super) describe: TokenStream,
}

impl Part {
    pub(super) fn new(at: usize, field: &Field<'_>, serde: &Serde, kinds: &mut Kinds) -> Self {
        let held = format_ident!("__field{at}");
        let ty = field.ty;
        let span = ty.span();
        let ident = field.ident;
        let wire = &field.wire;
        let mut keys = field.aliases.clone();
        keys.insert(0, wire.clone());
        let default = match (&field.default, &serde.default) {
            (Some(Default::Path(path)), _) => Some(quote!(|| #path())),
            (Some(Default::Trait), _) => {
                Some(quote_spanned!(span=> <#ty as ::core::default::Default>::default))
            }
            (None, Some(Default::Trait)) => {
                Some(quote!(|| <Self as ::core::default::Default>::default().#ident))
            }
            (None, Some(Default::Path(path))) => {
                Some(quote!(|| { let all: Self = #path(); all.#ident }))
            }
            (None, None) => None,
        };
        if field.skip {
            let default = default.unwrap_or_else(
                || quote_spanned!(span=> <#ty as ::core::default::Default>::default),
            );
            return Self {
                flat: false,
                skip: true,
                place: quote!(#held: ()),
                open: quote!(#held: ()),
                accept: TokenStream::new(),
                close: quote!(let #held = ::core::option::Option::Some((#default)());),
                check: TokenStream::new(),
                describe: TokenStream::new(),
                read: TokenStream::new(),
                kind: TokenStream::new(),
                held,
                keys,
            };
        }
        if field.flatten {
            let read = quote_spanned!(span=> <#ty as __v::read::Fields<'__de>>);
            return Self {
                flat: true,
                skip: false,
                place: quote!(#held: #read::Partial),
                open: quote!(#held: #read::open()),
                accept: TokenStream::new(),
                close: quote!(let #held = #read::close(partial.#held, cx);),
                check: quote!(#read::check_fields(&self.#ident, cx);),
                describe: quote!(#read::describe(schema, schemas);),
                read,
                kind: TokenStream::new(),
                held,
                keys,
            };
        }
        let kind = kinds.field(field);
        let read = quote_spanned!(span=> <#ty as __v::read::Read<'__de, #kind>>);
        let take = quote_spanned!(span=> __v::read::take::<#ty, #kind, __A>);
        let calls = &field.calls;
        let call = (!calls.is_empty()).then(|| quote! {
            if taken {
                __v::read::held_rules(&mut partial.#held, #wire, cx, |value, cx| { #(#calls)* });
            }
        });
        let settle = match &default {
            Some(default) => quote!(__v::read::settle_or(partial.#held, #default)),
            None if field.required => quote!(__v::read::settle_some(partial.#held, #wire, cx)),
            None => {
                // The names of locals stay with the locals: a field that a macro was given is of
                // another context than the derive inside that macro.
                let settle = quote_spanned!(span=> __v::read::settle::<#ty, #kind>);
                quote!(#settle(partial.#held, #wire, cx))
            }
        };
        let checks = quote! {
            __v::read::check_field::<#ty, #kind>(&self.#ident, #wire, cx);
        };
        let check_calls = (!calls.is_empty()).then(|| {
            quote! {
                __v::read::in_field(#wire, cx, |cx| {
                    let value = &self.#ident;
                    #(#calls)*
                });
            }
        });
        let optional = default.is_some();
        let required = field.required;
        let description = field
            .doc
            .as_ref()
            .map(|text| quote!(field.set("description", #text);));
        let not_null = required.then(|| quote!(let mut field = field.not_null();));
        let describe = quote! {
            {
                let mut field = #read::schema(schemas);
                #not_null
                #description
                let required = #required || (!#optional && #read::absent().is_none());
                schema.property(#wire, field, required);
            }
        };
        Self {
            flat: false,
            skip: false,
            place: quote!(#held: __v::read::Held<#ty>),
            open: quote!(#held: __v::read::Held::Absent),
            accept: quote!(let taken = #take(&mut partial.#held, #wire, map, cx)?; #call),
            close: quote!(let #held = #settle;),
            check: quote!(#checks #check_calls),
            describe,
            read,
            kind,
            held,
            keys,
        }
    }
}
