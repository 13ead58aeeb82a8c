//! Clients that hang up while their payment is being made.

use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use shop::domain::Component;
use tokio::time;

use super::{Books, Order, Payer};
use crate::figures::{Check, Figures, Strike, Tally};
use crate::scenario::{Field, Scenario};
use crate::service::Trouble;

pub(in crate::scenario) struct Disconnect;

impl Scenario for Disconnect {
    fn name(&self) -> &'static str {
        "disconnect"
    }

    fn claim(&self) -> &'static str {
        "a client that leaves while its payment is made finds the receipt when it comes again"
    }

    fn sends(&self) -> &'static str {
        "payments whose clients hang up before the charge is written, and when it is committed and not \
         yet answered for; then each of them again, until there is a receipt"
    }

    fn strike<'a>(&'a self, field: &'a Field<'a>) -> BoxFuture<'a, Result<Strike, Trouble>> {
        strike(field).boxed()
    }
}

const STAGES: [&str; 2] = ["asked", "committed"];
const CLIENTS: usize = 16;
const WITHIN: Duration = Duration::from_secs(10);

async fn strike(field: &Field<'_>) -> Result<Strike, Trouble> {
    let audit = field.audit();
    let mut orders = Vec::new();
    let (mut wrong, mut repeated, mut reached) = (Tally::default(), 0, 0);
    field.progress.expect(STAGES.len() * CLIENTS);
    for stage in STAGES {
        let here = Order::several(CLIENTS);
        field
            .service
            .break_at(Component::Payments, "slow", stage)
            .await?;
        let payers: Vec<Payer<'_>> = here
            .iter()
            .map(|_| Payer {
                from: field.addresses.take(),
                to: field.service.api,
                audit: &audit,
            })
            .collect();
        let begun = here
            .iter()
            .zip(&payers)
            .map(|(order, payer)| payer.begin(order, true));
        let connections: Vec<_> = join_all(begun).await.into_iter().flatten().collect();
        reached += waiting(field, connections.len() as u64).await?;
        drop(connections);
        // Until whoever was slow has answered, whether anybody still listens or not.
        time::sleep(SLOW).await;
        let from = field.addresses.take();
        field
            .service
            .mend(Component::Payments, from, Duration::ZERO)
            .await?;
        let settled = here.iter().zip(&payers).map(async |(order, payer)| {
            let told = payer.settle(order, WITHIN).await;
            field.progress.step();
            told
        });
        for (order, told) in here.iter().zip(join_all(settled).await) {
            wrong.add(&told.wrong);
            match told.receipt {
                Some((_, is_repeated)) => repeated += usize::from(is_repeated),
                None => wrong.note(|| format!("{}: no receipt in {WITHIN:?}", order.key)),
            }
        }
        orders.extend(here);
    }

    let books = Books::read(field.service, &orders).await?;
    let mut figures = Figures::default();
    books.figures(&mut figures);
    figures.add("left_half_way", reached);
    figures.add("receipts_of_work_that_went_on", repeated);
    audit.figures(&mut figures);
    let mut checks = books.checks();
    checks.extend([
        Check::none("clients without a receipt, or told something else", &wrong),
        Check::new(
            "receipts of work that went on without its client",
            orders.len().to_string(),
            repeated.to_string(),
            repeated == orders.len(),
        ),
        Check::new(
            "clients that left while their payment was being made",
            "1 at least at each stage",
            reached.to_string(),
            reached >= STAGES.len() as u64,
        ),
    ]);
    checks.extend(audit.checks());
    Ok(Strike {
        requests: audit.requests() + orders.len() as u64,
        headline: books.headline(),
        figures,
        checks,
        controls: vec![books.control("whose client left before it was answered")],
        ..Strike::default()
    })
}

/// Longer than a slow component takes.
const SLOW: Duration = Duration::from_millis(1200);

/// Waits until as many payments as there are clients, or most of them, wait at the stage: a ledger
/// that writes one charge after the other has one there at a time.
async fn waiting(field: &Field<'_>, clients: u64) -> Result<u64, Trouble> {
    let until = Instant::now() + Duration::from_millis(700);
    let mut most = 0;
    while most < clients && Instant::now() < until {
        most = most.max(field.service.waiting_on(Component::Payments).await?);
        time::sleep(Duration::from_millis(10)).await;
    }
    Ok(most)
}
