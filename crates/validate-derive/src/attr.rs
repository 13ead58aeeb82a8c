//! The grammar of an attribute: words, words with arguments, and words with a value.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Ident, Result, Token};

/// `word`, `word(arguments)` or `word = value`.
#[derive(Clone)]
pub(crate) struct Item {
    pub(crate) name: Ident,
    pub(crate) args: Option<TokenStream>,
    pub(crate) value: Option<Expr>,
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        // `crate` and `where` are words of ours too.
        let name: Ident = input.call(syn::ext::IdentExt::parse_any)?;
        let mut item = Self {
            name,
            args: None,
            value: None,
        };
        if input.peek(syn::token::Paren) {
            let inner;
            syn::parenthesized!(inner in input);
            item.args = Some(inner.parse()?);
        } else if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            item.value = Some(input.parse()?);
        }
        Ok(item)
    }
}

impl Item {
    pub(crate) fn span(&self) -> Span {
        self.name.span()
    }

    pub(crate) fn error(&self, message: impl std::fmt::Display) -> syn::Error {
        syn::Error::new(self.span(), message)
    }

    /// The arguments, as a list of items.
    pub(crate) fn items(&self) -> Result<Vec<Self>> {
        parse_items(self.args.clone().unwrap_or_default())
    }

    /// The arguments, parsed as `T`, or an error that shows how to write it.
    pub(crate) fn arg<T: Parse>(&self, usage: &str) -> Result<T> {
        let Some(args) = &self.args else {
            return Err(self.error(format!("write `{usage}`")));
        };
        syn::parse2(args.clone()).map_err(|_| self.error(format!("write `{usage}`")))
    }

    /// The value, or an error that shows how to write it.
    pub(crate) fn expr(&self, usage: &str) -> Result<Expr> {
        match (&self.value, &self.args) {
            (Some(value), None) => Ok(value.clone()),
            _ => Err(self.error(format!("write `{usage}`"))),
        }
    }

    /// The value, parsed as a path.
    pub(crate) fn path(&self, usage: &str) -> Result<syn::Path> {
        match self.expr(usage)? {
            Expr::Path(path) if path.attrs.is_empty() && path.qself.is_none() => Ok(path.path),
            _ => Err(self.error(format!("write `{usage}`"))),
        }
    }

    /// The value, as a string literal.
    pub(crate) fn text(&self, usage: &str) -> Result<String> {
        match self.expr(usage)? {
            Expr::Lit(syn::ExprLit {
                lit: syn::Lit::Str(text),
                ..
            }) => Ok(text.value()),
            _ => Err(self.error(format!("write `{usage}`"))),
        }
    }

    /// Refuses arguments and values on a word that takes none.
    pub(crate) fn bare(&self) -> Result<()> {
        if self.args.is_some() || self.value.is_some() {
            return Err(self.error(format!("`{}` takes no arguments", self.name)));
        }
        Ok(())
    }
}

pub(crate) fn parse_items(tokens: TokenStream) -> Result<Vec<Item>> {
    let list = Punctuated::<Item, Token![,]>::parse_terminated;
    Ok(list.parse2(tokens)?.into_iter().collect())
}

/// The items of all attributes with this name.
pub(crate) fn items(attrs: &[Attribute], name: &str) -> Result<Vec<Item>> {
    let mut all = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(name)) {
        let list = attr
            .meta
            .require_list()
            .map_err(|_| syn::Error::new_spanned(attr, format!("write `#[{name}(..)]`")))?;
        all.extend(parse_items(list.tokens.clone())?);
    }
    Ok(all)
}

/// An expression of the user's over `self`, to stand in a method of ours: in a type that a macro
/// makes, `self` in what the macro was given is of another context than the method.
pub(crate) fn over_self(expr: &Expr) -> TokenStream {
    fn replace(tokens: TokenStream) -> TokenStream {
        let each = |token| match token {
            TokenTree::Ident(ident) if ident == "self" => {
                let span = ident.span().resolved_at(Span::call_site());
                TokenTree::Ident(Ident::new("self", span))
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), replace(group.stream()));
                inner.set_span(group.span());
                TokenTree::Group(inner)
            }
            other => other,
        };
        tokens.into_iter().map(each).collect()
    }
    replace(quote::ToTokens::to_token_stream(expr))
}

/// The closest of the known words, for a helpful error.
pub(crate) fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 2.min(candidate.len() / 2))
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let next = (corner + usize::from(x != *y))
                .min(row[j] + 1)
                .min(row[j + 1] + 1);
            corner = std::mem::replace(&mut row[j + 1], next);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised() {
        assert_eq!(closest("emial", ["email", "chars"]), Some("email"));
        assert_eq!(closest("wombat", ["email", "chars"]), None);
    }
}
