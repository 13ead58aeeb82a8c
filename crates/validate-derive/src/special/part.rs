//! What a text, or a part of it, is compared with.

use quote::quote;
use syn::Result;

use crate::attr::Item;
use crate::rules::TextRules;
use crate::text::{Args, Feature, Takes};

pub(super) fn pattern(item: &Item, rules: &mut TextRules) -> Result<()> {
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

pub(super) fn part(item: &Item, rules: &mut TextRules) -> Result<()> {
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

pub(super) fn one_of(item: &Item, rules: &mut TextRules) -> Result<()> {
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
