//! The database dies under load, first failing at once and then hanging, and comes back.

use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use shop::domain::Component;
use tokio::time;

use super::{Field, Scenario};
use crate::audit::{Audit, Speaker};
use crate::client::{Call, Client};
use crate::figures::{Check, Figures, Strike, Tally, percentile};
use crate::service::Trouble;

pub(super) struct Outage;

impl Scenario for Outage {
    fn name(&self) -> &'static str {
        "outage"
    }

    fn claim(&self) -> &'static str {
        "a database that is down is left alone: a few calls find out, and nobody waits for it"
    }

    fn sends(&self) -> &'static str {
        "requests that need the database, before, while and after it is down; the calls that reach \
         it are counted inside the service"
    }

    fn strike<'a>(&'a self, field: &'a Field<'a>) -> BoxFuture<'a, Result<Strike, Trouble>> {
        strike(field).boxed()
    }
}

/// Callers at once, and how often each of them asks: well below 1000 a minute in the time it takes.
const CALLERS: usize = 16;
const PACE: Duration = Duration::from_millis(8);

/// How long a caller waits. A bare service makes it wait for all of it.
const PATIENCE: Duration = Duration::from_millis(800);

/// Below this, a difference between latencies is that of the scheduler.
const NOISE: Duration = Duration::from_millis(2);

async fn strike(field: &Field<'_>) -> Result<Strike, Trouble> {
    let audit = field.audit();
    let service = field.service;
    let threshold = u64::from(field.config.breaker.consecutive_failures);
    let open_for = field.config.breaker.open_for.get();
    let limit = field.config.deadlines.database.get();

    field.progress.doing("while all is well");
    let healthy = load(field, &audit, open_for / 3).await;

    field.progress.doing("the database fails");
    let before = service.calls_of(Component::Database).await?;
    service.break_down(Component::Database, "error").await?;
    let (asked, opened) = until_left_alone(field, &audit).await;
    let since = Instant::now();
    let found_out = service.calls_of(Component::Database).await? - before;

    field.progress.doing("the database hangs");
    service.break_down(Component::Database, "hang").await?;
    let before = service.calls_of(Component::Database).await?;
    let down = load(field, &audit, open_for + 2 * limit).await;
    let reached = service.calls_of(Component::Database).await? - before;
    // Each time the circuit has been open for its time, one probe may pass.
    let due = 1 + since.elapsed().as_nanos() / open_for.as_nanos();
    let probes = u64::try_from(due).unwrap_or(u64::MAX);

    field.progress.doing("the database is back");
    let start = Instant::now();
    service
        .mend(Component::Database, field.addresses.take(), open_for)
        .await?;
    let recovery = start.elapsed();
    let after = load(field, &audit, open_for / 3).await;

    let mut figures = Figures::default();
    figures.add_ms("healthy_p50_ms", percentile(&healthy.latencies, 50));
    figures.add("calls_until_left_alone", found_out);
    figures.add("requests_until_left_alone", asked);
    figures.add("requests_while_down", down.sent());
    figures.add("calls_while_down", reached);
    figures.add("rejected_while_down", down.rejected);
    figures.add("gave_up_while_down", down.gave_up);
    figures.add_ms("rejected_p50_ms", percentile(&down.latencies, 50));
    figures.add_ms("rejected_p99_ms", percentile(&down.latencies, 99));
    figures.add_ms("recovery_ms", recovery);
    audit.figures(&mut figures);

    let slow = 3 * percentile(&healthy.latencies, 50) + NOISE;
    let rejected = percentile(&down.latencies, 50);
    let back_by = open_for + limit + Duration::from_millis(500);
    let mut checks = vec![
        Check::new(
            "failing calls that reach the database before the circuit opens",
            format!("{threshold} (one more if it was under way already)"),
            found_out.to_string(),
            opened && (threshold..=threshold + 1).contains(&found_out),
        ),
        Check::new(
            "calls that reach the database while it hangs",
            format!(
                "at most {probes}, one probe for each {} ms",
                open_for.as_millis()
            ),
            reached.to_string(),
            reached <= probes,
        ),
        Check::new(
            "callers that are not answered while it hangs",
            format!("at most {probes}, the probes"),
            down.gave_up.to_string(),
            u64::try_from(down.gave_up).is_ok_and(|gave_up| gave_up <= probes),
        ),
        Check::none(
            "other answers than 503 with Retry-After while it hangs",
            &down.odd,
        ),
        Check::new(
            "the median of rejected requests",
            format!("below {} ms, three times a healthy one", slow.as_millis()),
            format!("{:.2} ms", rejected.as_secs_f64() * 1000.0),
            rejected < slow,
        ),
        Check::new(
            "served again after the database is back",
            format!(
                "within {} ms, one reset period and a probe",
                back_by.as_millis()
            ),
            format!("{} ms", recovery.as_millis()),
            recovery < back_by,
        ),
        Check::new(
            "requests served once it is",
            after.sent().to_string(),
            after.served.to_string(),
            after.served == after.sent() && after.served > 0,
        ),
    ];
    checks.extend(audit.checks());

    let sent = u64::try_from(down.sent()).unwrap_or(u64::MAX);
    let controls = vec![
        Check::new(
            "control: requests that the bare service sends to a database that hangs",
            format!("at least {sent}"),
            reached.to_string(),
            reached >= sent,
        ),
        Check::new(
            "control: callers that the bare service lets wait",
            down.sent().to_string(),
            down.gave_up.to_string(),
            down.gave_up == down.sent(),
        ),
    ];
    Ok(Strike {
        requests: audit.requests(),
        headline: format!(
            "{reached} of {sent} requests reach it while down, {} wait in vain",
            down.gave_up
        ),
        figures,
        checks,
        controls,
        specimens: Vec::new(),
    })
}

