//! The attributes of serde's that say how input is read, so that they need not be said twice.

use syn::{Attribute, Expr, Result};

use crate::attr::{self, Item};
use crate::case::Case;

/// Where the value of an absent field comes from.
#[derive(Clone)]
pub(crate) enum Default {
    Trait,
    Path(syn::ExprPath),
}

#[derive(Clone, std::default::Default)]
pub(crate) struct Serde {
    pub(crate) rename: Option<String>,
    pub(crate) rename_all: Option<Case>,
    pub(crate) rename_all_fields: Option<Case>,
    pub(crate) aliases: Vec<String>,
    pub(crate) default: Option<Default>,
    pub(crate) flatten: bool,
    pub(crate) skip: bool,
    pub(crate) transparent: bool,
    pub(crate) tag: Option<String>,
    pub(crate) content: Option<String>,
}

/// Attributes that change how serde reads and that this derive cannot follow.
const NOT_READ: [(&str, &str); 9] = [
    (
        "with",
        "use `#[validate(serde)]` on the field's type, or `parse`",
    ),
    (
        "deserialize_with",
        "use `#[validate(serde)]` on the field's type, or `parse`",
    ),
    (
        "untagged",
        "say which variant it is: `#[serde(tag = \"type\")]`",
    ),
    (
        "try_from",
        "derive `Validate` for the source type and convert afterwards",
    ),
    (
        "from",
        "derive `Validate` for the source type and convert afterwards",
    ),
    (
        "other",
        "unknown variants are refused; declare a variant that carries the name",
    ),
    ("remote", "derive `Validate` where the type is defined"),
    (
        "variant_identifier",
        "derive `Validate` on an enum of unit variants",
    ),
    (
        "field_identifier",
        "derive `Validate` on an enum of unit variants",
    ),
];

impl Serde {
    pub(crate) fn parse(attrs: &[Attribute]) -> Result<Self> {
        let mut out = Self::default();
        for item in attr::items(attrs, "serde")? {
            out.take(&item)?;
        }
        if out.content.is_some() && out.tag.is_none() {
            let span = attrs.iter().find(|attr| attr.path().is_ident("serde"));
            return Err(syn::Error::new_spanned(
                span,
                "`content` needs `tag = \"..\"` beside it",
            ));
        }
        Ok(out)
    }

    fn take(&mut self, item: &Item) -> Result<()> {
        let word = item.name.to_string();
        match word.as_str() {
            "rename" => self.rename = one_name(item, "rename = \"name\"")?,
            "rename_all" => self.rename_all = one_case(item, "rename_all = \"camelCase\"")?,
            "rename_all_fields" => {
                self.rename_all_fields = one_case(item, "rename_all_fields = \"camelCase\"")?;
            }
            "alias" => self.aliases.push(item.text("alias = \"name\"")?),
            "default" if item.value.is_none() => self.default = Some(Default::Trait),
            "default" => {
                let path = item.text("default = \"path::to::function\"")?;
                let path = syn::parse_str(&path).map_err(|error| item.error(error))?;
                self.default = Some(Default::Path(path));
            }
            "flatten" => self.flatten = true,
            "skip" | "skip_deserializing" => self.skip = true,
            "transparent" => self.transparent = true,
            "tag" => self.tag = Some(item.text("tag = \"type\"")?),
            "content" => self.content = Some(item.text("content = \"value\"")?),
            other => {
                if let Some((_, instead)) = NOT_READ.iter().find(|(word, _)| *word == other) {
                    let message = format!("`serde({other})` cannot be followed here: {instead}");
                    return Err(item.error(message));
                }
                // What is left is about writing, or about bounds, or serde's own derive will
                // refuse it.
            }
        }
        Ok(())
    }
}

/// `rename = "x"` or the `deserialize` part of `rename(serialize = "x", deserialize = "y")`.
fn one_name(item: &Item, usage: &str) -> Result<Option<String>> {
    if item.args.is_none() {
        return item.text(usage).map(Some);
    }
    for part in item.items()? {
        if part.name == "deserialize" {
            return part.text("rename(deserialize = \"name\")").map(Some);
        }
    }
    Ok(None)
}

fn one_case(item: &Item, usage: &str) -> Result<Option<Case>> {
    let Some(name) = one_name(item, usage)? else {
        return Ok(None);
    };
    let case = Case::parse(&name).ok_or_else(|| {
        item.error(
            "expected lowercase, UPPERCASE, PascalCase, camelCase, snake_case, \
             SCREAMING_SNAKE_CASE, kebab-case or SCREAMING-KEBAB-CASE",
        )
    })?;
    Ok(Some(case))
}

/// Whether an expression is a literal, and which number it is.
pub(crate) fn literal_int(expr: &Expr) -> Option<i128> {
    match expr {
        Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Int(int),
            ..
        }) => int.base10_parse().ok(),
        Expr::Unary(syn::ExprUnary {
            op: syn::UnOp::Neg(_),
            expr,
            ..
        }) => literal_int(expr).map(|value| -value),
        _ => None,
    }
}
