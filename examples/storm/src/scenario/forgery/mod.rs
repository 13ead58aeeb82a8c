//! Messages that are forged, tampered with, stale or sent again.

mod attacks;
mod cost;
pub(super) mod message;

use std::collections::BTreeSet;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use futures::stream::{self, StreamExt};
use parking_lot::Mutex;

use super::{Field, Scenario};
use crate::answer::Answer;
use crate::audit::{Audit, Speaker};
use crate::client::raw::{Exchange, Piece, exchange};
use crate::figures::{Check, Figures, Strike, Tally};
use crate::service::{Side, Trouble};

use attacks::Attack;
use message::{ENDLESS, Message, PAYMENT, SIGNED, Stamp};

pub(super) struct Forgery;

impl Scenario for Forgery {
    fn name(&self) -> &'static str {
        "forgery"
    }

    fn claim(&self) -> &'static str {
        "no forged, tampered, stale or repeated message is believed, every refusal is the same, and \
         every good message passes"
    }

    fn sends(&self) -> &'static str {
        "webhooks with a wrong byte at each position of header and body, MACs cut short or written \
         otherwise, keys an attacker knows, times past and ahead, signatures of other messages, the \
         weaker dialect, headers twice, floods of candidates, bytes that are no text, endless bodies, \
         copies one after the other and all at once, and to a second replica; and good ones"
    }

    fn strike<'a>(&'a self, field: &'a Field<'a>) -> BoxFuture<'a, Result<Strike, Trouble>> {
        strike(field).boxed()
    }
}

/// Connections at once.
const HANDS: usize = 16;

/// Copies of one message that are sent at once.
const COPIES: usize = 24;

/// How long an answer may take: a service that swallows an endless body first is given time for it.
const PATIENCE: Duration = Duration::from_secs(10);

