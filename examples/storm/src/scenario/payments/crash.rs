//! The server is killed while payments are being made.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use shop::domain::Component;
use tokio::time;

use super::{Books, Order, Payer};
use crate::audit::Audit;
use crate::dice::Dice;
use crate::figures::{Check, Figures, Strike, Tally};
use crate::scenario::{Field, Scenario};
use crate::service::{Private, Side, Trouble};
use crate::store::Place;

pub(in crate::scenario) struct Crash;

impl Scenario for Crash {
    fn name(&self) -> &'static str {
        "crash"
    }

    fn claim(&self) -> &'static str {
        "a payment whose server is killed half-way is made once, and none is stuck beyond its lease"
    }

    fn sends(&self) -> &'static str {
        "payments to a shop of its own that is killed (SIGKILL) when half of the request has arrived, in \
         the handler, when the charge is written, when it is committed, and amid many; it is started \
         again, and each client asks until it has a receipt"
    }

    fn strike<'a>(&'a self, field: &'a Field<'a>) -> BoxFuture<'a, Result<Strike, Trouble>> {
        strike(field).boxed()
    }
}

/// Where the server is when it dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    /// Before the key is reserved.
    HalfSent,
    /// At a stage of the payment, after the key is reserved.
    At(&'static str),
    /// Anywhere: many payments are under way.
    Amid,
}

const POINTS: [Point; 5] = [
    Point::HalfSent,
    Point::At("asked"),
    Point::At("charged"),
    Point::At("committed"),
    Point::Amid,
];

const LEASE: Duration = Duration::from_secs(1);

/// Of a client after the restart: the lease, and what a busy machine needs.
const WITHIN: Duration = Duration::from_secs(8);

const SETTINGS: &str = "[idempotency]\nlease = \"1s\"\n";

async fn strike(field: &Field<'_>) -> Result<Strike, Trouble> {
    let place = match field.service.side {
        Side::Bare => Place::memory(),
        Side::Hardened => field.store.apart(),
    };
    let mut shop = field.private(field.service.side, SETTINGS, &place).await?;
    let struck = at(field, &mut shop).await;
    shop.stop().await;
    struck
}

async fn at(field: &Field<'_>, shop: &mut Private) -> Result<Strike, Trouble> {
    let audit = field.audit();
    let mut dice = Dice::new(field.seed, "crash");
    let (mut orders, mut wrong) = (Vec::new(), Tally::default());
    let (mut slowest, mut recovered) = (Duration::ZERO, 0);
    let rounds = field.length.pick(2, 1);
    field.progress.expect(rounds * POINTS.len());
    for point in POINTS.into_iter().cycle().take(rounds * POINTS.len()) {
        let here = Order::several(if point == Point::Amid { 24 } else { 1 });
        let from: Vec<Ipv4Addr> = here.iter().map(|_| field.addresses.take()).collect();
        strike_down(shop, point, &here, &from, &audit, &mut dice).await?;
        let settled = here.iter().zip(&from).map(async |(order, from)| {
            let payer = Payer {
                from: *from,
                to: shop.service.api,
                audit: &audit,
            };
            payer.settle(order, WITHIN).await
        });
        for told in join_all(settled).await {
            wrong.add(&told.wrong);
            slowest = slowest.max(told.after);
            match told.receipt {
                Some((_, is_repeated)) => recovered += usize::from(is_repeated),
                None => wrong.note(|| format!("{point:?}: no receipt in {WITHIN:?}")),
            }
        }
        orders.extend(here);
        field.progress.step();
    }

    let books = Books::read(&shop.service, &orders).await?;
    let mut figures = Figures::default();
    books.figures(&mut figures);
    figures.add("kills", rounds * POINTS.len());
    figures.add("receipts_of_before_the_crash", recovered);
    figures.add_ms("slowest_receipt_after_restart_ms", slowest);
    audit.figures(&mut figures);
    let mut checks = books.checks();
    let most = LEASE + Duration::from_secs(5);
    checks.extend([
        Check::none("clients without a receipt, or told something else", &wrong),
        Check::new(
            "the slowest receipt after the restart",
            format!("{most:?} at most, for a lease of {LEASE:?}"),
            format!("{slowest:.2?}"),
            slowest <= most,
        ),
        Check::new(
            "attempts at the payments in all",
            format!(
                "{} at least: one was cut down after its key was reserved",
                orders.len() + 1
            ),
            books.attempts().to_string(),
            books.attempts() > orders.len() as u64,
        ),
    ]);
    checks.extend(audit.checks());
    Ok(Strike {
        requests: audit.requests() + orders.len() as u64,
        headline: books.headline(),
        figures,
        checks,
        controls: vec![books.control("where its answer was kept in memory")],
        ..Strike::default()
    })
}

/// Brings the server to a point, kills it there, and starts it again.
async fn strike_down(
    shop: &mut Private,
    point: Point,
    orders: &[Order],
    from: &[Ipv4Addr],
    audit: &Audit,
    dice: &mut Dice,
) -> Result<(), Trouble> {
    let service = &shop.service;
    if let Point::At(stage) = point {
        service.break_at(Component::Payments, "hang", stage).await?;
    }
    let begun = orders.iter().zip(from).map(async |(order, from)| {
        let payer = Payer {
            from: *from,
            to: service.api,
            audit,
        };
        payer.begin(order, point != Point::HalfSent).await
    });
    let connections: Vec<_> = join_all(begun).await.into_iter().flatten().collect();
    match point {
        Point::HalfSent => time::sleep(Duration::from_millis(100)).await,
        Point::At(_) => {
            let until = Instant::now() + Duration::from_secs(5);
            while service.waiting_on(Component::Payments).await? == 0 {
                if Instant::now() > until {
                    return Err(Trouble::new(format!("no payment came to {point:?} in 5 s")));
                }
                time::sleep(Duration::from_millis(10)).await;
            }
        }
        Point::Amid => {
            time::sleep(Duration::from_millis(5 + dice.below(60) as u64)).await;
        }
    }
    shop.crash().await?;
    drop(connections);
    Ok(())
}
