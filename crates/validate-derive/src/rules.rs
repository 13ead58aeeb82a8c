//! What a field's attribute asks for, sorted into the one kind of rules that it is.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Expr, Result};

use crate::attr::{self, Item};
use crate::moment::MomentRules;
use crate::normalize;
use crate::serde_attr::literal_int;
use crate::text::{self, Takes};

/// The kind of rules, as the library knows it.
pub(crate) enum Rules {
    Own,
    Foreign,
    Text(TextRules),
    Number(NumberRules),
    Moment(MomentRules),
    Items(ListRules, Box<Self>),
    Entries(Count, Box<Self>, Box<Self>),
}

/// A least and a most.
#[derive(Clone, Default)]
pub(crate) struct Count {
    pub(crate) min: Option<Expr>,
    pub(crate) max: Option<Expr>,
}

impl Count {
    /// The least, 0 where none is given.
    pub(crate) fn least(&self) -> TokenStream {
        let min = self.min.as_ref();
        min.map_or_else(|| quote!(0), |min| quote!(#min))
    }

    /// The most, all that there are where none is given.
    pub(crate) fn most(&self) -> TokenStream {
        let max = self.max.as_ref();
        max.map_or_else(|| quote!(::core::primitive::usize::MAX), |max| quote!(#max))
    }

    /// A statement that reports this `size` by one of these codes where it is beyond the most or
    /// below the least.
    pub(crate) fn check(
        &self,
        size: &TokenStream,
        too_long: &TokenStream,
        too_short: &TokenStream,
    ) -> TokenStream {
        let (least, most) = (self.least(), self.most());
        quote! {
            {
                const MIN: ::core::primitive::usize = #least;
                const MAX: ::core::primitive::usize = #most;
                let size = #size;
                if size > MAX {
                    cx.report(__v::Violation::new(__v::Code::#too_long).param("max", MAX));
                } else if size < MIN {
                    cx.report(__v::Violation::new(__v::Code::#too_short).param("min", MIN));
                }
            }
        }
    }
}

#[derive(Default)]
pub(crate) struct ListRules {
    pub(crate) count: Count,
    pub(crate) unique: bool,
    /// Statements over `items: &mut Vec<_>`.
    pub(crate) tidies: Vec<TokenStream>,
    pub(crate) dedup: bool,
    pub(crate) sort: bool,
}

#[derive(Default)]
pub(crate) struct TextRules {
    pub(crate) parse: bool,
    pub(crate) empty_as_none: bool,
    /// Expressions over `text: &str`.
    pub(crate) normalize: Vec<TokenStream>,
    pub(crate) chars: Option<Count>,
    pub(crate) bytes: Option<Count>,
    pub(crate) most: Option<usize>,
    pub(crate) unbounded: bool,
    /// Statements over `text: &str` and `cx`.
    pub(crate) checks: Vec<TokenStream>,
    /// Statements over `schema: &mut Schema`.
    pub(crate) describes: Vec<TokenStream>,
}

#[derive(Default)]
pub(crate) struct NumberRules {
    pub(crate) min: Option<Expr>,
    pub(crate) max: Option<Expr>,
    pub(crate) above: Option<Expr>,
    pub(crate) below: Option<Expr>,
    pub(crate) clamp: bool,
    pub(crate) checks: Vec<TokenStream>,
    pub(crate) describes: Vec<TokenStream>,
}

/// What is being said about, which decides who may say it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Text,
    Number,
    Moment,
    List,
    Map,
}

impl Family {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "numbers",
            Self::Moment => "moments",
            Self::List => "lists",
            Self::Map => "maps",
        }
    }
}

const NUMBER_WORDS: &[&str] = &["range", "gt", "ge", "lt", "le", "multiple_of", "safe_int"];
const MOMENT_WORDS: &[&str] = &["past", "future", "before", "after", "within"];
const LIST_WORDS: &[&str] = &["items", "each", "unique"];
const MAP_WORDS: &[&str] = &["entries", "keys", "values"];
/// Words for text that are not rows of the table.
const TEXT_WORDS: &[&str] = &["chars", "bytes", "parse"];
/// The word that is for what its arguments are for.
const NORMALIZE: &str = "normalize";
/// Words that stand beside rules of any kind; `field.rs` reads them.
pub(crate) const FIELD_WORDS: &[&str] = &[
    "required",
    "with",
    "with_context",
    "nested",
    "serde",
    "unbounded",
    "required_if",
    "forbidden_if",
    "when",
    "same_as",
    "differs_from",
];

fn family(word: &str) -> Option<Family> {
    if NUMBER_WORDS.contains(&word) {
        Some(Family::Number)
    } else if MOMENT_WORDS.contains(&word) {
        Some(Family::Moment)
    } else if LIST_WORDS.contains(&word) {
        Some(Family::List)
    } else if MAP_WORDS.contains(&word) {
        Some(Family::Map)
    } else if TEXT_WORDS.contains(&word) || text::is_rule(word) {
        Some(Family::Text)
    } else {
        None
    }
}

fn all_words() -> impl Iterator<Item = &'static str> {
    let lists = [
        NUMBER_WORDS,
        MOMENT_WORDS,
        LIST_WORDS,
        MAP_WORDS,
        TEXT_WORDS,
        FIELD_WORDS,
    ];
    lists
        .into_iter()
        .flatten()
        .copied()
        .chain([NORMALIZE])
        .chain(text::rule_words())
}

impl Rules {
    /// Sorts the rules of one field, or of the items of one.
    pub(crate) fn parse(items: &[Item]) -> Result<Self> {
        let mut found: Option<(Family, &Item)> = None;
        for item in items {
            let word = item.name.to_string();
            let this = if word == NORMALIZE {
                Some(normalize::family(item)?)
            } else {
                family(&word)
            };
            let Some(mut this) = this else {
                if FIELD_WORDS.contains(&word.as_str()) {
                    continue;
                }
                return Err(unknown(item));
            };
            if this == Family::List && items.iter().any(is_map_word) && word == "items" {
                this = Family::Map;
            }
            match found {
                Some((first, by)) if first != this => {
                    return Err(item.error(format!(
                        "`{word}` is for {}, and `{}` beside it is for {}",
                        this.name(),
                        by.name,
                        first.name(),
                    )));
                }
                _ => found = Some((this, item)),
            }
        }
        let unbounded = items.iter().find(|item| item.name == "unbounded");
        let foreign = items.iter().find(|item| item.name == "serde");
        if let (Some(foreign), Some((_, rule))) = (foreign, found) {
            return Err(foreign.error(format!(
                "`serde` leaves the value to its type; `{}` beside it would not be looked at",
                rule.name,
            )));
        }
        match found {
            None if foreign.is_some() => Ok(Self::Foreign),
            // With no other word, `unbounded` is for text: lists and maps say it beside a word
            // that tells what they are.
            None if unbounded.is_some() => Ok(Self::Text(TextRules {
                unbounded: true,
                ..TextRules::default()
            })),
            None => Ok(Self::Own),
            Some((Family::Text, at)) => TextRules::parse(items, at.span()).map(Self::Text),
            Some((Family::Number, at)) => {
                if let Some(unbounded) = unbounded {
                    return Err(
                        unbounded.error("a number is bounded by its type; leave `unbounded` out")
                    );
                }
                NumberRules::parse(items, at.span()).map(Self::Number)
            }
            Some((Family::Moment, _)) => {
                if let Some(unbounded) = unbounded {
                    return Err(
                        unbounded.error("a moment is bounded by its type; leave `unbounded` out")
                    );
                }
                MomentRules::parse(items).map(Self::Moment)
            }
            Some((Family::List, at)) => parse_list(items, at.span(), unbounded.is_some()),
            Some((Family::Map, at)) => parse_map(items, at.span(), unbounded.is_some()),
        }
    }
}

fn is_map_word(item: &Item) -> bool {
    MAP_WORDS.iter().any(|word| item.name == word)
}

fn unknown(item: &Item) -> syn::Error {
    let word = item.name.to_string();
    if normalize::is_normalizer(&word) {
        return item.error(format!(
            "`{word}` changes the text: write `normalize({word})`"
        ));
    }
    let instead = match word.as_str() {
        "length" | "len" | "min_length" | "max_length" | "min" | "max" | "size" => Some(
            "chars(1..=100)` for text, `items(..=50)` for lists, `range(0..=150)` for numbers, `bytes(..=64)",
        ),
        "regex" | "regexp" | "matches" => Some("pattern(\"[a-z]+\")"),
        "custom" => Some("with = path"),
        "dive" | "inner" => Some("each(..)"),
        "must_match" => Some("same_as(other)"),
        word => attr::closest(word, all_words()),
    };
    match instead {
        Some(instead) => item.error(format!("there is no rule `{word}`; write `{instead}`")),
        None => item.error(format!("there is no rule `{word}`")),
    }
}

fn parse_list(items: &[Item], span: Span, unbounded: bool) -> Result<Rules> {
    let (mut rules, mut count, mut each) = (ListRules::default(), None, Rules::Own);
    for item in items {
        match item.name.to_string().as_str() {
            "items" => count = Some(parse_count(item, "items(..=50)")?),
            "unique" => {
                item.bare()?;
                rules.unique = true;
            }
            "each" => each = Rules::parse(&item.items()?)?,
            NORMALIZE => {
                for step in item.items()? {
                    rules.tidy(&step)?;
                }
            }
            _ => {}
        }
    }
    if let (true, Some(unique)) = (
        rules.dedup && rules.unique,
        items.iter().find(|item| item.name == "unique"),
    ) {
        return Err(unique.error("`dedup` leaves nothing for `unique` to refuse; choose one"));
    }
    rules.count = bounded(
        count,
        unbounded,
        span,
        "a list needs a maximum: add `items(..=50)`, or `unbounded`",
    )?;
    Ok(Rules::Items(rules, Box::new(each)))
}

impl ListRules {
    fn tidy(&mut self, step: &Item) -> Result<()> {
        step.bare()?;
        if step.name == "sort" {
            self.sort = true;
            self.tidies.push(quote!(items.sort();));
        } else {
            self.dedup = true;
            self.tidies.push(quote!(__v::read::dedup(items);));
        }
        Ok(())
    }
}

fn parse_map(items: &[Item], span: Span, unbounded: bool) -> Result<Rules> {
    let (mut count, mut keys, mut values) = (None, Rules::Own, Rules::Own);
    for item in items {
        match item.name.to_string().as_str() {
            "items" | "entries" => count = Some(parse_count(item, "entries(..=50)")?),
            "keys" => keys = Rules::parse(&item.items()?)?,
            "values" => values = Rules::parse(&item.items()?)?,
            _ => {}
        }
    }
    let count = bounded(
        count,
        unbounded,
        span,
        "a map needs a maximum: add `entries(..=50)`, or `unbounded`",
    )?;
    Ok(Rules::Entries(count, Box::new(keys), Box::new(values)))
}

fn bounded(count: Option<Count>, unbounded: bool, span: Span, message: &str) -> Result<Count> {
    let count = count.unwrap_or_default();
    match (&count.max, unbounded) {
        (None, false) => Err(syn::Error::new(span, message)),
        (Some(max), true) => Err(syn::Error::new_spanned(
            max,
            "there is a maximum; leave `unbounded` out",
        )),
        _ => Ok(count),
    }
}

/// Reads `1..=100`, `..=100`, `1..`, or `min = 1, max = 100`.
pub(crate) fn parse_count(item: &Item, usage: &str) -> Result<Count> {
    let Some(args) = &item.args else {
        return Err(item.error(format!("write `{usage}`")));
    };
    let count = match syn::parse2::<Expr>(args.clone()) {
        Ok(Expr::Range(range)) => {
            if range.end.is_some() && matches!(range.limits, syn::RangeLimits::HalfOpen(_)) {
                return Err(syn::Error::new_spanned(
                    &range,
                    format!("say whether the end counts: write `..=`, as in `{usage}`"),
                ));
            }
            Count {
                min: range.start.map(|e| *e),
                max: range.end.map(|e| *e),
            }
        }
        _ => {
            let mut count = Count::default();
            let parts = item
                .items()
                .map_err(|_| item.error(format!("write `{usage}`")))?;
            for part in parts {
                match part.name.to_string().as_str() {
                    "min" => count.min = Some(part.expr("min = 1")?),
                    "max" => count.max = Some(part.expr("max = 100")?),
                    _ => return Err(item.error(format!("write `{usage}`"))),
                }
            }
            count
        }
    };
    if count.min.is_none() && count.max.is_none() {
        return Err(item.error(format!("write `{usage}`")));
    }
    in_order(count.min.as_ref(), count.max.as_ref())?;
    if let Some(negative) = [&count.min, &count.max]
        .into_iter()
        .flatten()
        .find(|e| literal_int(e).is_some_and(|n| n < 0))
    {
        return Err(syn::Error::new_spanned(negative, "a count is not negative"));
    }
    Ok(count)
}

/// Refuses a least that is above the most, where both are literals; what is not literal is
/// compared by the compiler.
fn in_order(min: Option<&Expr>, max: Option<&Expr>) -> Result<()> {
    let (Some(min), Some(max)) = (min, max) else {
        return Ok(());
    };
    match (literal_int(min), literal_int(max)) {
        (Some(least), Some(most)) if least > most => Err(syn::Error::new_spanned(
            max,
            format!("nothing is at least {least} and at most {most}"),
        )),
        _ => Ok(()),
    }
}

impl TextRules {
    fn parse(items: &[Item], span: Span) -> Result<Self> {
        let mut rules = Self::default();
        for item in items {
            match item.name.to_string().as_str() {
                "parse" => {
                    item.bare()?;
                    rules.parse = true;
                }
                "unbounded" => rules.unbounded = true,
                "chars" => rules.chars = Some(parse_count(item, "chars(1..=100)")?),
                "bytes" => rules.bytes = Some(parse_count(item, "bytes(1..=100)")?),
                NORMALIZE => {
                    for step in item.items()? {
                        rules.normalize(&step, items)?;
                    }
                }
                word if text::is_rule(word) => text::apply(item, &mut rules)?,
                _ => {}
            }
        }
        let maximum = [&rules.chars, &rules.bytes]
            .into_iter()
            .flatten()
            .find_map(|c| c.max.as_ref());
        if let (Some(maximum), true) = (maximum, rules.unbounded) {
            return Err(syn::Error::new_spanned(
                maximum,
                "there is a maximum; leave `unbounded` out",
            ));
        }
        if maximum.is_none() && rules.most.is_none() && !rules.unbounded {
            return Err(syn::Error::new(
                span,
                "text needs a maximum: add `chars(..=100)` or `bytes(..=100)`, or `unbounded`",
            ));
        }
        Ok(rules)
    }

    /// Adds a normaliser, and the rule of the same name if there is one: what the profile of a
    /// normaliser refuses is left for the rule to refuse.
    fn normalize(&mut self, step: &Item, items: &[Item]) -> Result<()> {
        self.normalize.push(normalize::text(step)?);
        self.empty_as_none |= step.name == "empty_as_none";
        let said = items.iter().any(|item| item.name == step.name);
        if text::is_rule(&step.name.to_string()) && !said {
            text::apply(step, self)?;
        }
        Ok(())
    }

    /// Caps the text at so many bytes, unless it is capped lower already.
    pub(crate) fn cap(&mut self, bytes: usize) {
        self.most = Some(self.most.map_or(bytes, |most| most.min(bytes)));
    }

    pub(crate) fn check(&mut self, takes: Takes, test: &TokenStream, fault: &TokenStream) {
        let argument = match takes {
            Takes::Bytes => quote!(text.as_bytes()),
            Takes::Text => quote!(text),
        };
        self.checks.push(quote!(if !#test(#argument) { #fault }));
    }
}

impl NumberRules {
    fn parse(items: &[Item], _: Span) -> Result<Self> {
        let mut rules = Self::default();
        for item in items {
            match item.name.to_string().as_str() {
                "range" => rules.range(item)?,
                "ge" => rules.min = Some(item.arg("ge(0)")?),
                "gt" => rules.above = Some(item.arg("gt(0)")?),
                "le" => rules.max = Some(item.arg("le(100)")?),
                NORMALIZE => {}
                "lt" => rules.below = Some(item.arg("lt(100)")?),
                "multiple_of" => {
                    let of: Expr = item.arg("multiple_of(5)")?;
                    if literal_int(&of).is_some_and(|of| of <= 0) {
                        return Err(syn::Error::new_spanned(
                            of,
                            "a multiple of a number above zero",
                        ));
                    }
                    rules.checks.push(quote! {
                        if value % (#of) != 0 {
                            cx.report(__v::Violation::new(__v::Code::MULTIPLE_OF).param("of", #of));
                        }
                    });
                    rules.describes.push(quote!(schema.set("multipleOf", #of);));
                }
                "safe_int" => {
                    item.bare()?;
                    rules.checks.push(quote! {
                        if !__v::rule::is_safe_int(value as i128) {
                            cx.fault(__v::Code::NUMBER_UNSAFE);
                        }
                    });
                    rules.describes.push(quote! {
                        schema.also_between(-__v::rule::SAFE_INT, __v::rule::SAFE_INT);
                    });
                }
                _ => {}
            }
        }
        for item in items.iter().filter(|item| item.name == NORMALIZE) {
            for step in item.items()? {
                rules.clamp(&step)?;
            }
        }
        in_order(rules.min.as_ref(), rules.max.as_ref())?;
        Ok(rules)
    }

    /// A clamp is a range into which numbers are moved.
    fn clamp(&mut self, step: &Item) -> Result<()> {
        let bounds = [&self.min, &self.max, &self.above, &self.below];
        if bounds.into_iter().any(Option::is_some) {
            return Err(
                step.error("`clamp` leaves nothing for a range beside it to refuse; choose one")
            );
        }
        let (min, max) = normalize::clamp(step)?;
        (self.min, self.max, self.clamp) = (Some(min), Some(max), true);
        Ok(())
    }

    fn range(&mut self, item: &Item) -> Result<()> {
        let usage = "range(0..=150)";
        let Some(args) = &item.args else {
            return Err(item.error(format!("write `{usage}`")));
        };
        match syn::parse2::<Expr>(args.clone()) {
            Ok(Expr::Range(range)) => {
                self.min = range.start.map(|e| *e);
                match range.limits {
                    syn::RangeLimits::Closed(_) => self.max = range.end.map(|e| *e),
                    syn::RangeLimits::HalfOpen(_) => self.below = range.end.map(|e| *e),
                }
            }
            _ => {
                let count = item
                    .items()
                    .map_err(|_| item.error(format!("write `{usage}`")))?;
                for part in count {
                    match part.name.to_string().as_str() {
                        "min" => self.min = Some(part.expr("min = 0")?),
                        "max" => self.max = Some(part.expr("max = 150")?),
                        _ => return Err(item.error(format!("write `{usage}`"))),
                    }
                }
            }
        }
        if self.min.is_none() && self.max.is_none() && self.below.is_none() {
            return Err(item.error(format!("write `{usage}`")));
        }
        Ok(())
    }
}
