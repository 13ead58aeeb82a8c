//! Texts that say where something or somebody is.

use quote::quote;
use syn::{Expr, Result};

use super::{flags, no_plain};
use crate::attr::Item;
use crate::rules::TextRules;
use crate::text::{Args, Feature, Takes};

pub(super) fn email(item: &Item, rules: &mut TextRules) -> Result<()> {
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

pub(super) fn url(item: &Item, rules: &mut TextRules) -> Result<()> {
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

pub(super) fn hostname(item: &Item, rules: &mut TextRules) -> Result<()> {
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

pub(super) fn cidr(item: &Item, rules: &mut TextRules) -> Result<()> {
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
