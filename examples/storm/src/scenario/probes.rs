//! What the probes say while dependencies hang and the service is busy.

use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use shop::domain::Component;
use tokio::time;

use super::{Field, Scenario};
use crate::audit::{Audit, Speaker};
use crate::client::{Call, Client};
use crate::figures::{Check, Figures, Strike};
use crate::service::{Private, Service, Trouble};

pub(super) struct Probes;

impl Scenario for Probes {
    fn name(&self) -> &'static str {
        "probes"
    }

    fn claim(&self) -> &'static str {
        "a load balancer is told the truth soon: not ready without the database, alive all the same"
    }

    fn sends(&self) -> &'static str {
        "probes to a shop of its own while the database hangs, while something else fails, and while \
         many ask at once"
    }

    fn strike<'a>(&'a self, field: &'a Field<'a>) -> BoxFuture<'a, Result<Strike, Trouble>> {
        strike(field).boxed()
    }
}

/// Asked every 50 ms with 100 ms to answer, twice: a hang is told after some 300 ms.
const SETTINGS: &str = "[health]\nevery = \"50ms\"\ntimeout = \"100ms\"\nfail_after = 2\n";

/// How soon a change is to show: many times what the settings come to, for busy machines.
const SOON: Duration = Duration::from_millis(1500);

async fn strike(field: &Field<'_>) -> Result<Strike, Trouble> {
    let shop = Private::start(field.service.side, SETTINGS, &field.store.apart()).await?;
    let strike = at(field, &shop.service).await;
    shop.stop().await;
    strike
}

async fn at(field: &Field<'_>, service: &Service) -> Result<Strike, Trouble> {
    let audit = Audit::default();
    let mut probes = Asking {
        client: Client::new(field.addresses.take(), service.api),
        audit: &audit,
        steps: Vec::new(),
    };
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

impl Asking<'_> {
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
