//! What the probes say while dependencies hang and the service is busy.

use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{BoxFuture, join, join_all};
use shop::domain::Component;
use tokio::sync::watch;
use tokio::time;

use super::{Field, Scenario};
use crate::audit::{Audit, Speaker};
use crate::client::{Call, Client};
use crate::figures::{Check, Figures, Strike};
use crate::service::{Service, Trouble};

pub(super) struct Probes;

impl Scenario for Probes {
    fn name(&self) -> &'static str {
        "probes"
    }

    fn claim(&self) -> &'static str {
        "a load balancer is told the truth soon: not ready without the database, alive all the same"
    }

    fn sends(&self) -> &'static str {
        "probes to shops of its own while the database hangs, while something else fails, and while \
         many ask at once; to one of them whose checks forgive any number of timeouts"
    }

    fn strike<'a>(&'a self, field: &'a Field<'a>) -> BoxFuture<'a, Result<Strike, Trouble>> {
        strike(field).boxed()
    }
}

/// Asked every 50 ms with 100 ms to answer, twice: a hang is told after some 300 ms.
const SETTINGS: &str = "[health]\nevery = \"50ms\"\ntimeout = \"100ms\"\nfail_after = 2\n";

/// The same, but so patient with failures that a hang is told only by the age of the last answer: after
/// three intervals and timeouts.
const PATIENT: &str =
    "[health]\nevery = \"50ms\"\ntimeout = \"100ms\"\nfail_after = 1_000_000_000\n";

/// How soon a change is to show: many times what the settings come to, for busy machines.
const SOON: Duration = Duration::from_millis(1500);

async fn strike(field: &Field<'_>) -> Result<Strike, Trouble> {
    let shop = field
        .private(field.service.side, SETTINGS, &field.store.apart())
        .await?;
    let strike = at(field, &shop.service).await;
    shop.stop().await;
    let shop = field
        .private(field.service.side, PATIENT, &field.store.apart())
        .await?;
    let stale = stale(field, &shop.service).await;
    shop.stop().await;
    let (mut strike, stale) = (strike?, stale?);
    strike.requests += stale.requests;
    strike.checks.extend(stale.checks);
    Ok(strike)
}

/// Who keep the service busy meanwhile.
const BUSY: usize = 32;

/// A dependency that never answers again, while many ask for other things.
async fn stale(field: &Field<'_>, service: &Service) -> Result<Strike, Trouble> {
    let audit = field.audit();
    let mut probes = Asking::new(field, service, &audit);
    probes
        .becomes("/readyz before the hang", "/readyz", 200)
        .await;
    service.break_down(Component::Database, "hang").await?;
    let done = watch::Sender::new(false);
    let busy = join_all((0..BUSY).map(|_| busy(field, service, done.subscribe())));
    let probing = async {
        probes
            .becomes(
                "/readyz once the database's last answer is old, under load",
                "/readyz",
                503,
            )
            .await;
        for path in ["/livez", "/startupz"] {
            let what = format!("{path} meanwhile, under load");
            probes.becomes(&what, path, 200).await;
        }
        done.send_replace(true);
    };
    let (served, ()) = join(busy, probing).await;
    let from = field.addresses.take();
    service
        .mend(Component::Database, from, Duration::ZERO)
        .await?;
    probes
        .becomes("/readyz once the database answers", "/readyz", 200)
        .await;
    let served: usize = served.into_iter().sum();
    let mut checks = probes.steps;
    checks.push(Check::new(
        "searches served under the load",
        "some",
        served.to_string(),
        served > 0,
    ));
    checks.extend(audit.checks());
    Ok(Strike {
        requests: audit.requests(),
        checks,
        ..Strike::default()
    })
}

/// Asks as fast as it is answered for what does not need the database.
async fn busy(field: &Field<'_>, service: &Service, done: watch::Receiver<bool>) -> usize {
    let mut client = Client::new(field.addresses.take(), service.api);
    let call = Call::get("/api/search?q=sea");
    let mut served = 0;
    while !*done.borrow() {
        let answer = client.send(&call).await;
        served += usize::from(answer.is_ok_and(|answer| answer.status == 200));
    }
    served
}

