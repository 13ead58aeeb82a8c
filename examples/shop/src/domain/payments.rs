//! Payments, and what the ledger says of them.

use serde::Serialize;

use super::{Component, DomainError, Shop, Stage};

/// A payment to make.
#[derive(Clone, Debug)]
pub struct NewPayment {
    /// In minor units; above zero, and what a ledger can hold.
    pub amount: u64,
    /// Three upper-case letters.
    pub currency: String,
    /// Who pays.
    pub customer: String,
}

/// A payment that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Charge {
    /// The payment.
    #[serde(flatten)]
    pub payment: Payment,
    /// How many attempts it took.
    pub executions: u64,
}

impl Shop {
    /// Asks the payment provider whether the money is there.
    ///
    /// # Errors
    ///
    /// When the provider fails; nothing has been charged then.
    pub async fn authorize(&self) -> Result<(), DomainError> {
        self.components.call(Component::Payments).await
    }

    /// Comes to a later stage of a payment, where it can be told to fail.
    ///
    /// # Errors
    ///
    /// When it was.
    pub async fn payment_reaches(&self, stage: Stage) -> Result<(), DomainError> {
        self.components.reach(Component::Payments, stage).await
    }
}
