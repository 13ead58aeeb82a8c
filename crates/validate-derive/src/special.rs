//! The rules of text whose arguments mean something to the macro.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, Result};

use crate::attr::Item;
use crate::rules::{TextRules, parse_count};
use crate::serde_attr::literal_int;
use crate::text::{Args, Feature, Takes};

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
        "email" => email(item, rules),
        "url" => url(item, rules),
        "hostname" => hostname(item, rules),
        "cidr" => cidr(item, rules),
        "uuid" => uuid(item, rules),
        "nanoid" => nanoid(item, rules),
        "charset" => charset(item, rules),
        "pattern" => pattern(item, rules),
        "prefix" | "suffix" | "contains" | "not_contains" => part(item, rules),
        "one_of" | "not_one_of" => one_of(item, rules),
        "no_control" => no_control(item, rules),
        "non_empty" => non_empty(item, rules),
        "base64" | "base64url" | "hex_bytes" => encoded(item, rules),
        "decimal" => decimal(item, rules),
        "password" => password(item, rules),
        "utf16" | "graphemes" => units(item, rules),
        "not_confusable_with" => confusable(item, rules),
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

fn email(item: &Item, rules: &mut TextRules) -> Result<()> {
    let args = Args::of(item)?;
    no_plain(item, &args)?;
    let flags = flags(
        item,
        &args,
        &["structure", "rfc5321", "idn", "deny_special"],
    )?;
    let code = args.code("INVALID_EMAIL");
    let has = |name: &str| flags.iter().find(|flag| flag.name == name);
    let grammars: Vec<_> = flags
        .iter()
        .filter(|flag| flag.name != "deny_special")
        .collect();
    if let [_, second, ..] = grammars.as_slice() {
        return Err(second.error("an address has one grammar: choose one"));
    }
    let (takes, test) = if has("structure").is_some() {
        (Takes::Bytes, quote!(__v::rule::is_email_structure))
    } else if has("rfc5321").is_some() {
        (Takes::Bytes, quote!(__v::rule::is_email_rfc5321))
    } else if let Some(idn) = has("idn") {
        Feature::Idna.demand(idn)?;
        (Takes::Text, quote!(__v::rule::is_email_idn))
    } else {
        (Takes::Bytes, quote!(__v::rule::is_email))
    };
    let test = match has("deny_special") {
        None => test,
        Some(_) => {
            let grammar = match takes {
                Takes::Bytes => quote!(#test(text.as_bytes())),
                Takes::Text => quote!(#test(text)),
            };
            rules.check(
                Takes::Text,
                &quote!((|text: &str| {
                    #grammar && !text.rsplit('@').next().is_some_and(__v::rule::is_special_use_domain)
                })),
                &quote!(cx.fault(#code);),
            );
            rules.cap(254);
            rules.describes.push(quote!(schema.set("format", "email");));
            return Ok(());
        }
    };
    rules.check(takes, &test, &quote!(cx.fault(#code);));
    rules.cap(254);
    let format = if has("idn").is_some() {
        "idn-email"
    } else {
        "email"
    };
    // What the loose grammar accepts is not all an address in JSON Schema's sense.
    if has("structure").is_none() {
        rules.describes.push(quote!(schema.set("format", #format);));
    }
    Ok(())
}

fn url(item: &Item, rules: &mut TextRules) -> Result<()> {
    Feature::Url.demand(item)?;
    let args = Args::of(item)?;
    no_plain(item, &args)?;
    let usage = "url(schemes = [\"https\"])";
    let mut schemes: Vec<String> = vec!["https".to_owned()];
    for word in &args.words {
        if word.name != "schemes" {
            return Err(word.error(format!("`url` has the option `schemes`; write `{usage}`")));
        }
        let Expr::Array(list) = word.expr(usage)? else {
            return Err(word.error(format!("write `{usage}`")));
        };
        schemes.clear();
        for scheme in list.elems {
            match scheme {
                Expr::Lit(syn::ExprLit {
                    lit: syn::Lit::Str(text),
                    ..
                }) => schemes.push(text.value()),
                other => return Err(syn::Error::new_spanned(other, format!("write `{usage}`"))),
            }
        }
    }
    let joined = schemes.join(" or ");
    rules.checks.push(quote! {
        if let ::core::result::Result::Err(code) = __v::rule::check_url(text, &[#(#schemes),*]) {
            cx.report(__v::Violation::new(code).param("schemes", #joined));
        }
    });
    rules.cap(2048);
    rules.describes.push(quote!(schema.set("format", "iri");));
    Ok(())
}

fn hostname(item: &Item, rules: &mut TextRules) -> Result<()> {
    let args = Args::of(item)?;
    no_plain(item, &args)?;
    let flags = flags(item, &args, &["idn"])?;
    let code = args.code("HOSTNAME");
    let fault = quote!(cx.fault(#code););
    if let Some(idn) = flags.first() {
        Feature::Idna.demand(idn)?;
        rules.check(Takes::Text, &quote!(__v::rule::is_hostname_idn), &fault);
        rules
            .describes
            .push(quote!(schema.set("format", "idn-hostname");));
    } else {
        rules.check(Takes::Bytes, &quote!(__v::rule::is_hostname), &fault);
    }
    rules.cap(253);
    Ok(())
}

fn cidr(item: &Item, rules: &mut TextRules) -> Result<()> {
    let args = Args::of(item)?;
    no_plain(item, &args)?;
    let test = match flags(item, &args, &["network"])?.is_empty() {
        true => quote!(__v::rule::is_cidr),
        false => quote!(__v::rule::is_cidr_network),
    };
    let code = args.code("CIDR");
    rules.check(Takes::Bytes, &test, &quote!(cx.fault(#code);));
    rules.cap(49);
    Ok(())
}

/// `uuid`, `uuid(7)`, `uuid(4, 7)`
fn uuid(item: &Item, rules: &mut TextRules) -> Result<()> {
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

fn nanoid(item: &Item, rules: &mut TextRules) -> Result<()> {
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

/// `charset("a-z0-9_")`: characters, ranges, and a backslash before one that means itself.
fn charset(item: &Item, rules: &mut TextRules) -> Result<()> {
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

fn pattern(item: &Item, rules: &mut TextRules) -> Result<()> {
    let usage = "pattern(\"[a-z]+\")";
    Feature::Regex.demand(item)?;
    let args = Args::of(item)?;
    let texts = args.texts(item, usage)?;
    let [pattern] = texts.as_slice() else {
        return Err(item.error(format!("write `{usage}`")));
    };
    if let Err(error) = regex_syntax::parse(pattern) {
        let text = error.to_string();
        let reason = text
            .lines()
            .last()
            .unwrap_or_default()
            .trim_start_matches("error: ")
            .to_owned();
        return Err(syn::Error::new_spanned(
            &args.plain[0],
            format!("not a regular expression: {reason}"),
        ));
    }
    let code = args.code("PATTERN");
    let whole = format!(r"\A(?:{pattern})\z");
    rules.checks.push(quote! {
        {
            static PATTERN: __v::read::Pattern = __v::read::Pattern::new(#whole);
            if !PATTERN.matches(text) {
                cx.fault(#code);
            }
        }
    });
    let ecma = format!("^(?:{pattern})$");
    rules.describes.push(quote!(schema.also_pattern(#ecma);));
    Ok(())
}

fn part(item: &Item, rules: &mut TextRules) -> Result<()> {
    let word = item.name.to_string();
    let usage = format!("{word}(\"text\")");
    let args = Args::of(item)?;
    let texts = args.texts(item, &usage)?;
    let [part] = texts.as_slice() else {
        return Err(item.error(format!("write `{usage}`")));
    };
    if part.is_empty() {
        return Err(syn::Error::new_spanned(
            &args.plain[0],
            "an empty text is part of every text",
        ));
    }
    let escaped = regex_syntax::escape(part);
    let (test, param, own, pattern) = match word.as_str() {
        "prefix" => (
            quote!(text.starts_with(#part)),
            "prefix",
            "PREFIX",
            Some(format!("^{escaped}")),
        ),
        "suffix" => (
            quote!(text.ends_with(#part)),
            "suffix",
            "SUFFIX",
            Some(format!("{escaped}$")),
        ),
        "contains" => (
            quote!(text.contains(#part)),
            "part",
            "CONTAINS",
            Some(escaped),
        ),
        _ => (quote!(!text.contains(#part)), "part", "NOT_CONTAINS", None),
    };
    let code = args.code(own);
    rules.check(
        Takes::Text,
        &quote!((|text: &str| #test)),
        &quote!(cx.report(__v::Violation::new(#code).param(#param, #part));),
    );
    match pattern {
        Some(pattern) => rules.describes.push(quote!(schema.also_pattern(#pattern);)),
        None => {
            let escaped = regex_syntax::escape(part);
            rules
                .describes
                .push(quote!(schema.never_pattern(#escaped);));
        }
    }
    Ok(())
}

fn one_of(item: &Item, rules: &mut TextRules) -> Result<()> {
    let usage = format!("{}(\"a\", \"b\")", item.name);
    let args = Args::of(item)?;
    let values = args.texts(item, &usage)?;
    let joined = values.join(", ");
    let positive = item.name == "one_of";
    let code = args.code(if positive { "ONE_OF" } else { "NOT_ONE_OF" });
    let test = match positive {
        true => quote!((|text: &str| [#(#values),*].contains(&text))),
        false => quote!((|text: &str| ![#(#values),*].contains(&text))),
    };
    rules.check(
        Takes::Text,
        &test,
        &quote!(cx.report(__v::Violation::new(#code).param("values", #joined));),
    );
    if positive {
        rules.cap(values.iter().map(String::len).max().unwrap_or_default());
        rules
            .describes
            .push(quote!(schema.set_list("enum", &[#(#values),*]);));
    }
    Ok(())
}

fn no_control(item: &Item, rules: &mut TextRules) -> Result<()> {
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

fn non_empty(item: &Item, rules: &mut TextRules) -> Result<()> {
    let args = Args::of(item)?;
    args.nothing_else(item)?;
    let code = args.code("STRING_EMPTY");
    rules
        .checks
        .push(quote!(if text.is_empty() { cx.fault(#code); }));
    rules.describes.push(quote!(schema.set("minLength", 1_u8);));
    Ok(())
}

/// `base64`, `base64(..=1024)` with the bytes that it may stand for.
fn encoded(item: &Item, rules: &mut TextRules) -> Result<()> {
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
        let min = count
            .min
            .as_ref()
            .map_or_else(|| quote!(0), |min| quote!(#min));
        let max = count
            .max
            .as_ref()
            .map_or_else(|| quote!(::core::primitive::usize::MAX), |max| quote!(#max));
        rules.checks.push(quote! {
            {
                const MIN: ::core::primitive::usize = #min;
                const MAX: ::core::primitive::usize = #max;
                let size = #size;
                if size > MAX {
                    cx.report(__v::Violation::new(__v::Code::BYTES_TOO_LONG).param("max", MAX));
                } else if size < MIN {
                    cx.report(__v::Violation::new(__v::Code::BYTES_TOO_SHORT).param("min", MIN));
                }
            }
        });
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
fn decimal(item: &Item, rules: &mut TextRules) -> Result<()> {
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

/// `password`, `password(min = 12)`: the length first, then what attackers try first.
fn password(item: &Item, rules: &mut TextRules) -> Result<()> {
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

/// `utf16(..=100)` and `graphemes(..=100)`. Neither bounds bytes, so neither is a maximum.
fn units(item: &Item, rules: &mut TextRules) -> Result<()> {
    let word = item.name.to_string();
    let count = parse_count(item, &format!("{word}(1..=100)"))?;
    let size = match word.as_str() {
        "utf16" => quote!(text.encode_utf16().count()),
        _ => {
            Feature::Unicode.demand(item)?;
            quote!(__v::rule::graphemes(text))
        }
    };
    let min = count
        .min
        .as_ref()
        .map_or_else(|| quote!(0), |min| quote!(#min));
    let max = count
        .max
        .as_ref()
        .map_or_else(|| quote!(::core::primitive::usize::MAX), |max| quote!(#max));
    rules.checks.push(quote! {
        {
            const MIN: ::core::primitive::usize = #min;
            const MAX: ::core::primitive::usize = #max;
            let size = #size;
            if size > MAX {
                cx.report(__v::Violation::new(__v::Code::STRING_TOO_LONG).param("max", MAX));
            } else if size < MIN {
                cx.report(__v::Violation::new(__v::Code::STRING_TOO_SHORT).param("min", MIN));
            }
        }
    });
    // A UTF-16 unit is at most three bytes.
    if let (Some(max), "utf16") = (count.max.as_ref().and_then(literal_int), word.as_str())
        && let Ok(max) = usize::try_from(max)
    {
        rules.cap(max * 3);
    }
    Ok(())
}

fn confusable(item: &Item, rules: &mut TextRules) -> Result<()> {
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
