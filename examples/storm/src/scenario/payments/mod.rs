//! Payments under keys: duplicated, abandoned, cut down half-way.

mod books;
pub(super) mod crash;
pub(super) mod disconnect;
pub(super) mod duplicates;
mod payer;

use std::net::SocketAddr;

use books::Books;
pub(crate) use payer::call as payment;
use payer::{PATH, Payer};

/// A key and the customer whom it charges, so that the ledger can be read by key.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) key: String,
    pub(crate) customer: String,
}

impl Order {
    /// Unlike every other of this machine: a ledger may have been there before.
    pub(crate) fn new() -> Self {
        let number = format!("{:016x}", fastrand::u64(..));
        Self {
            key: format!("storm-{number}"),
            customer: format!("c-{number}"),
        }
    }

    fn several(count: usize) -> Vec<Self> {
        (0..count).map(|_| Self::new()).collect()
    }

    /// All of its request, as bytes on a connection.
    pub(crate) fn request(&self, host: SocketAddr) -> String {
        let (body, key) = (self.body(AMOUNT), &self.key);
        let length = body.len();
        format!(
            "POST {PATH} HTTP/1.1\r\nhost: {host}\r\nidempotency-key: {key}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    }

    fn body(&self, amount: u64) -> String {
        let customer = &self.customer;
        format!(r#"{{"amount":{amount},"currency":"EUR","customer":"{customer}"}}"#)
    }
}

pub(crate) const AMOUNT: u64 = 1000;
