//! Payments, and the ledger that knows which charges were really made.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Component, DomainError, Shop};

/// A payment to make.
#[derive(Clone, Debug)]
pub struct NewPayment {
    /// In minor units; above zero.
    pub amount: u64,
    /// Three upper-case letters.
    pub currency: String,
    /// Who pays.
    pub customer: String,
}

/// A payment that was made.
#[derive(Clone, Debug, Serialize)]
pub struct Payment {
    /// Names the payment.
    pub payment_id: String,
    /// In minor units.
    pub amount: u64,
    /// Three upper-case letters.
    pub currency: String,
    /// Who paid.
    pub customer: String,
}

/// A line of the ledger.
#[derive(Clone, Debug, Serialize)]
pub struct Charge {
    /// The payment.
    #[serde(flatten)]
    pub payment: Payment,
    /// How often the money really moved.
    pub executions: u32,
}

impl Shop {
    /// Charges a customer.
    ///
    /// # Errors
    ///
    /// When the provider fails; nothing has been charged then.
    pub async fn pay(&self, new: NewPayment) -> Result<Payment, DomainError> {
        self.components.call(Component::Payments).await?;
        Ok(self.ledger.lock().charge(new))
    }

    /// Every charge really made, oldest first.
    #[must_use]
    pub fn ledger(&self) -> Vec<Charge> {
        self.ledger.lock().charges.values().cloned().collect()
    }
}

/// The charges by their number.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    charges: BTreeMap<u64, Charge>,
    last: u64,
}

impl Ledger {
    fn charge(&mut self, new: NewPayment) -> Payment {
        let NewPayment {
            amount,
            currency,
            customer,
        } = new;
        self.last += 1;
        let payment_id = format!("pay_{}", self.last);
        let payment = Payment {
            payment_id,
            amount,
            currency,
            customer,
        };
        self.charges.insert(
            self.last,
            Charge {
                payment: payment.clone(),
                executions: 1,
            },
        );
        payment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_ledger_tells_what_was_charged() {
        let shop = Shop::new();
        for _ in 0..2 {
            let currency = "EUR".to_owned();
            let new = NewPayment {
                amount: 1250,
                currency,
                customer: "c1".to_owned(),
            };
            shop.pay(new).await.unwrap();
        }
        assert_eq!(
            serde_json::to_value(shop.ledger()).unwrap()[1],
            serde_json::json!({"payment_id": "pay_2", "amount": 1250, "currency": "EUR",
                "customer": "c1", "executions": 1}),
        );
    }
}
