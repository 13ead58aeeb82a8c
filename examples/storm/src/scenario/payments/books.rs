//! What the ledger says of the orders of a strike.

use serde_json::Value;

use super::Order;
use crate::figures::{Check, Figures, Tally};
use crate::service::{Service, Trouble};

/// The charges of each order.
pub(super) struct Books {
    /// How many there are, and how many attempts they took.
    lines: Vec<(u64, u64)>,
    odd: Tally,
}

impl Books {
    pub(super) async fn read(service: &Service, orders: &[Order]) -> Result<Self, Trouble> {
        let ledger: Vec<Value> = service.ledger().await?;
        let mut odd = Tally::default();
        let lines = orders
            .iter()
            .map(|order| {
                let of = ledger
                    .iter()
                    .filter(|charge| charge["customer"] == order.customer.as_str());
                let lines: Vec<&Value> = of.collect();
                for charge in &lines {
                    if charge["amount"] != super::AMOUNT {
                        odd.note(|| charge.to_string());
                    }
                }
                let executions = lines
                    .iter()
                    .filter_map(|charge| charge["executions"].as_u64());
                (lines.len() as u64, executions.sum())
            })
            .collect();
        Ok(Self { lines, odd })
    }

    fn charges(&self) -> impl Iterator<Item = u64> {
        self.lines.iter().map(|(charges, _)| *charges)
    }

    pub(super) fn most(&self) -> u64 {
        self.charges().max().unwrap_or_default()
    }

    fn least(&self) -> u64 {
        self.charges().min().unwrap_or_default()
    }

    pub(super) fn attempts(&self) -> u64 {
        self.lines.iter().map(|(_, executions)| *executions).sum()
    }

    pub(super) fn keys(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn figures(&self, figures: &mut Figures) {
        figures.add("keys", self.keys());
        figures.add("charges", self.charges().sum::<u64>());
        figures.add("charges_per_key_min", self.least());
        figures.add("charges_per_key_max", self.most());
        figures.add("executions", self.attempts());
    }

    pub(super) fn checks(&self) -> Vec<Check> {
        let (least, most) = (self.least(), self.most());
        vec![
            Check::new(
                "charges of each key in the ledger",
                "1",
                if least == most {
                    least.to_string()
                } else {
                    format!("{least} to {most}")
                },
                (least, most) == (1, 1),
            ),
            Check::none("charges of another amount than was asked for", &self.odd),
        ]
    }

    /// That the strike would show double charges.
    pub(super) fn control(&self, what: &str) -> Check {
        let most = self.most();
        Check::new(
            format!("control: charges of one key {what}"),
            "2 at least",
            most.to_string(),
            most >= 2,
        )
    }

    pub(super) fn headline(&self) -> String {
        let (least, most) = (self.least(), self.most());
        let each = if least == most {
            least.to_string()
        } else {
            format!("{least} to {most}")
        };
        format!("{} keys charged {each} times each", self.keys())
    }
}
