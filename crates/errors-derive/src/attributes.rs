//! What `#[api(..)]` may say, and where.

use proc_macro2::Span;
use syn::{
    Attribute, Error, Expr, LitInt, LitStr, Path, Result, Token, ext::IdentExt as _,
    meta::ParseNestedMeta, spanned::Spanned as _,
};

/// The attributes of a type.
#[derive(Default)]
pub(crate) struct TypeAttributes {
    pub(crate) krate: Option<Path>,
    /// What a struct says of itself, and an enum of variants that say nothing.
    pub(crate) face: Face,
}

/// How a variant, or a struct, looks to callers.
#[derive(Clone, Default)]
pub(crate) struct Face {
    pub(crate) kind: Option<Kind>,
    pub(crate) message: Option<LitStr>,
    pub(crate) retry_after: Option<LitInt>,
    pub(crate) not_executed: bool,
}

/// Where the code of a variant comes from.
#[derive(Clone)]
pub(crate) enum Kind {
    Code(Box<Expr>),
    Internal,
    Transparent(Span),
}

/// The attributes of a field.
#[derive(Default)]
pub(crate) struct FieldAttributes {
    pub(crate) public: Option<Public>,
    pub(crate) retry_after: bool,
}

/// A field that callers may see.
pub(crate) enum Public {
    /// Under the field's own name; the span is that of the attribute.
    Named(Span),
    /// Under a name that the attribute gives.
    As(LitStr),
}

impl TypeAttributes {
    pub(crate) fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut parsed = Self::default();
        each(attributes, |meta| {
            if meta.path.is_ident("crate") {
                let path = meta.value()?.call(Path::parse_mod_style)?;
                return once(&mut parsed.krate, path, meta);
            }
            parsed.face.take(meta, "`crate`, ")
        })?;
        Ok(parsed)
    }
}

impl Face {
    pub(crate) fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut face = Self::default();
        each(attributes, |meta| face.take(meta, ""))?;
        Ok(face)
    }

    /// Whether nothing was said.
    pub(crate) fn is_silent(&self) -> bool {
        self.kind.is_none()
            && self.message.is_none()
            && self.retry_after.is_none()
            && !self.not_executed
    }

    fn take(&mut self, meta: &ParseNestedMeta<'_>, others: &str) -> Result<()> {
        let path = &meta.path;
        if path.is_ident("code") {
            let code = meta.value()?.parse()?;
            once(&mut self.kind, Kind::Code(Box::new(code)), meta)
        } else if path.is_ident("internal") {
            once(&mut self.kind, Kind::Internal, meta)
        } else if path.is_ident("transparent") {
            once(&mut self.kind, Kind::Transparent(path.span()), meta)
        } else if path.is_ident("message") {
            let message = meta.value()?.parse()?;
            once(&mut self.message, message, meta)
        } else if path.is_ident("retry_after") {
            let seconds: LitInt = meta.value()?.parse()?;
            seconds.base10_parse::<u64>()?;
            once(&mut self.retry_after, seconds, meta)
        } else if path.is_ident("not_executed") {
            self.not_executed = true;
            Ok(())
        } else {
            Err(meta.error(format!(
                "expected {others}`code`, `internal`, `transparent`, `message`, `retry_after` or \
                 `not_executed`"
            )))
        }
    }
}

impl FieldAttributes {
    pub(crate) fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut parsed = Self::default();
        each(attributes, |meta| {
            if meta.path.is_ident("public") {
                let public = if meta.input.peek(Token![=]) {
                    Public::As(meta.value()?.parse()?)
                } else {
                    Public::Named(meta.path.span())
                };
                once(&mut parsed.public, public, meta)
            } else if meta.path.is_ident("retry_after") {
                parsed.retry_after = true;
                Ok(())
            } else {
                Err(meta.error("expected `public`, `public = \"name\"` or `retry_after`"))
            }
        })?;
        Ok(parsed)
    }

    /// Whether nothing was said.
    pub(crate) fn is_silent(&self) -> bool {
        self.public.is_none() && !self.retry_after
    }
}

impl Public {
    /// The name of the member, which has to be one of RFC 9457 that the renderer does not write.
    pub(crate) fn member(&self, field: Option<&syn::Ident>) -> Result<String> {
        let (name, span) = match (self, field) {
            (Self::As(name), _) => (name.value(), name.span()),
            (Self::Named(span), Some(field)) => (field.unraw().to_string(), *span),
            (Self::Named(span), None) => {
                return Err(Error::new(
                    *span,
                    "a field without a name needs `public = \"name\"`",
                ));
            }
        };
        let shaped = name.len() >= 3
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !shaped {
            return Err(Error::new(
                span,
                format!(
                    "`{name}` cannot be a member of a problem: a name is at least three of \
                     [A-Za-z0-9_] and begins with a letter; use `public = \"name\"`"
                ),
            ));
        }
        if RESERVED.contains(&name.as_str()) {
            return Err(Error::new(
                span,
                format!("`{name}` is a member of every problem; use `public = \"name\"`"),
            ));
        }
        Ok(name)
    }
}

fn each(
    attributes: &[Attribute],
    mut take: impl FnMut(&ParseNestedMeta<'_>) -> Result<()>,
) -> Result<()> {
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("api"))
    {
        attribute.parse_nested_meta(|meta| take(&meta))?;
    }
    Ok(())
}

fn once<T>(slot: &mut Option<T>, value: T, meta: &ParseNestedMeta<'_>) -> Result<()> {
    if slot.replace(value).is_some() {
        return Err(meta.error("this, or what excludes it, was said before"));
    }
    Ok(())
}

const RESERVED: [&str; 8] = [
    "type",
    "title",
    "status",
    "detail",
    "instance",
    "code",
    "errors",
    "request_id",
];
