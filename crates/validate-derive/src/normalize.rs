//! The words of `normalize(..)`: for what each is, and what it becomes.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, Result};

use crate::attr::{self, Item};
use crate::rules::Family;
use crate::text::Feature;

/// The normalisers of text that take no arguments, all `fn(&str) -> impl Into<Cow<str>>` in `norm`.
const TEXT: &[(&str, Option<Feature>)] = &[
    ("trim", None),
    ("lower", None),
    ("upper", None),
    ("lower_ascii", None),
    ("upper_ascii", None),
    ("lower_domain", None),
    ("collapse_ws", None),
    ("strip_control", None),
    ("single_line", None),
    ("strip_invisible", None),
    ("strip_bidi", None),
    ("digits_only", None),
    ("nfc", Some(Feature::Unicode)),
    ("nfkc", Some(Feature::Unicode)),
    ("casefold", Some(Feature::Unicode)),
    ("precis_username", Some(Feature::Unicode)),
    ("precis_username_cased", Some(Feature::Unicode)),
    ("precis_nickname", Some(Feature::Unicode)),
    ("precis_opaque", Some(Feature::Unicode)),
];

/// Those of text that `text` knows by name, beside the ones in the table.
const SPECIAL: &[&str] = &["map", "default_if_blank", "empty_as_none"];
const NUMBERS: &[&str] = &["clamp"];
const LISTS: &[&str] = &["sort", "dedup"];

fn words() -> impl Iterator<Item = &'static str> {
    let special = [SPECIAL, NUMBERS, LISTS].into_iter().flatten().copied();
    TEXT.iter().map(|(word, _)| *word).chain(special)
}

/// Whether this word stands in `normalize(..)`.
pub(crate) fn is_normalizer(word: &str) -> bool {
    words().any(|known| known == word)
}

/// What kind of values a `normalize(..)` is for.
pub(crate) fn family(item: &Item) -> Result<Family> {
    let mut found: Option<(Family, Item)> = None;
    for step in item.items()? {
        let this = if NUMBERS.iter().any(|word| step.name == word) {
            Family::Number
        } else if LISTS.iter().any(|word| step.name == word) {
            Family::List
        } else {
            Family::Text
        };
        match &found {
            Some((first, by)) if *first != this => {
                return Err(step.error(format!(
                    "`{}` is for {}, and `{}` beside it is for {}",
                    step.name,
                    this.name(),
                    by.name,
                    first.name(),
                )));
            }
            Some(_) => {}
            None => found = Some((this, step)),
        }
    }
    Ok(found.map_or(Family::Text, |(family, _)| family))
}

/// The text after one step, as an expression over `text: &str`.
pub(crate) fn text(step: &Item) -> Result<TokenStream> {
    let word = step.name.to_string();
    match word.as_str() {
        "map" => {
            let path = step.arg::<syn::Path>("map(path::to::function)")?;
            return Ok(quote!(#path(text)));
        }
        "default_if_blank" => return default_if_blank(step),
        // What becomes of an empty text is seen once all steps are done.
        "empty_as_none" => {
            step.bare()?;
            return Ok(quote!(text));
        }
        _ => {}
    }
    let Some((_, feature)) = TEXT.iter().find(|(known, _)| *known == word) else {
        let message = match attr::closest(&word, words()) {
            Some(known) => format!("there is no normaliser `{word}`; write `{known}`"),
            None => format!("there is no normaliser `{word}`; your own function is `map({word})`"),
        };
        return Err(step.error(message));
    };
    if let Some(feature) = feature {
        feature.demand(step)?;
    }
    step.bare()?;
    let name = &step.name;
    Ok(quote!(__v::norm::#name(text)))
}

fn default_if_blank(step: &Item) -> Result<TokenStream> {
    let default: Expr = step.arg("default_if_blank(\"nobody\")")?;
    if let Expr::Lit(syn::ExprLit {
        lit: syn::Lit::Str(text),
        ..
    }) = &default
        && text.value().trim().is_empty()
    {
        return Err(syn::Error::new_spanned(
            text,
            "the default is blank itself; `empty_as_none` makes nothing of a blank text",
        ));
    }
    Ok(quote!({
        const DEFAULT: &::core::primitive::str = #default;
        __v::norm::default_if_blank(text, DEFAULT)
    }))
}

/// The least and the greatest number of `clamp(0..=100)`.
pub(crate) fn clamp(step: &Item) -> Result<(Expr, Expr)> {
    let usage = "clamp(0..=100)";
    match step.arg::<Expr>(usage)? {
        Expr::Range(range) if matches!(range.limits, syn::RangeLimits::Closed(_)) => {
            match (range.start, range.end) {
                (Some(min), Some(max)) => Ok((*min, *max)),
                _ => Err(step.error(format!("write both ends: `{usage}`"))),
            }
        }
        _ => Err(step.error(format!("write `{usage}`"))),
    }
}