async fn at(field: &Field<'_>, service: &Service) -> Result<Strike, Trouble> {
    let audit = field.audit();
    let mut probes = Asking::new(field, service, &audit);
    let mut calls = 0;

    probes
        .becomes("/startupz once it runs", "/startupz", 200)
        .await;
    probes.becomes("/readyz once it runs", "/readyz", 200).await;
    if probes.steps.iter().all(|step| step.ok) {
        service
            .break_down(Component::Recommendations, "error")
            .await?;
        probes
            .says("/health while recommendations fail", "/health", 200, "warn")
            .await;
        probes
            .becomes("/readyz while recommendations fail", "/readyz", 200)
            .await;

        service.break_down(Component::Database, "hang").await?;
        probes
            .becomes("/readyz while the database hangs", "/readyz", 503)
            .await;
        probes
            .becomes("/livez while the database hangs", "/livez", 200)
            .await;
        probes
            .becomes("/startupz while the database hangs", "/startupz", 200)
            .await;

        // Probes ask nobody: what reaches the database does not grow with them.
        let before = service.calls_of(Component::Database).await?;
        join_all((0..200).map(|_| async {
            let mut client = Client::new(field.addresses.take(), service.api);
            let _ = client.send(&Call::get("/readyz")).await;
        }))
        .await;
        calls = service.calls_of(Component::Database).await? - before;

        let from = field.addresses.take();
        service
            .mend(Component::Database, from, Duration::ZERO)
            .await?;
        probes
            .becomes("/readyz once the database is back", "/readyz", 200)
            .await;
    }

    let mut figures = Figures::default();
    let right = probes.steps.iter().filter(|step| step.ok).count();
    let steps = probes.steps.len();
    figures.add("right_answers", right);
    figures.add("calls_of_the_database_by_200_probes", calls);
    audit.figures(&mut figures);
    let mut checks = probes.steps;
    checks.push(Check::new(
        "calls of the database by 200 probes",
        "0",
        calls.to_string(),
        calls == 0,
    ));
    let controls = vec![Check::new(
        "control: probes of the bare service that say what is true",
        "not all, as its readiness knows nothing",
        format!("{right} of {steps}"),
        right < steps,
    )];
    Ok(Strike {
        requests: audit.requests(),
        headline: format!("{right} of {steps} probes say what is true"),
        figures,
        checks,
        controls,
        ..Strike::default()
    })
}

struct Asking<'a> {
    client: Client,
    audit: &'a Audit,
    steps: Vec<Check>,
}

impl<'a> Asking<'a> {
    fn new(field: &Field<'_>, service: &Service, audit: &'a Audit) -> Self {
        Self {
            client: Client::new(field.addresses.take(), service.api),
            audit,
            steps: Vec::new(),
        }
    }

    async fn becomes(&mut self, what: &str, path: &'static str, status: u16) {
        self.says(what, path, status, "").await;
    }

    /// Asks until the answer is as promised, or it is too late.
    async fn says(&mut self, what: &str, path: &'static str, status: u16, word: &str) {
        let start = Instant::now();
        let call = Call::get(path);
        loop {
            let result = self.client.send(&call).await;
            let (got, right) = match &result {
                Ok(answer) => {
                    let body = String::from_utf8_lossy(&answer.body).into_owned();
                    let right = answer.status == status && body.contains(word);
                    (format!("{} {body}", answer.status), right)
                }
                Err(unanswered) => (unanswered.name().to_owned(), false),
            };
            let late = start.elapsed() > SOON || got.starts_with("404");
            if right || late {
                // A failing probe's body is the probe's own, not an error's.
                if !got.starts_with("503") {
                    self.audit.note(&call.label(), Speaker::Service, &result);
                }
                let expected = format!("{status} {word} within {} ms", SOON.as_millis());
                self.steps.push(Check::new(what, expected, got, right));
                return;
            }
            time::sleep(Duration::from_millis(20)).await;
        }
    }
}
