//! What was paid for, by what clients were told and by what the ledger says.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::Value;

use super::diary::Diary;
use crate::scenario::{AMOUNT, Order};

/// Every order of the last minutes, by its customer, whom no other order has.
#[derive(Debug, Default)]
pub(super) struct Books(Mutex<Pages>);

#[derive(Debug, Default)]
struct Pages {
    orders: HashMap<String, Entry>,
    begun: u64,
    paid: u64,
    /// The number of the last charge that was read.
    last: u64,
}

#[derive(Debug, Default)]
struct Entry {
    /// The payment that the client was told, and when.
    receipt: Option<(String, Instant)>,
    /// The payment that the ledger has.
    charged: Option<String>,
}

impl Books {
    pub(super) fn begun(&self, order: &Order) {
        let mut pages = self.0.lock();
        pages.begun += 1;
        pages
            .orders
            .insert(order.customer.clone(), Entry::default());
    }

    /// A client was told that its order is paid by this payment.
    pub(super) fn paid(&self, order: &Order, payment: &str, diary: &Diary) {
        let mut pages = self.0.lock();
        let Some(entry) = pages.orders.get_mut(&order.customer) else {
            return;
        };
        let told = entry.receipt.as_ref().map(|(told, _)| told);
        for other in told.into_iter().chain(&entry.charged) {
            if other != payment {
                diary.broke(
                    "one receipt a key",
                    format!("{}: {other}, {payment}", order.key),
                );
            }
        }
        if entry.receipt.is_none() {
            entry.receipt = Some((payment.to_owned(), Instant::now()));
            pages.paid += 1;
        }
    }

    /// From which charge on to read: some are read again, since what is numbered first may be committed
    /// last.
    pub(super) fn read_after(&self) -> u64 {
        self.0.lock().last.saturating_sub(256)
    }

    /// Holds what was read against what is known. The reading began after `since`.
    pub(super) fn read(&self, charges: &[Value], since: Instant, diary: &Diary) {
        let mut pages = self.0.lock();
        for charge in charges {
            let (Some(payment), Some(customer)) =
                (charge["payment_id"].as_str(), charge["customer"].as_str())
            else {
                diary.broke("the ledger can be read", charge.to_string());
                return;
            };
            let number = payment.strip_prefix("pay_").and_then(|n| n.parse().ok());
            pages.last = pages.last.max(number.unwrap_or_default());
            let Some(entry) = pages.orders.get_mut(customer) else {
                continue;
            };
            if charge["amount"] != AMOUNT {
                diary.broke("each charge is what was asked for", charge.to_string());
            }
            let known = entry.charged.get_or_insert_with(|| payment.to_owned());
            if known != payment {
                diary.broke(
                    "one charge a key",
                    format!("{customer}: {known}, {payment}"),
                );
            }
            if let Some((told, _)) = &entry.receipt
                && told != payment
            {
                diary.broke(
                    "a receipt is of its charge",
                    format!("{customer}: {told}, {payment}"),
                );
            }
        }
        for (customer, entry) in &pages.orders {
            if let (Some((told, at)), None) = (&entry.receipt, &entry.charged)
                && *at < since
            {
                diary.broke(
                    "no charge is lost",
                    format!("{customer}: {told} is not in the ledger"),
                );
            }
        }
        // Nobody sends its key any more: a second charge would have come by now.
        pages
            .orders
            .retain(|_, entry| match (&entry.receipt, &entry.charged) {
                (Some((_, at)), Some(_)) => at.elapsed() < KEPT,
                _ => true,
            });
    }

    /// Orders begun, and those with a receipt.
    pub(super) fn counts(&self) -> (u64, u64) {
        let pages = self.0.lock();
        (pages.begun, pages.paid)
    }
}

const KEPT: Duration = Duration::from_secs(240);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn charge(number: u64, order: &Order, amount: u64) -> Value {
        json!({"payment_id": format!("pay_{number}"), "customer": order.customer, "amount": amount})
    }

    /// What breaks when a client has this receipt and the ledger these charges.
    fn breaks(receipt: Option<&str>, charges: impl Fn(&Order) -> Vec<Value>) -> Option<String> {
        let (books, diary, order) = (Books::default(), Diary::new(), Order::new());
        books.begun(&order);
        if let Some(payment) = receipt {
            books.paid(&order, payment, &diary);
        }
        std::thread::yield_now();
        books.read(&charges(&order), Instant::now(), &diary);
        diary.broken().map(|broken| broken.to_string())
    }

    #[test]
    fn each_way_to_get_it_wrong_is_seen() {
        let fine = |order: &Order| vec![charge(1, order, AMOUNT)];
        assert_eq!(breaks(None, |_| Vec::new()), None);
        assert_eq!(breaks(None, fine), None, "its receipt is still under way");
        assert_eq!(breaks(Some("pay_1"), fine), None);
        for (receipt, charges, what) in [
            (Some("pay_1"), vec![], "no charge is lost"),
            (None, vec![(1, AMOUNT), (2, AMOUNT)], "one charge a key"),
            (
                Some("pay_2"),
                vec![(1, AMOUNT)],
                "a receipt is of its charge",
            ),
            (
                None,
                vec![(1, AMOUNT + 1)],
                "each charge is what was asked for",
            ),
        ] {
            let of = |order: &Order| charges.iter().map(|(n, a)| charge(*n, order, *a)).collect();
            let told = breaks(receipt, of).unwrap();
            assert!(told.contains(what), "{told}");
        }
    }

    #[test]
    fn two_receipts_are_seen() {
        let (books, diary, order) = (Books::default(), Diary::new(), Order::new());
        books.begun(&order);
        books.paid(&order, "pay_1", &diary);
        books.paid(&order, "pay_1", &diary);
        assert!(!diary.is_broken());
        books.paid(&order, "pay_2", &diary);
        assert!(diary.is_broken());
        assert_eq!(books.counts(), (1, 1));
    }
}
