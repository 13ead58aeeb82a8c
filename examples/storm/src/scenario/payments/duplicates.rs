//! The same payment, many times at once.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use shop::config::DEMO_TOKENS;
use shop::domain::Component;

use super::payer::{self, PATH};
use super::{AMOUNT, Books, Order, Payer};
use crate::answer::Answer;
use crate::client::Call;
use crate::figures::{Check, Figures, Strike, Tally};
use crate::scenario::{Field, Scenario};
use crate::service::Trouble;

pub(in crate::scenario) struct Duplicates;

impl Scenario for Duplicates {
    fn name(&self) -> &'static str {
        "duplicates"
    }

    fn claim(&self) -> &'static str {
        "a payment that is sent many times is made once, and every copy is told the same"
    }

    fn sends(&self) -> &'static str {
        "64 copies at once of each of many payments, while the provider is slow, then each of them again; \
         the same keys with another amount, at another route, and from other users. The bare shop keeps \
         answers by key, and looks there first"
    }

    fn strike<'a>(&'a self, field: &'a Field<'a>) -> BoxFuture<'a, Result<Strike, Trouble>> {
        strike(field).boxed()
    }
}

const COPIES: usize = 64;

/// From one address, below what one may hold at once.
const OF_ONE_ADDRESS: usize = 16;

/// How many payments are duplicated together. Each copy has a connection of its own, and more of them
/// than the kernel lets wait for a busy service would measure the kernel.
const AT_ONCE: usize = 4;

const WITHIN: Duration = Duration::from_secs(20);

/// What became of the copies of one order.
#[derive(Default)]
struct Copies {
    fresh: usize,
    in_progress: usize,
    waitless: Tally,
    wrong: Tally,
    receipts: BTreeSet<Vec<u8>>,
}

impl Copies {
    fn note(&mut self, answer: &Answer) {
        let replayed = answer.header("idempotent-replayed") == Some("true");
        match (answer.status, answer.code().as_deref()) {
            (201, _) => {
                self.fresh += usize::from(!replayed);
                self.receipts.insert(answer.body.to_vec());
            }
            (409, Some("idempotency_in_progress")) => {
                self.in_progress += 1;
                let wait = answer
                    .header("retry-after")
                    .and_then(|wait| wait.parse().ok());
                if wait.is_none_or(|wait: u64| wait < 1) {
                    self.waitless.note(|| answer.excerpt());
                }
            }
            _ => self.wrong.note(|| answer.excerpt()),
        }
    }
}

async fn strike(field: &Field<'_>) -> Result<Strike, Trouble> {
    let audit = field.audit();
    let orders = Order::several(field.length.pick(12, 4));
    let payer = || Payer {
        from: field.addresses.take(),
        to: field.service.api,
        audit: &audit,
    };

    field.progress.expect(orders.len());
    field
        .service
        .break_down(Component::Payments, "slow")
        .await?;
    let mut all = Vec::new();
    for together in orders.chunks(AT_ONCE) {
        let volleys = together.iter().map(async |order| {
            let call = payer::call(order);
            let payers: Vec<Payer<'_>> = (0..COPIES / OF_ONE_ADDRESS).map(|_| payer()).collect();
            let copies = (0..COPIES).map(|copy| payers[copy / OF_ONE_ADDRESS].send(&call));
            let answers = join_all(copies).await;
            field.progress.step();
            answers
        });
        all.extend(join_all(volleys).await);
    }
    let from = field.addresses.take();
    field
        .service
        .mend(Component::Payments, from, Duration::ZERO)
        .await?;

    let (mut waitless, mut wrong, mut differing) =
        (Tally::default(), Tally::default(), Tally::default());
    let (mut fresh, mut in_progress, mut unmarked) = (0, 0, Tally::default());
    for (order, answers) in orders.iter().zip(&all) {
        let mut copies = Copies::default();
        for answer in answers.iter().flatten() {
            copies.note(answer);
        }
        let again = payer().settle(order, WITHIN).await;
        wrong.add(&again.wrong);
        match again.receipt {
            Some((answer, replayed)) => {
                copies.receipts.insert(answer.body.to_vec());
                if !replayed {
                    unmarked.note(|| order.key.clone());
                }
            }
            None => wrong.note(|| format!("{}: no receipt in {WITHIN:?}", order.key)),
        }
        if copies.receipts.len() != 1 {
            differing.note(|| format!("{}: {} receipts", order.key, copies.receipts.len()));
        }
        fresh += copies.fresh;
        in_progress += copies.in_progress;
        waitless.add(&copies.waitless);
        wrong.add(&copies.wrong);
    }

    let books = Books::read(field.service, &orders).await?;
    let others = others(&orders, &payer()).await;
    let after = Books::read(field.service, &orders).await?;

    let mut figures = Figures::default();
    books.figures(&mut figures);
    figures.add("copies", orders.len() * COPIES);
    figures.add("told_that_it_is_in_progress", in_progress);
    figures.add("answered_as_first", fresh);
    audit.figures(&mut figures);
    let mut checks = books.checks();
    checks.extend([
        Check::none(
            "keys whose copies have other receipts than one another",
            &differing,
        ),
        Check::new(
            "copies that are answered as the first",
            orders.len().to_string(),
            fresh.to_string(),
            fresh == orders.len(),
        ),
        Check::none("later copies without Idempotent-Replayed", &unmarked),
        Check::none("409 without a time after which to ask again", &waitless),
        Check::none("answers that are neither a receipt nor 409", &wrong),
        Check::none(
            "keys with another amount, not refused with 422",
            &others.amount,
        ),
        Check::none("keys that mean the same at another route", &others.route),
        Check::none("keys that mean the same for another user", &others.user),
        Check::new(
            "charges by the other users, each for itself",
            others.users.to_string(),
            (after.attempts() - books.attempts()).to_string(),
            after.attempts() - books.attempts() == others.users,
        ),
        audit.all_answered(),
        audit.no_server_errors(),
    ]);
    checks.extend(audit.checks());
    Ok(Strike {
        requests: audit.requests(),
        headline: books.headline(),
        figures,
        checks,
        controls: vec![books.control("where answers are kept by key, and looked up first")],
        ..Strike::default()
    })
}

/// What the keys mean elsewhere.
#[derive(Default)]
struct Others {
    amount: Tally,
    route: Tally,
    user: Tally,
    users: u64,
}

async fn others(orders: &[Order], payer: &Payer<'_>) -> Others {
    let mut others = Others::default();
    let fresh =
        |answer: &Answer| answer.status == 201 && answer.header("idempotent-replayed").is_none();
    for order in orders {
        let keyed = |path: &'static str| Call::post(path).header("idempotency-key", &order.key);
        let other = keyed(PATH).json(order.body(AMOUNT + 1));
        let refused = payer.send(&other).await;
        if !refused.is_ok_and(|answer| answer.code().as_deref() == Some("idempotency_key_reused")) {
            others.amount.note(|| order.key.clone());
        }
        let user = keyed("/api/users").json(r#"{"email":"a@example.com","name":"A"}"#);
        if !payer.send(&user).await.is_ok_and(|answer| fresh(&answer)) {
            others.route.note(|| order.key.clone());
        }
        for (token, _) in DEMO_TOKENS {
            let bearer = format!("Bearer {token}");
            let call = payer::call(order).header("authorization", &bearer);
            others.users += 1;
            if !payer.send(&call).await.is_ok_and(|answer| fresh(&answer)) {
                others.user.note(|| order.key.clone());
            }
        }
    }
    others
}
