//! The rules and normalisers of text: one row each, and everything else follows from the row.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Expr, Result};

use crate::attr::Item;
use crate::rules::TextRules;
use crate::special;

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
    /// The parameter `set` of the code.
    set: Option<&'static str>,
    /// The feature of the library that the function stands behind.
    feature: Option<Feature>,
}

/// The features of the library that rules stand behind.
#[derive(Clone, Copy)]
pub(crate) enum Feature {
    Regex,
    Unicode,
    Url,
    Idna,
    Jiff,
}

impl Feature {
    /// Refuses a rule whose feature is off, with the line to write.
    pub(crate) fn demand(self, item: &Item) -> Result<()> {
        let (name, on) = match self {
            Self::Regex => ("regex", cfg!(feature = "regex")),
            Self::Unicode => ("unicode", cfg!(feature = "unicode")),
            Self::Url => ("url", cfg!(feature = "url")),
            Self::Idna => ("idna", cfg!(feature = "idna")),
            Self::Jiff => ("jiff", cfg!(feature = "jiff")),
        };
        if on {
            return Ok(());
        }
        Err(item.error(format!(
            "`{}` needs the feature `{name}`: write `seawall-validate = {{ version = \"..\", \
             features = [\"{name}\"] }}`",
            item.name,
        )))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    Bytes,
    Text,
}

const fn rule(name: &'static str, test: &'static str, code: &'static str) -> TextRule {
    TextRule {
        name,
        test,
        takes: Takes::Bytes,
        code,
        most: None,
        format: None,
        pattern: None,
        set: None,
        feature: None,
    }
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

    const fn set(mut self, set: &'static str) -> Self {
        self.set = Some(set);
        self
    }

    const fn feature(mut self, feature: Feature) -> Self {
        self.feature = Some(feature);
        self
    }

    const fn text(mut self) -> Self {
        self.takes = Takes::Text;
        self
    }
}

pub(crate) const RULES: &[TextRule] = &[
    rule("ascii", "is_ascii", "CHARSET")
        .set("ASCII characters")
        .pattern("^[\\x00-\\x7f]*$"),
    rule("printable_ascii", "is_printable_ascii", "CHARSET")
        .set("printable ASCII characters")
        .pattern("^[ -~]*$"),
    rule("alnum", "is_alnum", "CHARSET")
        .set("A-Z, a-z and 0-9")
        .pattern("^[A-Za-z0-9]*$"),
    rule("digits", "is_digits", "CHARSET")
        .set("0-9")
        .pattern("^[0-9]*$"),
    rule("hex", "is_hex", "CHARSET")
        .set("hexadecimal digits")
        .pattern("^[0-9a-fA-F]*$"),
    rule("lowercase", "is_lower_alpha", "CHARSET")
        .set("a-z")
        .pattern("^[a-z]*$"),
    rule("uppercase", "is_upper_alpha", "CHARSET")
        .set("A-Z")
        .pattern("^[A-Z]*$"),
    rule("non_blank", "has_non_blank", "STRING_BLANK").text(),
    rule("no_bidi", "has_no_bidi", "BIDI_CHARACTER").text(),
    rule("no_invisible", "has_no_invisible", "INVISIBLE_CHARACTER").text(),
    rule("nfc_only", "is_nfc", "NOT_NORMALIZED")
        .text()
        .feature(Feature::Unicode),
    rule("single_script", "is_single_script", "MIXED_SCRIPT")
        .text()
        .feature(Feature::Unicode),
    rule("precis_username", "is_precis_username", "BAD_PRECIS")
        .text()
        .feature(Feature::Unicode),
    rule(
        "precis_username_cased",
        "is_precis_username_cased",
        "BAD_PRECIS",
    )
    .text()
    .feature(Feature::Unicode),
    rule("precis_nickname", "is_precis_nickname", "BAD_PRECIS")
        .text()
        .feature(Feature::Unicode),
    rule("precis_opaque", "is_precis_opaque", "BAD_PRECIS")
        .text()
        .feature(Feature::Unicode),
    rule("public_host", "is_public_host", "URL_PRIVATE_HOST")
        .text()
        .feature(Feature::Url),
    rule("fqdn", "is_fqdn", "HOSTNAME").most(253),
    rule("ip", "is_ip", "IP").most(45),
    rule("ipv4", "is_ipv4", "IP").most(15).format("ipv4"),
    rule("ipv6", "is_ipv6", "IP").most(45).format("ipv6"),
    rule("port", "is_port", "PORT")
        .most(5)
        .pattern("^[1-9][0-9]{0,4}$"),
    rule("host_and_port", "is_host_and_port", "HOSTNAME").most(262),
    rule("ulid", "is_ulid", "ULID")
        .most(26)
        .pattern("^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$"),
    rule("datetime", "is_datetime", "DATETIME")
        .most(64)
        .format("date-time"),
    rule("date", "is_date", "DATE").most(10).format("date"),
    rule("time", "is_time", "TIME").most(64).format("time"),
    rule("duration", "is_duration", "DURATION")
        .most(64)
        .format("duration"),
    rule("e164", "is_e164", "E164")
        .most(16)
        .pattern("^\\+[1-9][0-9]{6,14}$"),
    rule("currency", "is_currency", "CURRENCY")
        .most(3)
        .pattern("^[A-Z]{3}$"),
    rule("country", "is_country", "COUNTRY")
        .most(2)
        .pattern("^[A-Z]{2}$"),
    rule("language", "is_language", "LANGUAGE").most(35),
    rule("semver", "is_semver", "SEMVER"),
    rule("slug", "is_slug", "SLUG").pattern("^[a-z0-9]+(-[a-z0-9]+)*$"),
    rule("jwt_shape", "is_jwt_shape", "JWT_SHAPE"),
    rule("luhn", "is_luhn", "LUHN")
        .most(19)
        .pattern("^[0-9]{12,19}$"),
    rule("mime", "is_mime", "MIME").most(255),
    rule("hex_color", "is_hex_color", "HEX_COLOR").most(9),
    rule("file_name", "is_file_name", "UNSAFE_PATH")
        .text()
        .most(255),
    rule("header_safe", "is_header_safe", "HEADER_UNSAFE").pattern("^[^\\r\\n\\u0000]*$"),
    rule("uri", "is_uri", "URL").format("uri"),
    rule("uri_reference", "is_uri_reference", "URL").format("uri-reference"),
    rule("json_pointer", "is_json_pointer", "PATTERN").format("json-pointer"),
];

pub(crate) fn is_rule(word: &str) -> bool {
    rule_words().any(|known| known == word)
}

pub(crate) fn rule_words() -> impl Iterator<Item = &'static str> {
    RULES
        .iter()
        .map(|rule| rule.name)
        .chain(special::WORDS.iter().copied())
}

