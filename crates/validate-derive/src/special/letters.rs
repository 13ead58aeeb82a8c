//! Which characters a text is made of, and how many.

use quote::quote;
use syn::Result;

use super::{flags, no_plain};
use crate::attr::Item;
use crate::rules::{TextRules, parse_count};
use crate::serde_attr::literal_int;
use crate::text::{Args, Feature, Takes};

/// `charset("a-z0-9_")`: characters, ranges, and a backslash before one that means itself.
pub(super) fn charset(item: &Item, rules: &mut TextRules) -> Result<()> {
    let usage = "charset(\"a-z0-9_\")";
    let args = Args::of(item)?;
    let texts = args.texts(item, usage)?;
    let [set] = texts.as_slice() else {
        return Err(item.error(format!("write `{usage}`")));
    };
    let ranges = ranges(set).map_err(|message| syn::Error::new_spanned(&args.plain[0], message))?;
    let arms = ranges.iter().map(|(first, last)| quote!(#first..=#last));
    let code = args.code("CHARSET");
    rules.check(
        Takes::Text,
        &quote!((|text: &str| text.chars().all(|c| ::core::matches!(c, #(#arms)|*)))),
        &quote!(cx.report(__v::Violation::new(#code).param("set", #set));),
    );
    let class: String = ranges
        .iter()
        .map(|(first, last)| format!("{}-{}", class_char(*first), class_char(*last)))
        .collect();
    let pattern = format!("^[{class}]*$");
    rules.describes.push(quote!(schema.also_pattern(#pattern);));
    Ok(())
}

fn class_char(c: char) -> String {
    match c {
        '\\' | ']' | '[' | '^' | '-' => format!("\\{c}"),
        c => c.to_string(),
    }
}

fn ranges(set: &str) -> std::result::Result<Vec<(char, char)>, String> {
    let mut chars = set.chars().peekable();
    let mut out = Vec::new();
    let next = |c: char, chars: &mut std::iter::Peekable<std::str::Chars<'_>>| match c {
        '\\' => chars
            .next()
            .ok_or_else(|| "nothing follows the backslash".to_owned()),
        c => Ok(c),
    };
    while let Some(c) = chars.next() {
        let first = next(c, &mut chars)?;
        let mut ahead = chars.clone();
        let is_range = ahead.next() == Some('-') && ahead.next().is_some();
        if !is_range {
            out.push((first, first));
            continue;
        }
        chars.next();
        let Some(c) = chars.next() else { break };
        let last = next(c, &mut chars)?;
        if first > last {
            return Err(format!("`{first}-{last}` runs backwards"));
        }
        out.push((first, last));
    }
    match out.is_empty() {
        true => Err("an empty set accepts nothing".to_owned()),
        false => Ok(out),
    }
}

pub(super) fn no_control(item: &Item, rules: &mut TextRules) -> Result<()> {
    let args = Args::of(item)?;
    no_plain(item, &args)?;
    let (test, class) = match flags(item, &args, &["allow_newline"])?.is_empty() {
        true => (
            quote!(__v::rule::has_no_control),
            r"^[^\u0000-\u001f\u007f-\u009f]*$",
        ),
        false => (
            quote!(__v::rule::has_no_control_but_newline),
            r"^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f]*$",
        ),
    };
    let code = args.code("CONTROL_CHARACTER");
    rules.check(Takes::Text, &test, &quote!(cx.fault(#code);));
    rules.describes.push(quote!(schema.also_pattern(#class);));
    Ok(())
}

pub(super) fn confusable(item: &Item, rules: &mut TextRules) -> Result<()> {
    Feature::Unicode.demand(item)?;
    let args = Args::of(item)?;
    let names = args.texts(item, "not_confusable_with(\"admin\", \"root\")")?;
    let code = args.code("CONFUSABLE");
    rules.check(
        Takes::Text,
        &quote!((|text: &str| !__v::rule::is_confusable(text, &[#(#names),*]))),
        &quote!(cx.fault(#code);),
    );
    Ok(())
}

/// `utf16(..=100)` and `graphemes(..=100)`. Neither bounds bytes, so neither is a maximum.
pub(super) fn units(item: &Item, rules: &mut TextRules) -> Result<()> {
    let word = item.name.to_string();
    let count = parse_count(item, &format!("{word}(1..=100)"))?;
    let size = match word.as_str() {
        "utf16" => quote!(text.encode_utf16().count()),
        _ => {
            Feature::Unicode.demand(item)?;
            quote!(__v::rule::graphemes(text))
        }
    };
    let (too_long, too_short) = (quote!(STRING_TOO_LONG), quote!(STRING_TOO_SHORT));
    rules.checks.push(count.check(&size, &too_long, &too_short));
    // A UTF-16 unit is at most three bytes.
    if let (Some(max), "utf16") = (count.max.as_ref().and_then(literal_int), word.as_str())
        && let Ok(max) = usize::try_from(max)
    {
        rules.cap(max * 3);
    }
    Ok(())
}

pub(super) fn non_empty(item: &Item, rules: &mut TextRules) -> Result<()> {
    let args = Args::of(item)?;
    args.nothing_else(item)?;
    let code = args.code("STRING_EMPTY");
    rules
        .checks
        .push(quote!(if text.is_empty() { cx.fault(#code); }));
    rules.describes.push(quote!(schema.set("minLength", 1_u8);));
    Ok(())
}

/// `password`, `password(min = 12)`: the length first, then what attackers try first.
pub(super) fn password(item: &Item, rules: &mut TextRules) -> Result<()> {
    let args = Args::of(item)?;
    no_plain(item, &args)?;
    let mut min = quote!(12);
    for word in &args.words {
        if word.name != "min" {
            return Err(word.error("`password` has the option `min`"));
        }
        let expr = word.expr("min = 12")?;
        min = quote!(#expr);
    }
    let code = args.code("PASSWORD_WEAK");
    rules.checks.push(quote! {
        if __v::read::chars(text, #min, ::core::primitive::usize::MAX, cx)
            && __v::rule::is_weak_password(text)
        {
            cx.fault(#code);
        }
    });
    rules.describes.push(
        quote!(schema.set("minLength", const { let min: ::core::primitive::usize = #min; min });),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_characters_and_ranges() {
        assert_eq!(ranges("a-z_").unwrap(), [('a', 'z'), ('_', '_')]);
        assert_eq!(ranges("a-").unwrap(), [('a', 'a'), ('-', '-')]);
        assert_eq!(ranges(r"\-\\").unwrap(), [('-', '-'), ('\\', '\\')]);
        assert!(ranges("z-a").is_err());
        assert!(ranges("").is_err());
    }
}
