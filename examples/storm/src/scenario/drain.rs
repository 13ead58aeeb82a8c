//! A rolling update in the middle of traffic.

use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{BoxFuture, join_all, join3};
use shop::domain::Component;
use tokio::time;

use super::{Field, Scenario};
use crate::audit::{Audit, Speaker};
use crate::client::{Call, Client, Unanswered};
use crate::figures::{Check, Figures, Strike, Tally};
use crate::service::{Service, Side, Trouble};

pub(super) struct Drain;

impl Scenario for Drain {
    fn name(&self) -> &'static str {
        "drain"
    }

    fn claim(&self) -> &'static str {
        "a service that is told to go says so first, serves until it closes, and ends what it began"
    }

    fn sends(&self) -> &'static str {
        "a drain of a shop of its own while slow requests are under way and a load balancer's clients \
         go on until readiness fails"
    }

    fn strike<'a>(&'a self, field: &'a Field<'a>) -> BoxFuture<'a, Result<Strike, Trouble>> {
        strike(field).boxed()
    }
}

const SETTINGS: &str = "[drain]\npause = \"600ms\"\nmaximum = \"5s\"\n[health]\nevery = \"50ms\"\n";
const PAUSE: Duration = Duration::from_millis(600);

/// How often the load balancer looks.
const LOOK: Duration = Duration::from_millis(40);

async fn strike(field: &Field<'_>) -> Result<Strike, Trouble> {
    let mut shop = field
        .private(field.service.side, SETTINGS, &field.store.apart())
        .await?;
    let audit = field.audit();
    let slow = field.length.pick(32, 12);
    field.progress.expect(slow);

    ready(field, &shop.service).await;
    shop.service.break_down(Component::Search, "slow").await?;
    let searches = join_all((0..slow).map(|_| search(field, &shop.service, &audit)));
    let told = async {
        // The searches take a second: all have arrived by then, and none has ended.
        while shop.service.waiting_on(Component::Search).await? < slow as u64 {
            time::sleep(Duration::from_millis(10)).await;
        }
        // Some ordinary traffic first.
        time::sleep(8 * LOOK).await;
        let start = Instant::now();
        shop.service.drain().await?;
        Ok::<_, Trouble>(start)
    };
    let balanced = balanced(field, &shop.service, &audit);
    let (answers, told, balanced) = join3(searches, told, balanced).await;
    let told = told?;
    let code = shop.service.ended(Duration::from_secs(4)).await;
    shop.stop().await;

    let answered = answers.iter().filter(|served| **served).count();
    let unready = balanced
        .unready
        .map(|at| at.saturating_duration_since(told));
    let closed = balanced.closed.map(|at| at.saturating_duration_since(told));
    let mut figures = Figures::default();
    figures.add("slow_requests", slow);
    figures.add("slow_requests_answered", answered);
    figures.add("balanced_requests", balanced.sent);
    figures.add("balanced_requests_lost", balanced.lost.count);
    if let Some(after) = unready {
        figures.add_ms("unready_after_ms", after);
    }
    if let Some(after) = closed {
        figures.add_ms("closed_after_ms", after);
    }
    audit.figures(&mut figures);
    let ms = |span: Option<Duration>| {
        span.map_or("never".to_owned(), |s| format!("{} ms", s.as_millis()))
    };
    let mut checks = vec![
        Check::new(
            "requests under way that are answered",
            slow.to_string(),
            answered.to_string(),
            answered == slow,
        ),
        Check::new(
            "readiness fails, and the listener closes after the pause",
            format!(
                "the one before the other, {} ms later at least",
                (PAUSE / 2).as_millis()
            ),
            format!("{}, {}", ms(unready), ms(closed)),
            matches!((unready, closed), (Some(unready), Some(closed)) if closed >= unready + PAUSE / 2),
        ),
        Check::none(
            "requests lost that a load balancer sent while it was told to",
            &balanced.lost,
        ),
        Check::new(
            "exit code",
            "0",
            code.map_or("none".to_owned(), |code| code.to_string()),
            code == Some(0),
        ),
    ];
    checks.extend(audit.checks());
    let controls = vec![Check::new(
        "control: requests that a load balancer sends to the bare service and loses",
        "some, as nothing tells it",
        balanced.lost.to_string(),
        field.service.side == Side::Hardened || balanced.lost.count > 0,
    )];
    let lost = balanced.lost.count;
    Ok(Strike {
        requests: audit.requests(),
        headline: format!("{answered} of {slow} begun are ended, {lost} of the others lost"),
        figures,
        checks,
        controls,
        ..Strike::default()
    })
}

/// Waits until the service is ready, where it can say so.
async fn ready(field: &Field<'_>, service: &Service) {
    let mut client = Client::new(field.addresses.take(), service.api);
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(2) {
        match client.send(&Call::get("/readyz")).await {
            Ok(answer) if answer.status == 503 => time::sleep(Duration::from_millis(20)).await,
            _ => return,
        }
    }
}

async fn search(field: &Field<'_>, service: &Service, audit: &Audit) -> bool {
    let mut client = Client::new(field.addresses.take(), service.api);
    let call = Call::get("/api/search?q=sea");
    let result = client.send(&call).await;
    audit.note(&call.label(), Speaker::Service, &result);
    field.progress.step();
    result.is_ok_and(|answer| answer.status == 200)
}

/// What a load balancer saw and did.
#[derive(Default)]
struct Balanced {
    sent: usize,
    lost: Tally,
    unready: Option<Instant>,
    closed: Option<Instant>,
}

/// Sends requests, each on a fresh connection, as long as readiness does not fail; a service without
/// readiness is sent requests until two in a row are lost. Then waits for the listener to close.
async fn balanced(field: &Field<'_>, service: &Service, audit: &Audit) -> Balanced {
    let mut seen = Balanced::default();
    let fresh = || Client::new(field.addresses.take(), service.api);
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(8) {
        let probe = fresh().send(&Call::get("/readyz")).await;
        match probe {
            Ok(answer) if answer.status == 503 => {
                seen.unready.get_or_insert_with(Instant::now);
            }
            Err(Unanswered::NotConnected | Unanswered::Closed) if seen.unready.is_some() => {
                seen.closed = Some(Instant::now());
                return seen;
            }
            _ => {}
        }
        if seen.unready.is_none() {
            let call = Call::get("/api/users/1");
            let result = fresh().send(&call).await;
            audit.note(&call.label(), Speaker::Service, &result);
            seen.sent += 1;
            match result {
                Ok(answer) if answer.status == 200 => {}
                Ok(answer) => seen.lost.note(|| answer.status.to_string()),
                Err(unanswered) => seen.lost.note(|| unanswered.name().to_owned()),
            }
            if seen.lost.count >= 2 {
                return seen;
            }
        }
        time::sleep(LOOK).await;
    }
    seen
}
