//! An enum.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::Parser;
use syn::spanned::Spanned;
use syn::{DataEnum, DeriveInput, Ident, Result};

use super::generics;
use super::kind::Kinds;
use super::object::{self, combine};
use crate::attr;
use crate::container::Container;
use crate::field::{Field, doc};
use crate::serde_attr::Serde;

/// The code of one variant.
struct Variant {
    ident: Ident,
    wire: String,
    names: Vec<String>,
    /// `Self::A`, if it has no content.
    unit: Option<TokenStream>,
    /// Definitions at the top.
    definitions: TokenStream,
    /// Reads the content from `deserializer`.
    content: TokenStream,
    /// Reads the fields from `map`.
    fields: TokenStream,
    /// The arm of a match over `self` that checks.
    check: TokenStream,
    /// Adds the fields to an object's `schema`.
    describe: TokenStream,
    /// The schema of the content.
    schema: Option<TokenStream>,
}

pub(super) fn emit(
    input: &DeriveInput,
    container: &Container,
    serde: &Serde,
    data: &DataEnum,
) -> Result<TokenStream> {
    if let Some(check) = container.checks.first() {
        return Err(syn::Error::new_spanned(
            check,
            "checks across fields stand on a struct; put the fields into one, in a newtype variant",
        ));
    }
    if data.variants.is_empty() {
        return Err(syn::Error::new_spanned(
            &input.ident,
            "an enum without variants has no values",
        ));
    }
    let internal = serde.tag.is_some() && serde.content.is_none();
    let mut kinds = Kinds::default();
    let mut errors = None;
    let mut variants: Vec<Variant> = Vec::new();
    let mut taken = HashSet::new();
    for (number, variant) in data.variants.iter().enumerate() {
        match parse(
            input, container, serde, variant, number, internal, &mut kinds,
        ) {
            Ok(parsed) => {
                if let Some(name) = parsed
                    .names
                    .iter()
                    .find(|name| !taken.insert((*name).clone()))
                {
                    let message = format!("two variants are called `{name}`");
                    combine(&mut errors, syn::Error::new_spanned(variant, message));
                }
                variants.push(parsed);
            }
            Err(error) => combine(&mut errors, error),
        }
    }
    if let Some(errors) = errors {
        return Err(errors);
    }
    let definitions = kinds.definitions;
    Ok(assemble(input, container, serde, &variants, &definitions))
}