async fn strike(field: &Field<'_>) -> Result<Strike, Trouble> {
    let audit = field.audit();
    let secret = field.config.webhook_secret.expose();
    // Addresses are handed out once a run, and so are the nonces made of them.
    let nonce = || format!("storm-{:026x}", u32::from(field.addresses.take()));
    let ground = Ground {
        field,
        audit: &audit,
        refusals: Mutex::default(),
        believed: Mutex::default(),
    };

    field.progress.doing("good messages");
    let good = attacks::good(secret, &nonce);
    let passed = ground.send_all(&good).await;
    let mut good_refused = Tally::default();
    for (attack, answer) in good.iter().zip(&passed) {
        if !answer.as_ref().is_some_and(believes) {
            good_refused.note(|| attack.kind.to_owned());
        }
    }

    field.progress.doing("forgeries");
    let forged = attacks::all(secret, &nonce);
    let answers = ground.send_all(&forged).await;
    for (attack, answer) in forged.iter().zip(&answers) {
        ground.judge(attack.kind, answer.as_ref());
    }

    field.progress.doing("copies");
    let once = Message::new(SIGNED, "{}").native(secret, &Stamp::now(nonce()));
    let first = ground.send("a copy", &once.pieces()).await;
    let first_believed = first.as_ref().is_some_and(believes);
    for _ in 0..3 {
        let again = ground.send("a copy", &once.pieces()).await;
        ground.judge("a copy", again.as_ref());
    }
    let raced = Message::new(SIGNED, "{}").native(secret, &Stamp::now(nonce()));
    let pieces = raced.pieces();
    let copies = join_all((0..COPIES).map(|_| ground.send("copies at once", &pieces))).await;
    let winners = copies
        .iter()
        .filter(|answer| answer.as_ref().is_some_and(believes))
        .count();
    let replica = at_a_replica(&ground, secret, &nonce).await?;
    // What the bare service does for its own dialect: every copy passes.
    let plain = Message::new(SIGNED, "{}").plain(secret).pieces();
    let mut bare_copies = 0;
    for _ in 0..2 {
        let answer = ground.send("a copy of the weaker dialect", &plain).await;
        bare_copies += usize::from(answer.as_ref().is_some_and(believes));
    }

    field.progress.doing("endless bodies");
    let mut swallowed = 0;
    let mut long = Tally::default();
    for (message, expected) in [
        (Message::new(PAYMENT, "{}").plain(secret), 413),
        (
            Message::new(SIGNED, "{}").native(secret, &Stamp::now(nonce())),
            413,
        ),
        (Message::new(PAYMENT, ""), 401),
        (Message::new(SIGNED, ""), 401),
    ] {
        let Exchange { answer, taken } =
            ground.exchange("an endless body", &message.endless()).await;
        swallowed = swallowed.max(taken);
        match answer {
            Ok(answer) if answer.status == expected => {}
            Ok(answer) => long.note(|| format!("{} for {expected}", answer.status)),
            Err(unanswered) => long.note(|| unanswered.name().to_owned()),
        }
    }

    let refusals = ground.refusals.into_inner();
    let believed = ground.believed.into_inner();
    let sent = forged.len();
    let (one, eight) = (cost::mac_bytes(1), cost::mac_bytes(8));
    let mut figures = Figures::default();
    figures.add("forgeries", sent);
    figures.add("forgeries_believed", believed.count);
    figures.add("distinct_refusals", refusals.len());
    figures.add("good_messages", good.len());
    figures.add("good_messages_refused", good_refused.count);
    figures.add("copies_at_once", COPIES);
    figures.add("copies_at_once_believed", winners);
    figures.add("endless_body_bytes_taken", swallowed);
    figures.add("mac_bytes_one_candidate", one);
    figures.add("mac_bytes_eight_candidates", eight);
    audit.figures(&mut figures);

    // What stands in the socket's buffers counts as taken, so this is no limit on memory.
    let most = 8 << 20;
    let mut checks = vec![
        Check::none("forgeries that are believed", &believed),
        Check::new(
            "different answers to them, request id, date and rate limit headers aside",
            "1",
            refusals.len().to_string(),
            refusals.len() == 1,
        ),
        Check::none("good messages that are refused", &good_refused),
        Check::new(
            "copies that are believed, sent one after the other",
            "the first",
            if first_believed { "the first" } else { "none" },
            first_believed,
        ),
        Check::new(
            "copies that are believed, sent at once",
            "1",
            winners.to_string(),
            winners == 1,
        ),
        Check::none(
            "endless bodies with another answer than 413, or 401 where unsigned",
            &long,
        ),
        Check::new(
            "bytes taken of an endless body",
            format!("at most {most} of {ENDLESS}"),
            swallowed.to_string(),
            swallowed <= most,
        ),
        Check::new(
            "bytes through the MAC for 8 candidates",
            format!("{one}, as for 1"),
            eight.to_string(),
            eight == one && one > 0,
        ),
        audit.all_answered(),
        audit.no_server_errors(),
    ];
    // Each strike makes the same checks, so it is made where memory is not shared as well.
    checks.push(Check::new(
        "a second replica on the same store: a message of its own, copies of it and of the first's",
        "believed, refused, refused",
        replica
            .as_deref()
            .unwrap_or("not asked: this store is not shared"),
        replica
            .as_deref()
            .is_none_or(|got| got == "believed, refused, refused"),
    ));
    checks.extend(audit.checks());

    let controls = vec![
        Check::new(
            "control: forgeries that the bare service believes",
            "some",
            believed.count.to_string(),
            believed.count > 0,
        ),
        Check::new(
            "control: copies that the bare service believes",
            "2 of 2",
            format!("{bare_copies} of 2"),
            bare_copies == 2,
        ),
        Check::new(
            "control: different refusals of the bare service",
            "more than 1",
            refusals.len().to_string(),
            refusals.len() > 1,
        ),
        Check::new(
            "control: bytes that the bare service takes of an endless body",
            format!("all {ENDLESS}"),
            swallowed.to_string(),
            swallowed >= ENDLESS as u64,
        ),
    ];
    Ok(Strike {
        requests: audit.requests(),
        headline: format!("{} of {sent} forgeries believed", believed.count),
        figures,
        checks,
        controls,
        specimens: Vec::new(),
    })
}

