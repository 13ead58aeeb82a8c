//! The rules and normalisers of text: one row each, and everything else follows from the row.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Expr, Result};

use crate::attr::Item;
use crate::rules::TextRules;

/// One rule without arguments that matter to the macro.
pub(crate) struct TextRule {
    /// How it is written.
    pub(crate) name: &'static str,
    /// The function of `rule` that says yes or no.
    pub(crate) test: &'static str,
    /// Whether the function takes bytes or text.
    pub(crate) takes: Takes,
    /// The constant of `Code`.
    pub(crate) code: &'static str,
    /// The most bytes that the rule lets pass, if it has a maximum of its own.
    pub(crate) most: Option<usize>,
    /// JSON Schema's `format`, where it says the same or less.
    pub(crate) format: Option<&'static str>,
    /// JSON Schema's `pattern`, where it says the same or less.
    pub(crate) pattern: Option<&'static str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    Bytes,
    Text,
}

const fn rule(name: &'static str, test: &'static str, code: &'static str) -> TextRule {
    TextRule { name, test, takes: Takes::Bytes, code, most: None, format: None, pattern: None }
}

impl TextRule {
    const fn most(mut self, bytes: usize) -> Self {
        self.most = Some(bytes);
        self
    }

    const fn format(mut self, name: &'static str) -> Self {
        self.format = Some(name);
        self
    }

    const fn pattern(mut self, pattern: &'static str) -> Self {
        self.pattern = Some(pattern);
        self
    }

    const fn text(mut self) -> Self {
        self.takes = Takes::Text;
        self
    }
}

pub(crate) const RULES: &[TextRule] = &[
    rule("email", "is_email", "INVALID_EMAIL").most(254).format("email"),
];

/// The normalisers, all `fn(&str) -> impl Into<Cow<str>>` in `norm`.
pub(crate) const NORMALIZERS: &[&str] = &[
    "trim", "lower", "upper", "lower_ascii", "upper_ascii", "lower_domain", "collapse_ws",
    "strip_control", "single_line", "strip_invisible", "strip_bidi", "digits_only", "nfc", "nfkc",
    "casefold",
];

pub(crate) fn is_rule(word: &str) -> bool {
    rule_words().any(|known| known == word)
}

pub(crate) fn rule_words() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|rule| rule.name)
}

/// Adds a rule of the table.
pub(crate) fn apply(item: &Item, rules: &mut TextRules) -> Result<()> {
    let Some(rule) = RULES.iter().find(|rule| item.name == rule.name) else {
        return Err(item.error("this rule is missing in the table"));
    };
    let (code, rest) = code(item, rule.code)?;
    if let Some(extra) = rest.first() {
        return Err(extra.error(format!("`{}` has no option `{}`", rule.name, extra.name)));
    }
    let test = Ident::new(rule.test, item.span());
    rules.check(rule.takes, &quote!(__v::rule::#test), &quote!(cx.fault(#code);));
    if let Some(most) = rule.most {
        rules.cap(most);
    }
    if let Some(format) = rule.format {
        rules.describes.push(quote!(schema.set("format", #format);));
    }
    if let Some(pattern) = rule.pattern {
        rules.describes.push(quote!(schema.also_pattern(#pattern);));
    }
    Ok(())
}

/// The code of a rule: its own, or with `code = ".."` and `message = ".."` in the arguments, the
/// user's. The other arguments are handed back.
pub(crate) fn code(item: &Item, own: &str) -> Result<(TokenStream, Vec<Item>)> {
    let own = Ident::new(own, item.span());
    let own = quote!(__v::Code::#own);
    let (mut id, mut message, mut rest) = (None, None, Vec::new());
    let parts = if item.args.is_some() { item.items()? } else { Vec::new() };
    for part in parts {
        if part.name == "code" {
            id = Some(part.expr("code = \"snake_case\"")?);
        } else if part.name == "message" {
            message = Some(part.expr("message = \"must ..\"")?);
        } else {
            rest.push(part);
        }
    }
    Ok((custom_code(&own, id, message), rest))
}

pub(crate) fn custom_code(
    own: &TokenStream,
    id: Option<Expr>,
    message: Option<Expr>,
) -> TokenStream {
    if id.is_none() && message.is_none() {
        return own.clone();
    }
    let id = id.map_or_else(|| quote!(#own.id()), |id| quote!(#id));
    let message = message.map_or_else(|| quote!(#own.message()), |message| quote!(#message));
    // A constant, so that an impossible code does not compile.
    quote!({ const CODE: __v::Code = __v::Code::new(#id, #message); CODE })
}
