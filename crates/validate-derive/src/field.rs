//! One field: its name on the wire, its rules, and what else is asked of it.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Expr, Ident, Result, Type};

use crate::attr::{self, Item};
use crate::case::Case;
use crate::maximum;
use crate::rules::Rules;
use crate::serde_attr::{self, Serde};

pub(crate) struct Field<'a> {
    pub(crate) ident: Option<&'a Ident>,
    pub(crate) ty: &'a Type,
    pub(crate) wire: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) default: Option<serde_attr::Default>,
    pub(crate) flatten: bool,
    pub(crate) skip: bool,
    pub(crate) required: bool,
    pub(crate) rules: Rules,
    /// Calls of the user's rules over `value` and `cx`.
    pub(crate) calls: Vec<TokenStream>,
    /// Statements over `self` and `cx`, run once every field is sound.
    pub(crate) cross: Vec<TokenStream>,
    pub(crate) doc: Option<String>,
}

impl<'a> Field<'a> {
    pub(crate) fn parse(field: &'a syn::Field, case: Option<Case>) -> Result<Self> {
        let serde = Serde::parse(&field.attrs)?;
        let items = attr::items(&field.attrs, "validate")?;
        let own = field
            .ident
            .as_ref()
            .map(|ident| ident.unraw().to_string())
            .unwrap_or_default();
        let renamed = case.map(|case| case.field(&own));
        let mut out = Self {
            ident: field.ident.as_ref(),
            ty: &field.ty,
            wire: serde.rename.or(renamed).unwrap_or(own),
            aliases: serde.aliases,
            default: serde.default,
            flatten: serde.flatten,
            skip: serde.skip,
            required: false,
            rules: Rules::parse(&items)?,
            calls: Vec::new(),
            cross: Vec::new(),
            doc: doc(&field.attrs),
        };
        for item in &items {
            out.take(item)?;
        }
        if let (Rules::Text(text), false) = (&out.rules, is_option(out.ty))
            && text.empty_as_none
        {
            return Err(syn::Error::new_spanned(
                out.ty,
                "`empty_as_none` is for `Option` fields; write `Option<String>`, or `default_if_blank(\"..\")`",
            ));
        }
        // `nested` is the word of somebody whose type is only called like one of the standard library.
        if !out.flatten && !out.skip && !items.iter().any(|item| item.name == "nested") {
            maximum::demand(out.ty, &out.rules)?;
        }
        if (out.flatten || out.skip) && !items.is_empty() {
            let word = if out.flatten { "flattened" } else { "skipped" };
            let message =
                format!("a {word} field is not read by itself, so rules here would do nothing");
            return Err(items[0].error(message));
        }
        Ok(out)
    }

    fn take(&mut self, item: &Item) -> Result<()> {
        match item.name.to_string().as_str() {
            "nested" => item.bare()?,
            "required" => {
                item.bare()?;
                if self.default.is_some() {
                    return Err(item.error("a field with a default is never missing; leave `required` or the default out"));
                }
                if !is_option(self.ty) {
                    return Err(item.error(
                        "a field is required unless it is an `Option`; leave `required` out",
                    ));
                }
                self.required = true;
            }
            "with" => {
                let path = item.path("with = path::to::function")?;
                self.call(&quote!(#path(value)));
            }
            "with_context" => {
                let path = item.path("with_context = path::to::function")?;
                self.call(&quote!(#path(value, &*cx)));
            }
            "required_if" => {
                let condition: Expr = item.arg("required_if(self.kind == Kind::Card)")?;
                self.when(
                    item,
                    &condition,
                    &quote!(is_none),
                    &quote!(__v::Code::REQUIRED),
                )?;
            }
            "forbidden_if" => {
                let condition: Expr = item.arg("forbidden_if(self.kind == Kind::Cash)")?;
                self.when(
                    item,
                    &condition,
                    &quote!(is_some),
                    &quote!(__v::Code::UNKNOWN_FIELD),
                )?;
            }
            "when" => self.when_word(item)?,
            "same_as" | "differs_from" => {
                let usage = format!("{}(other_field)", item.name);
                let other: Ident = item.arg(&usage)?;
                let Some(ident) = self.ident else {
                    return Err(item.error("only a named field can be compared"));
                };
                let (wire, name) = (&self.wire, other.to_string());
                let (same, code) = match item.name == "same_as" {
                    true => (quote!(==), quote!(__v::Code::MISMATCH)),
                    false => (quote!(!=), quote!(__v::Code::NO_DIFFERENCE)),
                };
                self.cross.push(quote! {
                    if !(self.#ident #same self.#other) {
                        cx.report(__v::Violation::new(#code).param("field", #name).at_field(#wire));
                    }
                });
            }
            _ => {}
        }
        Ok(())
    }

    /// `when(condition, required)`
    fn when_word(&mut self, item: &Item) -> Result<()> {
        struct Args(Expr, Ident);
        impl syn::parse::Parse for Args {
            fn parse(input: syn::parse::ParseStream<'_>) -> Result<Self> {
                let condition = input.parse()?;
                input.parse::<syn::Token![,]>()?;
                Ok(Self(condition, input.parse()?))
            }
        }
        let usage = "when(self.kind == Kind::Card, required)";
        let Args(condition, word) = item.arg(usage)?;
        if word == "required" {
            self.when(
                item,
                &condition,
                &quote!(is_none),
                &quote!(__v::Code::REQUIRED),
            )
        } else if word == "forbidden" {
            self.when(
                item,
                &condition,
                &quote!(is_some),
                &quote!(__v::Code::UNKNOWN_FIELD),
            )
        } else {
            Err(item.error("`when` can make a field `required` or `forbidden`"))
        }
    }

    fn when(
        &mut self,
        item: &Item,
        condition: &Expr,
        state: &TokenStream,
        code: &TokenStream,
    ) -> Result<()> {
        let Some(ident) = self.ident.filter(|_| is_option(self.ty)) else {
            return Err(item.error(format!("`{}` is for `Option` fields", item.name)));
        };
        let wire = &self.wire;
        let condition = attr::over_self(condition);
        self.cross.push(quote! {
            if self.#ident.#state() && (#condition) {
                cx.report(__v::Violation::new(#code).at_field(#wire));
            }
        });
        Ok(())
    }

    /// Adds a call, which for an `Option` is made with what is inside.
    fn call(&mut self, call: &TokenStream) {
        self.calls.push(if is_option(self.ty) {
            quote!(if let ::core::option::Option::Some(value) = value { __v::read::note(#call, cx); })
        } else {
            quote!(__v::read::note(#call, cx);)
        });
    }
}

/// Whether the type is spelled as an `Option`. Only what is convenience looks at spelling.
pub(crate) fn is_option(ty: &Type) -> bool {
    let Type::Path(path) = plain(ty) else {
        return false;
    };
    path.path
        .segments
        .last()
        .is_some_and(|segment| segment.ident == "Option")
}

/// The type itself, where a macro has handed it over in an invisible group.
pub(crate) fn plain(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => plain(&group.elem),
        Type::Paren(paren) => plain(&paren.elem),
        ty => ty,
    }
}

/// The text of the documentation comments.
pub(crate) fn doc(attrs: &[syn::Attribute]) -> Option<String> {
    let lines = attrs.iter().filter_map(|attr| match &attr.meta {
        syn::Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(syn::ExprLit {
                lit: syn::Lit::Str(text),
                ..
            }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    let text = lines.collect::<Vec<_>>().join("\n").trim().to_owned();
    (!text.is_empty()).then_some(text)
}
