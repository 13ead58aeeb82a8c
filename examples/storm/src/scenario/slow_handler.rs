//! A dependency hangs, and many callers wait for it.

use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{BoxFuture, join, join_all};
use serde_json::json;
use shop::domain::Component;
use tokio::sync::watch;
use tokio::time;

use super::{Field, Scenario};
use crate::answer::Answer;
use crate::audit::{Audit, Speaker};
use crate::client::{Call, Client, Unanswered};
use crate::figures::{Check, Figures, Strike, Tally, percentile};
use crate::service::{Side, Trouble};

pub(super) struct SlowHandler;

impl Scenario for SlowHandler {
    fn name(&self) -> &'static str {
        "slow-handler"
    }

    fn claim(&self) -> &'static str {
        "a dependency that hangs costs its callers the deadline, and nobody else anything"
    }

    fn sends(&self) -> &'static str {
        "searches from many addresses while the search index never answers, and beside them \
         ordinary requests that do not need it"
    }

    fn strike<'a>(&'a self, field: &'a Field<'a>) -> BoxFuture<'a, Result<Strike, Trouble>> {
        strike(field).boxed()
    }
}

/// How much later than the deadline an answer may come. Generous, since it is about "at all".
const LEEWAY: Duration = Duration::from_millis(750);

async fn strike(field: &Field<'_>) -> Result<Strike, Trouble> {
    let audit = field.audit();
    let service = field.service;
    let deadline = field.config.deadlines.search.get();
    let callers = field.length.pick(64, 32);
    field.progress.expect(callers);
    let from = field.addresses.take();

    service.break_down(Component::Search, "hang").await?;
    let done = watch::Sender::new(false);
    let waiting = async {
        let hanging = join_all((0..callers).map(|_| hang(field, &audit, deadline + 2 * LEEWAY)));
        // Looked at shortly before the callers give up, or would have been told to.
        let halfway = async {
            time::sleep(deadline / 2).await;
            service.waiting_on(Component::Search).await
        };
        let (hanging, held) = join(hanging, halfway).await;
        // The dependency still hangs: what waits for it now waits for nobody.
        let stranded = match service.side {
            Side::Hardened => service.waiting_on(Component::Search).await,
            // All bare callers have hung up, which ends their handlers too.
            Side::Bare => Ok(0),
        };
        done.send_replace(true);
        (hanging, held, stranded)
    };
    let others = others(field, &audit, done.subscribe());
    let ((hanging, held, stranded), others) = join(waiting, others).await;
    service
        .mend(Component::Search, from, Duration::ZERO)
        .await?;
    let (held, stranded) = (held?, stranded?);

    let mut early_or_late = Tally::default();
    let mut wrong = Tally::default();
    let mut times = Vec::new();
    let promised = format!("Request timed out after {:.1}s", deadline.as_secs_f64());
    for (elapsed, result) in &hanging {
        match result {
            Ok(answer) => {
                times.push(answer.elapsed);
                let told = (answer.status, answer.code(), answer.message());
                if told
                    != (
                        504,
                        Some("deadline_exceeded".to_owned()),
                        Some(promised.clone()),
                    )
                {
                    wrong.note(|| format!("{told:?}"));
                }
            }
            Err(unanswered) => wrong.note(|| unanswered.name().to_owned()),
        }
        if !(deadline..deadline + LEEWAY).contains(elapsed) {
            early_or_late.note(|| format!("after {} ms", elapsed.as_millis()));
        }
    }
    times.sort_unstable();

    let answered = times.len();
    let mut figures = Figures::default();
    figures.add("searches", callers);
    figures.add("answered", answered);
    figures.add(
        "answered_504",
        hanging
            .iter()
            .filter(|(_, result)| is_timeout(result))
            .count(),
    );
    figures.add_ms("slowest_answer_ms", percentile(&times, 100));
    figures.add("calls_held_by_the_dependency", held);
    figures.add("calls_still_held_afterwards", stranded);
    figures.add(
        "other_requests",
        json!({"sent": others.sent, "served": others.served}),
    );
    figures.add_ms("other_requests_p50_ms", percentile(&others.latencies, 50));
    figures.add_ms("other_requests_p99_ms", percentile(&others.latencies, 99));
    audit.figures(&mut figures);

    let bound = format!(
        "{} to {} ms",
        deadline.as_millis(),
        (deadline + LEEWAY).as_millis()
    );
    let mut checks = vec![
        Check::new(
            "hanging searches are answered",
            bound,
            early_or_late.to_string(),
            early_or_late.count == 0,
        ),
        Check::new(
            "what they are told",
            format!("504 deadline_exceeded \"{promised}\""),
            if wrong.count == 0 {
                "the same, every time".to_owned()
            } else {
                wrong.to_string()
            },
            wrong.count == 0,
        ),
        Check::new(
            "calls that the service still holds once everybody has been answered",
            "0",
            stranded.to_string(),
            stranded == 0,
        ),
        Check::new(
            "other requests served meanwhile",
            others.sent.to_string(),
            others.served.to_string(),
            others.sent == others.served && others.sent > 0,
        ),
    ];
    checks.extend(audit.checks());

    let controls = vec![Check::new(
        "control: hanging searches that the bare service answers",
        "0",
        answered.to_string(),
        answered == 0,
    )];

    let headline = if answered == 0 {
        format!(
            "0 of {callers} answered in {:.1} s",
            (deadline + 2 * LEEWAY).as_secs_f64()
        )
    } else {
        let slowest = percentile(&times, 100).as_secs_f64();
        format!("{answered} of {callers} answered, the last after {slowest:.2} s")
    };
    Ok(Strike {
        requests: audit.requests(),
        figures,
        checks,
        controls,
        specimens: Vec::new(),
        headline,
    })
}

fn is_timeout(result: &Result<Answer, Unanswered>) -> bool {
    result.as_ref().is_ok_and(|answer| answer.status == 504)
}

/// A caller of the hanging dependency.
async fn hang(
    field: &Field<'_>,
    audit: &Audit,
    patience: Duration,
) -> (Duration, Result<Answer, Unanswered>) {
    let mut client = Client::new(field.addresses.take(), field.service.api).patience(patience);
    let call = Call::get("/api/search?q=sea");
    let start = Instant::now();
    let result = client.send(&call).await;
    audit.note(&call.label(), Speaker::Service, &result);
    field.progress.step();
    (start.elapsed(), result)
}

/// What happened to those who did not need the dependency.
#[derive(Default)]
struct Others {
    sent: usize,
    served: usize,
    latencies: Vec<Duration>,
}

async fn others(field: &Field<'_>, audit: &Audit, mut done: watch::Receiver<bool>) -> Others {
    let mut client = Client::new(field.addresses.take(), field.service.api);
    let call = Call::get("/api/users/2");
    let mut others = Others::default();
    while !*done.borrow_and_update() {
        let start = Instant::now();
        let result = client.send(&call).await;
        others.latencies.push(start.elapsed());
        others.sent += 1;
        others.served += usize::from(result.as_ref().is_ok_and(|answer| answer.status == 200));
        audit.note(&call.label(), Speaker::Service, &result);
        // Slower than 1000 a minute.
        let _ = time::timeout(Duration::from_millis(65), done.changed()).await;
    }
    others.latencies.sort_unstable();
    others
}
