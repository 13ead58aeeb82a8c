//! Types that are known by their spelling to need a maximum, and have none.
//!
//! The compiler finds these out by itself, aliases included; but it says so once for each use of
//! the field in the generated code. Looking at the spelling first gives one short answer to the
//! mistake that everybody makes first.

use syn::{GenericArgument, PathArguments, Result, Type};

use crate::field::plain;
use crate::rules::Rules;

/// Refuses a bare `String`, `Vec` or map, also as an item, key or value.
pub(crate) fn demand(ty: &Type, rules: &Rules) -> Result<()> {
    let (name, args) = spelled(ty);
    let name = name.as_str();
    if let ("Option" | "Box" | "NonEmpty", Some(inner)) = (name, args.first()) {
        return demand(inner, rules);
    }
    match rules {
        Rules::Own => own(ty, name),
        Rules::Items(_, each) => match args.first() {
            Some(item) if is_list(name) => {
                demand(item, each).map_err(|error| within(item, each, "each", error))
            }
            _ => Ok(()),
        },
        Rules::Entries(_, keys, values) => match args.as_slice() {
            [key, value, ..] if is_map(name) => {
                demand(key, keys).map_err(|error| within(key, keys, "keys", error))?;
                demand(value, values).map_err(|error| within(value, values, "values", error))
            }
            _ => Ok(()),
        },
        Rules::Foreign | Rules::Text(_) | Rules::Number(_) | Rules::Moment(_) => Ok(()),
    }
}

fn own(ty: &Type, name: &str) -> Result<()> {
    let message = match name {
        "String" | "str" | "Cow" => {
            "text needs a maximum: add `#[validate(chars(..=100))]`, or `#[validate(unbounded)]`"
        }
        name if is_list(name) => {
            "a list needs a maximum: add `#[validate(items(..=50))]`, or `#[validate(unbounded, each(..))]`"
        }
        name if is_map(name) => {
            "a map needs a maximum: add `#[validate(entries(..=50), keys(..), values(..))]`"
        }
        _ => return Ok(()),
    };
    Err(syn::Error::new_spanned(ty, message))
}

/// Says for an inner type where its rules would stand.
fn within(ty: &Type, rules: &Rules, word: &str, error: syn::Error) -> syn::Error {
    match rules {
        Rules::Own if is_text(ty) => syn::Error::new_spanned(
            ty,
            format!(
                "this text needs a maximum: add `{word}(chars(..=100))`, or `{word}(unbounded)`"
            ),
        ),
        _ => error,
    }
}

fn is_text(ty: &Type) -> bool {
    let (name, args) = spelled(ty);
    match (name.as_str(), args.first()) {
        ("Option" | "Box", Some(inner)) => is_text(inner),
        (name, _) => matches!(name, "String" | "str" | "Cow"),
    }
}

fn is_list(name: &str) -> bool {
    matches!(name, "Vec" | "VecDeque" | "HashSet" | "BTreeSet")
}

fn is_map(name: &str) -> bool {
    matches!(name, "HashMap" | "BTreeMap")
}

/// The last name of a type, and the types in its angle brackets.
fn spelled(ty: &Type) -> (String, Vec<&Type>) {
    let nothing = || (String::new(), Vec::new());
    let path = match plain(ty) {
        Type::Path(path) => path,
        Type::Reference(reference) => return spelled(&reference.elem),
        _ => return nothing(),
    };
    let Some(last) = path.path.segments.last() else {
        return nothing();
    };
    let args = match &last.arguments {
        PathArguments::AngleBracketed(args) => args
            .args
            .iter()
            .filter_map(|arg| match arg {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    (last.ident.to_string(), args)
}
