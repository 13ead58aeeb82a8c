//! The rules of text whose arguments mean something to the macro.

mod address;
mod letters;
mod part;
mod token;

use syn::Result;

use crate::attr::Item;
use crate::rules::TextRules;
use crate::text::Args;

pub(crate) const WORDS: &[&str] = &[
    "email",
    "url",
    "hostname",
    "cidr",
    "uuid",
    "nanoid",
    "charset",
    "pattern",
    "prefix",
    "suffix",
    "contains",
    "not_contains",
    "one_of",
    "not_one_of",
    "no_control",
    "non_empty",
    "base64",
    "base64url",
    "hex_bytes",
    "decimal",
    "password",
    "utf16",
    "graphemes",
    "not_confusable_with",
];

pub(crate) fn apply(item: &Item, rules: &mut TextRules) -> Result<()> {
    match item.name.to_string().as_str() {
        "email" => address::email(item, rules),
        "url" => address::url(item, rules),
        "hostname" => address::hostname(item, rules),
        "cidr" => address::cidr(item, rules),
        "uuid" => token::uuid(item, rules),
        "nanoid" => token::nanoid(item, rules),
        "charset" => letters::charset(item, rules),
        "pattern" => part::pattern(item, rules),
        "prefix" | "suffix" | "contains" | "not_contains" => part::part(item, rules),
        "one_of" | "not_one_of" => part::one_of(item, rules),
        "no_control" => letters::no_control(item, rules),
        "non_empty" => letters::non_empty(item, rules),
        "base64" | "base64url" | "hex_bytes" => token::encoded(item, rules),
        "decimal" => token::decimal(item, rules),
        "password" => letters::password(item, rules),
        "utf16" | "graphemes" => letters::units(item, rules),
        "not_confusable_with" => letters::confusable(item, rules),
        _ => Err(item.error("this rule is missing in the table")),
    }
}

/// The words among the arguments that stand alone, all of which have to be known.
fn flags<'a>(item: &Item, args: &'a Args, known: &[&str]) -> Result<Vec<&'a Item>> {
    for word in &args.words {
        if !known.iter().any(|flag| word.name == flag) {
            let known = known.join("`, `");
            return Err(word.error(format!("`{}` has the options `{known}`", item.name)));
        }
    }
    Ok(args.words.iter().collect())
}

fn no_plain(item: &Item, args: &Args) -> Result<()> {
    match args.plain.first() {
        Some(plain) => {
            let message = format!("`{}` takes no such argument", item.name);
            Err(syn::Error::new_spanned(plain, message))
        }
        None => Ok(()),
    }
}
