//! Texts that stand for a number or for bytes.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Result;

use crate::attr::Item;
use crate::rules::{TextRules, parse_count};
use crate::serde_attr::literal_int;
use crate::text::{Args, Takes};

/// `uuid`, `uuid(7)`, `uuid(4, 7)`
pub(super) fn uuid(item: &Item, rules: &mut TextRules) -> Result<()> {
    let args = Args::of(item)?;
    let usage = "uuid(4, 7)";
    if !args.words.is_empty() {
        return Err(item.error(format!("write `uuid` or `{usage}`")));
    }
    let mut versions = Vec::new();
    for version in &args.plain {
        match literal_int(version)
            .and_then(|n| u8::try_from(n).ok())
            .filter(|n| (1..=8).contains(n))
        {
            Some(version) => versions.push(version),
            None => {
                return Err(syn::Error::new_spanned(
                    version,
                    "a UUID has version 1 to 8",
                ));
            }
        }
    }
    let code = args.code("UUID");
    let test = match versions.is_empty() {
        true => quote!(__v::rule::is_uuid),
        false => quote!((|text: &[u8]| #(__v::rule::is_uuid_version(text, #versions))||*)),
    };
    rules.check(Takes::Bytes, &test, &quote!(cx.fault(#code);));
    rules.cap(36);
    rules.describes.push(quote!(schema.set("format", "uuid");));
    Ok(())
}

pub(super) fn nanoid(item: &Item, rules: &mut TextRules) -> Result<()> {
    let args = Args::of(item)?;
    let length = match (args.plain.as_slice(), args.words.is_empty()) {
        ([], true) => Some(21),
        ([length], true) => literal_int(length).and_then(|n| usize::try_from(n).ok()),
        _ => None,
    };
    let Some(length) = length else {
        return Err(item.error("write `nanoid` or `nanoid(21)`"));
    };
    let code = args.code("NANOID");
    rules.check(
        Takes::Bytes,
        &quote!((|text: &[u8]| __v::rule::is_nanoid(text, #length))),
        &quote!(cx.fault(#code);),
    );
    rules.cap(length);
    Ok(())
}

/// `base64`, `base64(..=1024)` with the bytes that it may stand for.
pub(super) fn encoded(item: &Item, rules: &mut TextRules) -> Result<()> {
    let word = item.name.to_string();
    let (test, name, size): (_, _, TokenStream) = match word.as_str() {
        "base64" => (
            quote!(is_base64),
            "base64",
            quote!(__v::rule::base64_decoded_len(text.as_bytes())),
        ),
        "base64url" => (
            quote!(is_base64url),
            "base64url",
            quote!(__v::rule::base64_decoded_len(text.as_bytes())),
        ),
        _ => (quote!(is_hex_bytes), "hexadecimal", quote!(text.len() / 2)),
    };
    rules.checks.push(quote! {
        if !__v::rule::#test(text.as_bytes()) {
            cx.report(__v::Violation::new(__v::Code::ENCODING).param("encoding", #name));
        }
    });
    if item.args.is_some() {
        let count = parse_count(item, &format!("{word}(..=1024)"))?;
        let (too_long, too_short) = (quote!(BYTES_TOO_LONG), quote!(BYTES_TOO_SHORT));
        rules.checks.push(count.check(&size, &too_long, &too_short));
        if let Some(max) = count
            .max
            .as_ref()
            .and_then(literal_int)
            .and_then(|n| usize::try_from(n).ok())
        {
            rules.cap(if word == "hex_bytes" {
                max * 2
            } else {
                max.div_ceil(3) * 4
            });
        }
    }
    if word != "hex_bytes" {
        rules
            .describes
            .push(quote!(schema.set("contentEncoding", #name);));
    }
    Ok(())
}

/// `decimal(12, 2)`: digits in all, and behind the point.
pub(super) fn decimal(item: &Item, rules: &mut TextRules) -> Result<()> {
    let usage = "decimal(12, 2)";
    let args = Args::of(item)?;
    let numbers: Option<Vec<usize>> = args
        .plain
        .iter()
        .map(|expr| literal_int(expr).and_then(|n| usize::try_from(n).ok()))
        .collect();
    let (Some([digits, places]), true) = (numbers.as_deref(), args.words.is_empty()) else {
        return Err(item.error(format!("write `{usage}`")));
    };
    if places > digits || *digits == 0 || *digits > 64 {
        return Err(
            item.error("digits in all come first, up to 64; those behind the point are among them")
        );
    }
    let code = args.code("DECIMAL_PLACES");
    rules.check(
        Takes::Bytes,
        &quote!((|text: &[u8]| __v::rule::is_decimal(text, #digits, #places))),
        &quote!(cx.report(__v::Violation::new(#code).param("max", #places));),
    );
    rules.cap(digits + 2);
    let pattern = match places {
        0 => format!("^-?(0|[1-9][0-9]{{0,{}}})$", digits - 1),
        _ => format!(
            "^-?(0|[1-9][0-9]{{0,{}}})(\\.[0-9]{{1,{places}}})?$",
            digits - 1
        ),
    };
    rules.describes.push(quote!(schema.also_pattern(#pattern);));
    Ok(())
}