fn parse(
    input: &DeriveInput,
    container: &Container,
    serde: &Serde,
    variant: &syn::Variant,
    number: usize,
    internal: bool,
    kinds: &mut Kinds,
) -> Result<Variant> {
    let own = Serde::parse(&variant.attrs)?;
    if let Some(item) = attr::items(&variant.attrs, "validate")?.first() {
        return Err(item.error("rules stand at the fields of a variant, not at the variant"));
    }
    let ident = variant.ident.clone();
    let name = ident.unraw().to_string();
    let renamed = serde.rename_all.map(|case| case.variant(&name));
    let wire = own.rename.clone().or(renamed).unwrap_or(name);
    let mut names = own.aliases.clone();
    names.insert(0, wire.clone());
    let mut out = Variant {
        ident: ident.clone(),
        wire,
        names,
        unit: None,
        definitions: TokenStream::new(),
        content: TokenStream::new(),
        fields: TokenStream::new(),
        check: TokenStream::new(),
        describe: TokenStream::new(),
        schema: None,
    };
    let closed = container.closed;
    match &variant.fields {
        syn::Fields::Unit => {
            out.unit = Some(quote!(Self::#ident));
            out.content = quote!(__v::read::read_unit(deserializer, cx)?.map(|()| Self::#ident));
            out.fields = quote! {
                __v::read::read_variant::<__v::read::Nothing<#closed>, __A>(map, cx)?
                    .map(|_| Self::#ident)
            };
            out.check = quote!(Self::#ident => {});
        }
        syn::Fields::Unnamed(fields) => {
            let (Some(only), 1) = (fields.unnamed.first(), fields.unnamed.len()) else {
                return Err(syn::Error::new_spanned(
                    variant,
                    "a tuple variant can be read with exactly one field; name the fields",
                ));
            };
            newtype(&mut out, only, internal, kinds)?;
        }
        syn::Fields::Named(named) => {
            let case = own.rename_all.or(serde.rename_all_fields);
            structure(&mut out, input, container, case, named, number, kinds)?;
        }
    }
    Ok(out)
}

fn newtype(out: &mut Variant, only: &syn::Field, internal: bool, kinds: &mut Kinds) -> Result<()> {
    let ident = &out.ident;
    let field = Field::parse(only, None)?;
    let ty = field.ty;
    let span = ty.span();
    let kind = kinds.field(&field);
    let calls = &field.calls;
    let read = quote_spanned!(span=> <#ty as __v::read::Read<'__de, #kind>>);
    let rules = quote! {
        let value = value.filter(|value| {
            let before = cx.faults();
            #(#calls)*
            cx.faults() == before
        });
    };
    out.content = quote! {{
        let value = #read::read(deserializer, cx)?;
        #rules
        value.map(Self::#ident)
    }};
    out.check = quote!(Self::#ident(value) => { #read::check(value, cx); #(#calls)* });
    out.schema = Some(quote!(#read::schema(schemas)));
    if internal {
        let read_fields = quote_spanned!(span=> __v::read::read_variant::<#ty, __A>);
        let describe = quote_spanned!(span=> <#ty as __v::read::Fields<'__de>>::describe);
        out.fields = quote! {{
            let value = #read_fields(map, cx)?;
            #rules
            value.map(Self::#ident)
        }};
        out.describe = quote!(#describe(&mut schema, schemas););
    }
    Ok(())
}

fn structure(
    out: &mut Variant,
    input: &DeriveInput,
    container: &Container,
    case: Option<crate::case::Case>,
    named: &syn::FieldsNamed,
    number: usize,
    kinds: &mut Kinds,
) -> Result<()> {
    let ident = &out.ident;
    let hidden = format_ident!("__Variant{number}");
    // The fields of the variant as a struct of their own, with the generics of the enum, all of
    // which the last field uses.
    let lifetimes = input.generics.lifetimes().map(|def| &def.lifetime);
    let types = input.generics.type_params().map(|param| &param.ident);
    let marker: syn::Field = syn::Field::parse_named.parse2(quote! {
        #[serde(skip)]
        __of: ::core::marker::PhantomData<fn() -> (#(&#lifetimes (),)* #(#types,)*)>
    })?;
    let mut fields = named.clone();
    fields.named.push(marker);
    let stand_in = DeriveInput {
        attrs: Vec::new(),
        vis: syn::Visibility::Inherited,
        ident: hidden.clone(),
        generics: input.generics.clone(),
        data: syn::Data::Struct(syn::DataStruct {
            struct_token: <syn::Token![struct]>::default(),
            fields: syn::Fields::Named(fields.clone()),
            semi_token: None,
        }),
    };
    let settings = Container {
        krate: container.krate.clone(),
        closed: container.closed,
        deserialize: false,
        transparent: false,
        bound: container.bound.clone(),
        checks: Vec::new(),
    };
    let serde = Serde {
        rename_all: case,
        ..Serde::default()
    };
    let object = object::emit(&stand_in, &settings, &serde, &fields, kinds, Some(number))?;
    let (_, type_generics, clause) = input.generics.split_for_impl();
    let mut declared = input.generics.clone();
    for param in &mut declared.params {
        match param {
            syn::GenericParam::Type(param) => param.default = None,
            syn::GenericParam::Const(param) => param.default = None,
            syn::GenericParam::Lifetime(_) => {}
        }
    }
    let (declared, _, _) = declared.split_for_impl();
    let members = fields.named.iter().map(|field| {
        let (name, ty) = (&field.ident, &field.ty);
        quote!(#name: #ty)
    });
    let code = object.code;
    let names: Vec<_> = named.named.iter().map(|field| &field.ident).collect();
    out.definitions = quote! {
        struct #hidden #declared #clause { #(#members,)* }
        #code
    };
    let build = quote!(.map(|value: #hidden #type_generics| {
        let #hidden { #(#names,)* __of: _ } = value;
        Self::#ident { #(#names,)* }
    }));
    let whole = quote!(<#hidden #type_generics as __v::Validate<'__de>>);
    out.content = quote!(#whole::read(deserializer, cx)? #build);
    out.fields = quote!(__v::read::read_variant::<#hidden #type_generics, __A>(map, cx)? #build);
    out.describe = quote! {
        <#hidden #type_generics as __v::read::Fields<'__de>>::describe(&mut schema, schemas);
    };
    out.schema = Some(quote!(#whole::schema(schemas)));
    let checks = object
        .fields
        .iter()
        .zip(&object.parts)
        .filter(|(field, _)| !field.skip)
        .map(|(field, part)| {
            let (name, ty, wire, kind, calls) = (
                &field.ident,
                field.ty,
                &field.wire,
                &part.kind,
                &field.calls,
            );
            if field.flatten {
                let read = &part.read;
                return quote!(#read::check_fields(#name, cx););
            }
            quote! {
                __v::read::check_field::<#ty, #kind>(#name, #wire, cx);
                __v::read::in_field(#wire, cx, |cx| { let value = #name; #(#calls)* });
            }
        });
    let bound: Vec<_> = object
        .fields
        .iter()
        .filter(|field| !field.skip)
        .map(|field| field.ident)
        .collect();
    out.check = quote!(Self::#ident { #(#bound,)* .. } => { #(#checks)* });
    Ok(())
}

fn assemble(
    input: &DeriveInput,
    container: &Container,
    serde: &Serde,
    variants: &[Variant],
    definitions: &TokenStream,
) -> TokenStream {
    let name = &input.ident;
    let generics = generics(input, container, true);
    let (impl_generics, _, clause) = generics.split_for_impl();
    let (_, type_generics, _) = input.generics.split_for_impl();
    let closed = container.closed;
    let own_definitions = variants.iter().map(|variant| &variant.definitions);
    let wires: Vec<_> = variants.iter().map(|variant| &variant.wire).collect();
    let listed = variants
        .iter()
        .map(|variant| variant.wire.clone())
        .collect::<Vec<_>>()
        .join(", ");
    let units = variants.iter().all(|variant| variant.unit.is_some());
    let finds = variants.iter().enumerate().map(|(number, variant)| {
        let names = &variant.names;
        quote!(#(#names)|* => ::core::option::Option::Some(#number),)
    });
    let unit_arms = variants.iter().enumerate().filter_map(|(number, variant)| {
        let unit = variant.unit.as_ref()?;
        Some(quote!(#number => ::core::option::Option::Some(#unit),))
    });
    let contents = variants.iter().enumerate().map(|(number, variant)| {
        let content = &variant.content;
        quote!(#number => #content,)
    });
    let checks = variants.iter().map(|variant| &variant.check);
    let (read, tagged) = match (&serde.tag, &serde.content) {
        (None, _) => (
            quote!(__v::read::read_external::<Self, __D>(deserializer, cx)),
            None,
        ),
        (Some(tag), Some(content)) => (
            quote!(__v::read::read_adjacent::<Self, __D>(#tag, #content, deserializer, cx)),
            None,
        ),
        (Some(tag), None) => {
            let fields = variants.iter().enumerate().map(|(number, variant)| {
                let fields = &variant.fields;
                quote!(#number => #fields,)
            });
            let tagged = quote! {
                #[automatically_derived]
                impl #impl_generics __v::read::Tagged<'__de> for #name #type_generics #clause {
                    fn fields<__A: __v::__serde::de::MapAccess<'__de>>(
                        variant: ::core::primitive::usize,
                        map: __A,
                        cx: &mut __v::Cx<'_>,
                    ) -> ::core::result::Result<::core::option::Option<Self>, __A::Error> {
                        ::core::result::Result::Ok(match variant {
                            #(#fields)*
                            _ => ::core::option::Option::None,
                        })
                    }
                }
            };
            (
                quote!(__v::read::read_internal::<Self, __D>(#tag, deserializer, cx)),
                Some(tagged),
            )
        }
    };
    let title = name.to_string();
    let schemas = schemas(serde, variants, closed);
    let description = doc(&input.attrs).map(|text| quote!(schema.set("description", #text);));
    quote! {
        #definitions
        #(#own_definitions)*

        #[automatically_derived]
        impl #impl_generics __v::read::Variants<'__de> for #name #type_generics #clause {
            const NAMES: &'static [&'static ::core::primitive::str] = &[#(#wires),*];
            const LISTED: &'static ::core::primitive::str = #listed;
            const UNITS: ::core::primitive::bool = #units;
            const CLOSED: ::core::primitive::bool = #closed;

            fn find(name: &::core::primitive::str) -> ::core::option::Option<::core::primitive::usize> {
                match name {
                    #(#finds)*
                    _ => ::core::option::Option::None,
                }
            }

            fn unit(variant: ::core::primitive::usize) -> ::core::option::Option<Self> {
                match variant {
                    #(#unit_arms)*
                    _ => ::core::option::Option::None,
                }
            }

            fn content<__D: __v::__serde::Deserializer<'__de>>(
                variant: ::core::primitive::usize,
                deserializer: __D,
                cx: &mut __v::Cx<'_>,
            ) -> ::core::result::Result<::core::option::Option<Self>, __D::Error> {
                ::core::result::Result::Ok(match variant {
                    #(#contents)*
                    _ => ::core::option::Option::None,
                })
            }
        }

        #tagged

        #[automatically_derived]
        impl #impl_generics __v::Validate<'__de> for #name #type_generics #clause {
            fn read<__D: __v::__serde::Deserializer<'__de>>(
                deserializer: __D,
                cx: &mut __v::Cx<'_>,
            ) -> ::core::result::Result<::core::option::Option<Self>, __D::Error> {
                #read
            }

            fn check(&self, cx: &mut __v::Cx<'_>) {
                match self {
                    #(#checks)*
                }
            }

            fn schema(schemas: &mut __v::Schemas) -> __v::Schema {
                schemas.named::<Self>(
                    ::core::concat!(::core::module_path!(), ::core::line!(), ":", ::core::column!()),
                    #title,
                    |schemas| {
                        let mut schema = { #schemas };
                        #description
                        schema
                    },
                )
            }
        }
    }
}

/// The schema of the enum.
fn schemas(serde: &Serde, variants: &[Variant], closed: bool) -> TokenStream {
    let object = quote!(let mut schema = __v::Schema::of_type("object"););
    let close = quote!(if #closed { schema.set_flag("additionalProperties", false); });
    let units: Vec<_> = variants
        .iter()
        .filter(|variant| variant.unit.is_some())
        .map(|variant| &variant.wire)
        .collect();
    let names = (!units.is_empty()).then(|| {
        quote! {{
            let mut schema = __v::Schema::of_type("string");
            schema.set_list("enum", &[#(#units),*]);
            schema
        }}
    });
    let parts: Vec<TokenStream> = match (&serde.tag, &serde.content) {
        (None, _) => {
            let objects = variants.iter().map(|variant| {
                let wire = &variant.wire;
                let content = variant
                    .schema
                    .clone()
                    .unwrap_or_else(|| quote!(__v::Schema::of_type("null")));
                quote! {{
                    #object
                    schema.property(#wire, #content, true);
                    schema.set_flag("additionalProperties", false);
                    schema
                }}
            });
            names.into_iter().chain(objects).collect()
        }
        (Some(tag), content) => variants
            .iter()
            .map(|variant| {
                let wire = &variant.wire;
                let rest = match (content, &variant.schema) {
                    (Some(content), Some(schema)) => {
                        quote!(schema.property(#content, #schema, true);)
                    }
                    (Some(content), None) => {
                        quote!(schema.property(#content, __v::Schema::of_type("null"), false);)
                    }
                    (None, _) => variant.describe.clone(),
                };
                quote! {{
                    #object
                    let mut tag = __v::Schema::of_type("string");
                    tag.set("const", #wire);
                    schema.property(#tag, tag, true);
                    #rest
                    #close
                    schema
                }}
            })
            .collect(),
    };
    quote!(__v::Schema::one_of(::std::vec![#(#parts),*]))
}