/// Asks one by one until the service answers without the database. Gives up after ten times as many
/// requests as that should take: the bare service never does.
async fn until_left_alone(field: &Field<'_>, audit: &Audit) -> (u32, bool) {
    let mut client = Client::new(field.addresses.take(), field.service.api).patience(PATIENCE);
    let call = Call::get("/api/users/1");
    let most = 10 * field.config.breaker.consecutive_failures;
    for asked in 1..=most {
        let result = client.send(&call).await;
        audit.note(&call.label(), Speaker::Service, &result);
        if result.is_ok_and(|answer| answer.code().as_deref() == Some("circuit_open")) {
            return (asked, true);
        }
    }
    (most, false)
}

/// What a load brought.
#[derive(Debug, Default)]
struct Load {
    served: usize,
    rejected: usize,
    gave_up: usize,
    /// Answers that are neither.
    odd: Tally,
    /// Of those that were answered.
    latencies: Vec<Duration>,
}

impl Load {
    fn sent(&self) -> usize {
        self.served
            + self.rejected
            + self.gave_up
            + usize::try_from(self.odd.count).unwrap_or(usize::MAX)
    }
}

/// Callers at a steady pace, for a while.
async fn load(field: &Field<'_>, audit: &Audit, time: Duration) -> Load {
    let until = Instant::now() + time;
    let callers = join_all((0..CALLERS).map(|_| caller(field, audit, until))).await;
    let mut all = Load::default();
    for load in callers {
        all.served += load.served;
        all.rejected += load.rejected;
        all.gave_up += load.gave_up;
        all.odd.add(&load.odd);
        all.latencies.extend(load.latencies);
    }
    all.latencies.sort_unstable();
    all
}

async fn caller(field: &Field<'_>, audit: &Audit, until: Instant) -> Load {
    let mut client = Client::new(field.addresses.take(), field.service.api).patience(PATIENCE);
    let call = Call::get("/api/users/1");
    let mut load = Load::default();
    while Instant::now() < until {
        let start = Instant::now();
        let result = client.send(&call).await;
        match &result {
            Err(_) => load.gave_up += 1,
            Ok(answer) => {
                load.latencies.push(start.elapsed());
                match (answer.status, answer.header("retry-after")) {
                    (200, _) => load.served += 1,
                    (503, Some(_)) => load.rejected += 1,
                    _ => load.odd.note(|| answer.excerpt()),
                }
            }
        }
        // Waiting in vain is what the bare service is shown to cause; it is no broken connection.
        if result.is_ok() {
            audit.note(&call.label(), Speaker::Service, &result);
        }
        time::sleep_until((start + PACE).into()).await;
    }
    load
}
