//! The rules of moments.

use syn::{Expr, Result};

use crate::attr::Item;
use crate::text::Feature;

#[derive(Default)]
pub(crate) struct MomentRules {
    pub(crate) side: Option<Side>,
    pub(crate) within: Option<Expr>,
    pub(crate) before: Option<Expr>,
    pub(crate) after: Option<Expr>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Past,
    Future,
}

impl MomentRules {
    pub(crate) fn parse(items: &[Item]) -> Result<Self> {
        let mut rules = Self::default();
        for item in items {
            match item.name.to_string().as_str() {
                "past" => rules.on(Side::Past, item)?,
                "future" => rules.on(Side::Future, item)?,
                "before" => rules.before = Some(bound(item)?),
                "after" => rules.after = Some(bound(item)?),
                "within" => {
                    Feature::Jiff.demand(item)?;
                    rules.within = Some(item.arg("within(Duration::from_secs(300))")?);
                }
                _ => {}
            }
        }
        Ok(rules)
    }

    fn on(&mut self, side: Side, item: &Item) -> Result<()> {
        Feature::Jiff.demand(item)?;
        item.bare()?;
        if self.side.is_some_and(|other| other != side) {
            return Err(item.error("nothing is both in the past and in the future"));
        }
        self.side = Some(side);
        Ok(())
    }
}

/// A bound is a constant of the field's type: a text could only be judged when it runs.
fn bound(item: &Item) -> Result<Expr> {
    Feature::Jiff.demand(item)?;
    let usage = format!(
        "{}(jiff::civil::date(2030, 1, 1))`, or `{0}(path::to::CONSTANT)",
        item.name
    );
    let bound: Expr = item.arg(&usage)?;
    match bound {
        Expr::Lit(_) => Err(syn::Error::new_spanned(bound, format!("write `{usage}`"))),
        bound => Ok(bound),
    }
}
