//! Two replicas of the service behind a load balancer, and callers who ask both.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use shop::config::{Config, DEMO_TOKENS};

use super::forgery::message::{Message, SIGNED, Stamp};
use super::volley::{Limit, within};
use super::{Field, Scenario};
use crate::audit::{Audit, Speaker};
use crate::client::raw::exchange;
use crate::client::{Call, Client};
use crate::figures::{Check, Figures, Strike};
use crate::service::{Side, Trouble};
use crate::store::{Needs, Place};

pub(super) struct TwoReplicas;

impl Scenario for TwoReplicas {
    fn name(&self) -> &'static str {
        "two-replicas"
    }

    fn claim(&self) -> &'static str {
        "two replicas on one store admit every quota once and each message once, whichever is asked"
    }

    fn sends(&self) -> &'static str {
        "four times the quotas of an address, a user and a project to two shops at the same time, and \
         copies of signed messages to both; the bare column is two shops that keep everything in \
         memory, each for itself"
    }

    fn needs(&self) -> Needs {
        Needs::Server
    }

    fn strike<'a>(&'a self, field: &'a Field<'a>) -> BoxFuture<'a, Result<Strike, Trouble>> {
        strike(field).boxed()
    }
}

/// At each replica.
const CONNECTIONS: usize = 8;
const COPIES: usize = 12;
const PATIENCE: Duration = Duration::from_secs(10);

async fn strike(field: &Field<'_>) -> Result<Strike, Trouble> {
    let places = match field.service.side {
        Side::Bare => [Place::memory(), Place::memory()],
        Side::Hardened => {
            let shared = field.store.apart();
            [shared.clone(), shared]
        }
    };
    let first = field.private(Side::Hardened, "", &places[0]).await?;
    let second = field.private(Side::Hardened, "", &places[1]).await?;
    let strike = at(field, [first.service.api, second.service.api]).await;
    first.stop().await;
    second.stop().await;
    Ok(strike)
}

async fn at(field: &Field<'_>, replicas: [SocketAddr; 2]) -> Strike {
    let audit = field.audit();
    let limits = Config::default().limits;
    let both = Both {
        field,
        audit: &audit,
        replicas,
    };
    let mut figures = Figures::default();
    let (mut checks, mut controls) = (Vec::new(), Vec::new());
    let mut told = Vec::new();

    let [(token, _), _] = DEMO_TOKENS;
    let user = format!("Bearer {token}");
    let calls: [(Limit, &'static str, Call); 3] = [
        (
            Limit::Expensive,
            "expensive_admitted",
            Call::post("/api/expensive-operation"),
        ),
        (
            Limit::Email,
            "emails_admitted",
            Call::post("/api/send-email")
                .header("authorization", &user)
                .json(r#"{"to":"a@example.com","subject":"s","body":"b"}"#),
        ),
        (
            Limit::Builds,
            "builds_admitted",
            Call::post("/api/projects/replicated/builds").json("{}"),
        ),
    ];
    for (limit, figure, call) in calls {
        let (quota, burst) = (limit.quota(&limits), limit.burst(&limits));
        let start = Instant::now();
        let admitted = both.flood(&call, 4 * burst).await;
        figures.add(figure, admitted);
        let what = format!("admitted by both together of {}", call.label());
        checks.push(within(&what, burst, &quota, start.elapsed(), admitted));
        controls.push(Check::new(
            format!("control: {what}, each counting for itself"),
            format!("{} at least", 2 * burst),
            admitted.to_string(),
            admitted >= 2 * burst,
        ));
        told.push(format!("{admitted} of {burst}"));
    }

    let secret = field.config.webhook_secret.expose();
    let nonce = || format!("storm-{:026x}", u32::from(field.addresses.take()));
    let once = Message::new(SIGNED, "{}").native(secret, &Stamp::now(nonce()));
    let here = both.believed(&once, replicas[0]).await;
    let there = both.believed(&once, replicas[1]).await;
    let raced = Message::new(SIGNED, "{}").native(secret, &Stamp::now(nonce()));
    let copies = (0..2 * COPIES).map(|copy| both.believed(&raced, replicas[copy % 2]));
    let winners = join_all(copies)
        .await
        .into_iter()
        .filter(|won| *won)
        .count();
    figures.add("copies_at_once", 2 * COPIES);
    figures.add("copies_at_once_believed", winners);
    checks.push(Check::new(
        "a message that one replica has accepted, sent to the other",
        "believed, then refused",
        format!("{}, then {}", word(here), word(there)),
        here && !there,
    ));
    checks.push(Check::new(
        "copies that are believed, sent to both at once",
        "1",
        winners.to_string(),
        winners == 1,
    ));
    controls.push(Check::new(
        "control: copies that are believed by replicas that remember for themselves",
        "2",
        winners.to_string(),
        winners == 2,
    ));

    checks.push(audit.all_answered());
    checks.push(audit.no_server_errors());
    checks.extend(audit.checks());
    audit.figures(&mut figures);
    Strike {
        requests: audit.requests(),
        headline: format!("{} admitted; {winners} copies believed", told.join(", ")),
        figures,
        checks,
        controls,
        specimens: Vec::new(),
    }
}

const fn word(believed: bool) -> &'static str {
    if believed { "believed" } else { "refused" }
}

struct Both<'a> {
    field: &'a Field<'a>,
    audit: &'a Audit,
    replicas: [SocketAddr; 2],
}

impl Both<'_> {
    /// One address, many connections to both, and half of the requests to each: what refuses faster
    /// must not be asked more. Gives how many were carried out.
    async fn flood(&self, call: &Call, total: usize) -> usize {
        let from: Ipv4Addr = self.field.addresses.take();
        let sent = [AtomicUsize::new(0), AtomicUsize::new(0)];
        let admitted = AtomicUsize::new(0);
        self.field.progress.expect(total);
        let connection = async |replica: usize| {
            let mut client = Client::new(from, self.replicas[replica]);
            while sent[replica].fetch_add(1, Relaxed) < total / 2 {
                let result = client.send(call).await;
                self.audit.note(&call.label(), Speaker::Service, &result);
                let passed = result.is_ok_and(|answer| (200..300).contains(&answer.status));
                admitted.fetch_add(usize::from(passed), Relaxed);
                self.field.progress.step();
            }
        };
        let hands = (0..2 * CONNECTIONS).map(|hand| connection(hand % 2));
        join_all(hands).await;
        admitted.into_inner()
    }

    async fn believed(&self, message: &Message, to: SocketAddr) -> bool {
        let from = self.field.addresses.take();
        let answer = exchange(from, to, &message.pieces(), PATIENCE).await.answer;
        self.audit
            .note("a signed message", Speaker::Service, &answer);
        answer.is_ok_and(|answer| (200..300).contains(&answer.status))
    }
}