/// What a second replica says, if the store of the run is one that replicas share.
async fn at_a_replica(
    ground: &Ground<'_>,
    secret: &str,
    nonce: &impl Fn() -> String,
) -> Result<Option<String>, Trouble> {
    let field = ground.field;
    if field.service.side == Side::Bare || !field.store.shares_messages() {
        return Ok(None);
    }
    let replica = field
        .private(Side::Hardened, "", &field.store.shared())
        .await?;
    let first = Message::new(SIGNED, "{}").native(secret, &Stamp::now(nonce()));
    let own = Message::new(SIGNED, "{}").native(secret, &Stamp::now(nonce()));
    let accepted = ground.send("a copy", &first.pieces()).await;
    let mut told = Vec::new();
    for (message, is_copy) in [(&own, false), (&own, true), (&first, true)] {
        let from = field.addresses.take();
        let sent = exchange(from, replica.service.api, &message.pieces(), PATIENCE).await;
        ground.audit.note("a copy", Speaker::Service, &sent.answer);
        let answer = sent.answer.ok();
        if is_copy {
            ground.judge("a copy at the second replica", answer.as_ref());
        }
        told.push(match &answer {
            Some(answer) if believes(answer) => "believed",
            Some(_) => "refused",
            None => "unanswered",
        });
    }
    replica.stop().await;
    if !accepted.as_ref().is_some_and(believes) {
        told.push("but the first was never accepted");
    }
    Ok(Some(told.join(", ")))
}

/// Where the messages go, and what came of them.
struct Ground<'a> {
    field: &'a Field<'a>,
    audit: &'a Audit,
    /// The refusals, each different one once.
    refusals: Mutex<BTreeSet<String>>,
    believed: Mutex<Tally>,
}

impl Ground<'_> {
    async fn send_all(&self, attacks: &[Attack]) -> Vec<Option<Answer>> {
        self.field.progress.expect(attacks.len());
        let sending = attacks.iter().map(|attack| async {
            let answer = self.send(attack.kind, &attack.message.pieces()).await;
            self.field.progress.step();
            answer
        });
        stream::iter(sending.collect::<Vec<_>>())
            .buffered(HANDS)
            .collect()
            .await
    }

    async fn send(&self, kind: &str, pieces: &[Piece]) -> Option<Answer> {
        self.exchange(kind, pieces).await.answer.ok()
    }

    /// Each message comes from an address of its own, so that no rate limit stands between.
    async fn exchange(&self, kind: &str, pieces: &[Piece]) -> Exchange {
        let from = self.field.addresses.take();
        let exchanged = exchange(from, self.field.service.api, pieces, PATIENCE).await;
        self.audit.note(kind, Speaker::Service, &exchanged.answer);
        exchanged
    }

    fn judge(&self, kind: &str, answer: Option<&Answer>) {
        let Some(answer) = answer else { return };
        if believes(answer) {
            self.believed.lock().note(|| kind.to_owned());
        } else {
            self.refusals.lock().insert(comparable(answer));
        }
    }
}

fn believes(answer: &Answer) -> bool {
    (200..300).contains(&answer.status)
}

/// An answer with everything that has to differ taken out.
fn comparable(answer: &Answer) -> String {
    let id = answer.header("x-request-id").unwrap_or_default();
    let mut lines: Vec<String> = answer
        .headers
        .iter()
        .filter(|(name, _)| {
            let name = name.as_str();
            !matches!(
                name,
                "date" | "x-request-id" | "ratelimit" | "ratelimit-policy"
            ) && !name.starts_with("x-ratelimit-")
        })
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    lines.sort_unstable();
    let body = String::from_utf8_lossy(&answer.body);
    let body = if id.is_empty() {
        body.into_owned()
    } else {
        body.replace(id, "ID")
    };
    format!("{}\n{}\n\n{body}", answer.status, lines.join("\n"))
}
