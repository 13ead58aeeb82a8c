//! Garbage of every kind: unusable, lying, enormous, malicious.

mod bodies;
mod case;
mod corpus;
mod heads;
mod mail;
mod packed;
mod plan;
mod rules;
mod texts;
mod wide;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use parking_lot::Mutex;
use serde_json::json;

use super::{Field, Scenario};
use crate::cli::Length;
use crate::client::raw::{Exchange, exchange};
use crate::figures::{Check, Figures, Specimen, Strike, Tally};
use crate::service::Trouble;
use case::Case;
pub(crate) use case::Expect;
use plan::plan;
pub(crate) use write::Draft;

pub(super) struct Garbage;

impl Scenario for Garbage {
    fn name(&self) -> &'static str {
        "garbage"
    }

    fn claim(&self) -> &'static str {
        "whatever is sent, the answer is a prompt refusal in one shape, and nothing grows"
    }

    fn sends(&self) -> &'static str {
        "malformed JSON, a corpus after the grammar, wrong types, nesting 10,000 deep and 100,000 \
         wide, bodies of 64 MiB by length and in chunks, compressed bombs, mass assignment, header \
         injection, invalid UTF-8, naughty strings in every field, header and query floods, lying \
         content types, multipart and lengths"
    }

    fn strike<'a>(&'a self, field: &'a Field<'a>) -> BoxFuture<'a, Result<Strike, Trouble>> {
        strike(field).map(Ok).boxed()
    }
}

/// The garbage of a seed, for whoever throws it one piece at a time.
pub(crate) fn garbage(seed: u64) -> Vec<Case> {
    plan(seed, Length::Quick)
}

const AT_ONCE: usize = 16;
/// Far below the limit of an address, which would answer in the place of what is tested.
const REQUESTS_BY_ADDRESS: usize = 100;
const PATIENCE: Duration = Duration::from_secs(8);

async fn strike(field: &Field<'_>) -> Strike {
    let audit = field.audit();
    let found = Mutex::new(Found::default());
    let cases = plan(field.seed, field.length);
    field.progress.expect(cases.len());

    let mut from = field.addresses.take();
    let mut seen = BTreeSet::new();
    let addressed: Vec<_> = cases
        .iter()
        .enumerate()
        .map(|(number, case)| {
            if number % REQUESTS_BY_ADDRESS == 0 {
                from = field.addresses.take();
            }
            // The first of a kind is shown, of the plan and not of the answers: the same at both.
            let shown = case.kind.is_shown() && seen.insert(case.kind);
            (from, case, shown)
        })
        .collect();
    stream::iter(addressed)
        .for_each_concurrent(AT_ONCE, async |(from, case, shown)| {
            let exchange = exchange(from, field.service.api, &case.pieces, PATIENCE).await;
            audit.note(&case.label(), case.speaker, &exchange.answer);
            found.lock().look(case, &exchange, shown);
            field.progress.step();
        })
        .await;

    let found = found.into_inner();
    let mut figures = Figures::default();
    figures.add("requests", audit.requests());
    figures.add("kinds", json!(found.kinds));
    figures.add("unexpected_answers", found.unexpected.count);
    figures.add("oversized_bytes_taken", found.oversized_taken);
    figures.add("accepted_against_the_rules", found.unruly.count);
    audit.figures(&mut figures);

    let mut checks = vec![
        Check::none(
            "answers other than the kind of garbage asks for",
            &found.unexpected,
        ),
        audit.no_server_errors(),
        Check::none("accepted values outside of their rules", &found.unruly),
        Check::new(
            "bytes taken of 64 MiB bodies",
            "less than 8 MiB of each",
            format!("{} KiB of one at most", found.most_taken / 1024),
            found.most_taken < 8 * 1024 * 1024,
        ),
    ];
    checks.extend(audit.checks());
    let controls = vec![
        Check::new(
            "control: values outside of their rules that the bare service accepts",
            "at least 1",
            found.unruly.count.to_string(),
            found.unruly.count > 0,
        ),
        Check::new(
            "control: a 64 MiB body that the bare service takes whole",
            "64 MiB",
            format!("{} MiB", found.most_taken >> 20),
            found.most_taken >= 64 << 20,
        ),
    ];
    Strike {
        requests: audit.requests(),
        headline: format!(
            "{} refused, {} accepted, {} not as asked for",
            audit.class(4) + audit.unanswered(),
            audit.class(2),
            found.unexpected.count,
        ),
        figures,
        checks,
        controls,
        specimens: found.specimens,
    }
}

#[derive(Default)]
struct Found {
    kinds: BTreeMap<&'static str, u64>,
    unexpected: Tally,
    unruly: Tally,
    oversized_taken: u64,
    most_taken: u64,
    specimens: Vec<Specimen>,
}

impl Found {
    fn look(&mut self, case: &Case, exchange: &Exchange, shown: bool) {
        *self.kinds.entry(case.kind.name()).or_default() += 1;
        if let Err(got) = case.expect.check(exchange) {
            self.unexpected.note(|| format!("{}: {got}", case.label()));
        }
        if let Ok(answer) = &exchange.answer
            && let Err(broken) = rules::keeps(answer)
        {
            self.unruly.note(|| format!("{}: {broken}", case.label()));
        }
        if case.kind.is_oversized() {
            self.oversized_taken += exchange.taken;
            self.most_taken = self.most_taken.max(exchange.taken);
        }
        if let (true, Ok(answer)) = (shown, &exchange.answer) {
            self.specimens.push(Specimen {
                request: case.label(),
                answer: answer.excerpt(),
            });
        }
    }
}