/// Adds a rule.
pub(crate) fn apply(item: &Item, rules: &mut TextRules) -> Result<()> {
    let Some(rule) = RULES.iter().find(|rule| item.name == rule.name) else {
        return special::apply(item, rules);
    };
    if let Some(feature) = rule.feature {
        feature.demand(item)?;
    }
    let args = Args::of(item)?;
    args.nothing_else(item)?;
    let code = args.code(rule.code);
    let test = Ident::new(rule.test, item.span());
    let fault = match rule.set {
        Some(set) => quote!(cx.report(__v::Violation::new(#code).param("set", #set));),
        None => quote!(cx.fault(#code);),
    };
    rules.check(rule.takes, &quote!(__v::rule::#test), &fault);
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

/// The arguments of a rule: `"text"`, `word`, `name = value`, and everywhere `code = ".."` and
/// `message = ".."`.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) plain: Vec<Expr>,
    pub(crate) words: Vec<Item>,
    id: Option<Expr>,
    message: Option<Expr>,
}

impl syn::parse::Parse for Args {
    fn parse(input: syn::parse::ParseStream<'_>) -> Result<Self> {
        let mut args = Self::default();
        while !input.is_empty() {
            let word = input.peek(syn::Ident)
                && (input.peek2(syn::Token![=]) && !input.peek2(syn::Token![==])
                    || input.peek2(syn::Token![,])
                    || input.peek2(syn::token::Paren)
                    || input
                        .cursor()
                        .token_tree()
                        .is_some_and(|(_, rest)| rest.eof()));
            if word {
                let item: Item = input.parse()?;
                if item.name == "code" {
                    args.id = Some(code_expr(&item)?);
                } else if item.name == "message" {
                    args.message = Some(item.expr("message = \"must ..\"")?);
                } else {
                    args.words.push(item);
                }
            } else {
                args.plain.push(input.parse()?);
            }
            if !input.is_empty() {
                input.parse::<syn::Token![,]>()?;
            }
        }
        Ok(args)
    }
}

impl Args {
    pub(crate) fn of(item: &Item) -> Result<Self> {
        if item.value.is_some() {
            return Err(item.error(format!("write `{}` or `{0}(..)`", item.name)));
        }
        syn::parse2(item.args.clone().unwrap_or_default())
    }

    /// The code: the rule's own, or the user's.
    pub(crate) fn code(&self, own: &str) -> TokenStream {
        let own = Ident::new(own, proc_macro2::Span::call_site());
        custom_code(
            &quote!(__v::Code::#own),
            self.id.clone(),
            self.message.clone(),
        )
    }

    /// Refuses what the rule has no use for.
    pub(crate) fn nothing_else(&self, item: &Item) -> Result<()> {
        if let Some(word) = self.words.first() {
            return Err(word.error(format!("`{}` has no option `{}`", item.name, word.name)));
        }
        match self.plain.first() {
            Some(plain) => Err(syn::Error::new_spanned(
                plain,
                format!("`{}` takes no such argument", item.name),
            )),
            None => Ok(()),
        }
    }

    /// The plain arguments as string literals.
    pub(crate) fn texts(&self, item: &Item, usage: &str) -> Result<Vec<String>> {
        let text = |expr: &Expr| match expr {
            Expr::Lit(syn::ExprLit {
                lit: syn::Lit::Str(text),
                ..
            }) => Ok(text.value()),
            _ => Err(item.error(format!("write `{usage}`"))),
        };
        if self.plain.is_empty() || !self.words.is_empty() {
            return Err(item.error(format!("write `{usage}`")));
        }
        self.plain.iter().map(text).collect()
    }
}

/// The value of `code = ".."`. A literal is judged here, where its place is known; a constant is
/// judged by the compiler.
pub(crate) fn code_expr(item: &Item) -> Result<Expr> {
    let expr = item.expr("code = \"snake_case\"")?;
    if let Expr::Lit(syn::ExprLit {
        lit: syn::Lit::Str(text),
        ..
    }) = &expr
    {
        let id = text.value();
        let fits = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_');
        if id.is_empty() || id.len() > 63 || !id.chars().all(fits) {
            let message = "a code is snake_case (a-z, 0-9 and _), of 1 to 63 bytes";
            return Err(syn::Error::new_spanned(text, message));
        }
    }
    Ok(expr)
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
