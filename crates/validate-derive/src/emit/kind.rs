//! Rules as types of no size, one a field.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;

use crate::field::{Field, is_option};
use crate::moment::{MomentRules, Side};
use crate::rules::{Count, ListRules, NumberRules, Rules, TextRules};

/// Makes the types, and collects their definitions.
#[derive(Default)]
pub(crate) struct Kinds {
    made: usize,
    pub(crate) definitions: TokenStream,
}

impl Kinds {
    fn name(&mut self) -> Ident {
        let name = format_ident!("__Rules{}", self.made);
        self.made += 1;
        name
    }

    /// The kind of a field's rules.
    pub(crate) fn field(&mut self, field: &Field<'_>) -> TokenStream {
        let ty = super::to_static(field.ty);
        let kind = self.kind(&field.rules, &ty, syn::spanned::Spanned::span(field.ty));
        match &field.rules {
            // `FromStr` is implemented for too many types for this kind to pass through an
            // `Option` by itself.
            Rules::Text(text) if text.parse && !text.empty_as_none && is_option(field.ty) => {
                quote!(__v::read::Nullable<#kind>)
            }
            _ => kind,
        }
    }

    /// The kind of these rules. `ty` is the type that is read, spelled so that a constant may name
    /// it.
    fn kind(&mut self, rules: &Rules, ty: &TokenStream, span: Span) -> TokenStream {
        match rules {
            Rules::Own => quote!(__v::read::Own),
            Rules::Foreign => quote!(__v::read::Foreign),
            Rules::Text(text) => {
                let name = self.text(text, span);
                let kind = match text.parse {
                    true => quote!(__v::read::Parsed<#name>),
                    false => quote!(__v::read::Text<#name>),
                };
                match text.empty_as_none {
                    true => quote!(__v::read::EmptyAsNone<#name, #kind>),
                    false => kind,
                }
            }
            Rules::Number(number) => {
                let name = self.number(number, ty, span);
                quote!(__v::read::Number<#name>)
            }
            Rules::Moment(rules) => {
                let name = self.moment(rules, ty, span);
                quote!(__v::read::When<#name>)
            }
            Rules::Items(rules, each) => {
                let inner = quote_spanned!(span=> <#ty as __v::read::ListOf>::Item);
                let each = self.kind(each, &inner, span);
                let name = self.items(rules, span);
                quote!(__v::read::Items<#name, #each>)
            }
            Rules::Entries(count, keys, values) => {
                let key = quote_spanned!(span=> <#ty as __v::read::MapOf>::Key);
                let value = quote_spanned!(span=> <#ty as __v::read::MapOf>::Value);
                let keys = self.kind(keys, &key, span);
                let values = self.kind(values, &value, span);
                let name = self.entries(count);
                quote!(__v::read::Entries<#name, #keys, #values>)
            }
        }
    }

    fn text(&mut self, rules: &TextRules, span: Span) -> Ident {
        let name = self.name();
        let most = rules.most;
        let user_chars = rules.chars.clone().unwrap_or_default();
        let has_max = user_chars.max.is_some()
            || rules
                .bytes
                .as_ref()
                .is_some_and(|bytes| bytes.max.is_some());
        let mut sizes = Vec::new();
        let mut describes = Vec::new();
        let mut raw = Vec::new();
        let mut too_long = None;

        // The text's own maximum stands in where the user gave none.
        let own_most = most.filter(|_| !has_max).map(|most| quote!(#most));
        let chars_max = user_chars.max.as_ref().map(|max| quote!(#max)).or(own_most);
        if user_chars.min.is_some() || chars_max.is_some() {
            let min = user_chars.min.map_or_else(|| quote!(0), |min| quote!(#min));
            let max = chars_max
                .clone()
                .unwrap_or_else(|| quote!(::core::primitive::usize::MAX));
            sizes.push(quote! {
                {
                    const MIN: ::core::primitive::usize = #min;
                    const MAX: ::core::primitive::usize = #max;
                    const _: () = ::core::assert!(MIN <= MAX, "the fewest characters are more than the most");
                    if !__v::read::chars(text, MIN, MAX, cx) {
                        return;
                    }
                }
            });
            describes.push(quote! {
                if #min > 0 {
                    schema.set("minLength", const { let min: ::core::primitive::usize = #min; min });
                }
            });
        }
        if let Some(max) = &chars_max {
            raw.push(max.clone());
            describes.push(quote! {
                schema.set("maxLength", const { let max: ::core::primitive::usize = #max; max });
            });
            too_long = Some(
                quote!(__v::Violation::new(__v::Code::STRING_TOO_LONG).param("max", const { let max: ::core::primitive::usize = #max; max })),
            );
        }
        if let Some(bytes) = &rules.bytes {
            let (least, most) = (bytes.least(), bytes.most());
            sizes.push(quote! {
                {
                    const MIN: ::core::primitive::usize = #least;
                    const MAX: ::core::primitive::usize = #most;
                    const _: () = ::core::assert!(MIN <= MAX, "the fewest bytes are more than the most");
                    if !__v::read::bytes(text, MIN, MAX, cx) {
                        return;
                    }
                }
            });
            if let Some(max) = &bytes.max {
                raw.push(quote!(#max));
                // So many bytes are at most so many characters: a schema can say no more.
                if chars_max.is_none() {
                    describes.push(quote! {
                        schema.set("maxLength", const { let max: ::core::primitive::usize = #max; max });
                    });
                    too_long = Some(
                        quote!(__v::Violation::new(__v::Code::BYTES_TOO_LONG).param("max", const { let max: ::core::primitive::usize = #max; max })),
                    );
                }
            }
        }
        let raw = match raw.as_slice() {
            [] => quote!(::core::option::Option::None),
            all => quote! {{
                let mut raw = ::core::primitive::usize::MAX;
                #({
                    let max: ::core::primitive::usize = #all;
                    if max.saturating_mul(4) < raw {
                        raw = max.saturating_mul(4);
                    }
                })*
                ::core::option::Option::Some(raw)
            }},
        };
        let too_long =
            too_long.unwrap_or_else(|| quote!(__v::Violation::new(__v::Code::STRING_TOO_LONG)));
        let steps = &rules.normalize;
        let checks = &rules.checks;
        describes.extend(rules.describes.iter().cloned());
        let normalize = (!steps.is_empty()).then(|| quote! {
            fn normalize(
                text: ::std::borrow::Cow<'_, ::core::primitive::str>,
            ) -> ::std::borrow::Cow<'_, ::core::primitive::str> {
                #(let text = __v::read::then(text, |text| ::core::convert::Into::into(#steps));)*
                text
            }
        });
        let head = quote_spanned!(span=> impl __v::read::TextRules for #name);
        self.definitions.extend(quote! {
            struct #name;
            #head {
                const RAW: ::core::option::Option<::core::primitive::usize> = #raw;
                fn too_long() -> __v::Violation {
                    #too_long
                }
                #normalize
                fn check(text: &::core::primitive::str, cx: &mut __v::Cx<'_>) {
                    #(#sizes)*
                    #(#checks)*
                }
                fn describe(schema: &mut __v::Schema) {
                    #(#describes)*
                }
            }
        });
        name
    }

    fn number(&mut self, rules: &NumberRules, ty: &TokenStream, span: Span) -> Ident {
        let name = self.name();
        let number = quote_spanned!(span=> <#ty as __v::read::NumberOf>::Number);
        let (min, max) = (optional(&rules.min), optional(&rules.max));
        let (above, below) = (optional(&rules.above), optional(&rules.below));
        let (checks, describes) = (&rules.checks, &rules.describes);
        let clamp = rules.clamp.then(|| {
            quote!(
                const CLAMP: ::core::primitive::bool = true;
            )
        });
        let ordered = match (&rules.min, &rules.max) {
            (Some(min), Some(max)) => Some(quote! {
                const _: () = ::core::assert!(
                    { let min: #number = #min; min } <= { let max: #number = #max; max },
                    "the least number is above the greatest"
                );
            }),
            _ => None,
        };
        // The names of locals are not of the field's context: the checks are not either.
        let [value, cx, schema] = ["value", "cx", "schema"].map(|name| format_ident!("{name}"));
        self.definitions.extend(quote_spanned! {span=>
            struct #name;
            #ordered
            impl __v::read::NumberRules<#number> for #name {
                const SPAN: __v::read::Span<#number> =
                    __v::read::Span { min: #min, max: #max, above: #above, below: #below };
                #clamp
                fn check(#value: #number, #cx: &mut __v::Cx<'_>) {
                    #(#checks)*
                }
                fn describe(#schema: &mut __v::Schema) {
                    #(#describes)*
                }
            }
        });
        name
    }

    fn moment(&mut self, rules: &MomentRules, ty: &TokenStream, span: Span) -> Ident {
        let name = self.name();
        let moment = quote_spanned!(span=> <#ty as __v::read::MomentOf>::Moment);
        let side = match rules.side {
            None => quote!(::core::option::Option::None),
            Some(Side::Past) => quote!(::core::option::Option::Some(__v::read::Side::Past)),
            Some(Side::Future) => quote!(::core::option::Option::Some(__v::read::Side::Future)),
        };
        let (before, after) = (optional(&rules.before), optional(&rules.after));
        let within = optional(&rules.within);
        self.definitions.extend(quote_spanned! {span=>
            struct #name;
            impl __v::read::MomentRules<#moment> for #name {
                const TIMES: __v::read::Times<#moment> = __v::read::Times {
                    side: #side,
                    within: #within,
                    before: #before,
                    after: #after,
                };
            }
        });
        name
    }

    fn items(&mut self, rules: &ListRules, span: Span) -> Ident {
        let name = self.name();
        let counts = counts(&rules.count);
        let mut bounds = Vec::new();
        let mut more = TokenStream::new();
        if rules.unique || rules.dedup {
            let (unique, dedup) = (rules.unique, rules.dedup);
            bounds.push(quote_spanned!(span=> ::core::cmp::Eq + ::core::hash::Hash));
            more.extend(quote! {
                const UNIQUE: ::core::primitive::bool = #unique;
                const DEDUP: ::core::primitive::bool = #dedup;
                fn repeated<'a>(
                    items: impl ::core::iter::Iterator<Item = &'a __T>,
                ) -> ::std::vec::Vec<::core::primitive::usize>
                where
                    __T: 'a,
                {
                    __v::read::repeated(items)
                }
            });
        }
        if rules.sort {
            bounds.push(quote_spanned!(span=> ::core::cmp::Ord));
        }
        if !rules.tidies.is_empty() {
            let tidies = &rules.tidies;
            more.extend(quote! {
                fn tidy(items: &mut ::std::vec::Vec<__T>) {
                    #(#tidies)*
                }
            });
        }
        let bound = (!bounds.is_empty()).then(|| quote!(: #(#bounds)+*));
        let ordered = ordered(&rules.count);
        self.definitions.extend(quote! {
            struct #name;
            #ordered
            impl<__T #bound> __v::read::ItemRules<__T> for #name {
                #counts
                #more
            }
        });
        name
    }

    fn entries(&mut self, count: &Count) -> Ident {
        let name = self.name();
        let counts = counts(count);
        let ordered = ordered(count);
        self.definitions.extend(quote! {
            struct #name;
            #ordered
            impl __v::read::EntryRules for #name {
                #counts
            }
        });
        name
    }
}

fn optional(expr: &Option<syn::Expr>) -> TokenStream {
    match expr {
        Some(expr) => quote!(::core::option::Option::Some(#expr)),
        None => quote!(::core::option::Option::None),
    }
}

fn counts(count: &Count) -> TokenStream {
    let min = count.least();
    let max = optional(&count.max);
    quote! {
        const MIN: ::core::primitive::usize = #min;
        const MAX: ::core::option::Option<::core::primitive::usize> = #max;
    }
}

/// Compares the bounds when the program is checked, and not only when it is built.
fn ordered(count: &Count) -> TokenStream {
    let (Some(min), Some(max)) = (&count.min, &count.max) else {
        return TokenStream::new();
    };
    quote! {
        const _: () = {
            let (min, max): (::core::primitive::usize, ::core::primitive::usize) = (#min, #max);
            ::core::assert!(min <= max, "the fewest items are more than the most");
        };
    }
}
