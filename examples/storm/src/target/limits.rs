//! One address asks for more than it may, at each limit of the plan, beside one that behaves.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use futures::future::{join, join_all};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::aim::Aim;
use super::checklist::Outcome;
use super::plan::Limit;
use crate::client::{Call, Client};
use crate::figures::{Check, Tally};

/// Each limit lets pass what it says, tells when to come back, and costs only who exceeds it.
pub(super) async fn limits(aim: &Aim<'_>) -> Outcome {
    let limits = &aim.plan.limits;
    if limits.is_empty() {
        return Outcome::unplanned("[limits]");
    }
    let total: usize = limits.iter().map(total).sum();
    aim.progress.expect(total);
    let mut checks = Vec::new();
    for limit in limits {
        checks.extend(one(aim, limit).await);
    }
    if let [alone] = limits.as_slice() {
        let why = format!(
            "one limit, of {}, is no layers: the plan has a single [[limits]]",
            alone.route.label()
        );
        return Outcome::NotShown(why, checks);
    }
    Outcome::Shown(checks)
}

/// Twice what may pass; of a wide limit, 500 more.
fn total(limit: &Limit) -> usize {
    let burst = limit.quota.quota().burst() as usize;
    burst + burst.clamp(20, 500)
}

const CONNECTIONS: usize = 16;

#[derive(Default)]
struct Flood {
    allowed: usize,
    refused: usize,
    odd: Tally,
    waitless: Tally,
}

async fn one(aim: &Aim<'_>, limit: &Limit) -> Vec<Check> {
    let mut call = limit.route.call();
    if let Some(body) = &limit.body {
        call = call.json(body.text.clone());
    }
    let label = limit.route.label();
    let from = aim.addresses.take();
    let start = Instant::now();
    let (flood, neighbour) =
        join(flood(aim, from, &call, total(limit)), neighbour(aim, &call)).await;
    let quota = limit.quota.quota();
    let burst = quota.burst() as usize;
    let refilled = start.elapsed().as_micros() / quota.interval().as_micros().max(1);
    let most = burst.saturating_add(usize::try_from(refilled).unwrap_or(usize::MAX));
    let mut checks = vec![
        Check::new(
            format!("{label}: requests of one address that pass"),
            if most == burst {
                format!("{burst}")
            } else {
                format!("{burst} to {most}")
            },
            format!("{} of {}", flood.allowed, total(limit)),
            (burst..=most).contains(&flood.allowed),
        ),
        Check::none(
            format!("{label}: 429 without a Retry-After of at least 1"),
            &flood.waitless,
        ),
        Check::none(
            format!("{label}: answers that are neither 2xx nor 429"),
            &flood.odd,
        ),
    ];
    checks.push(Check::new(
        format!("{label}: another address meanwhile"),
        "is served",
        neighbour.to_string(),
        neighbour.count == 0,
    ));
    checks
}

async fn flood(aim: &Aim<'_>, from: Ipv4Addr, call: &Call, total: usize) -> Flood {
    let next = AtomicUsize::new(0);
    let connection = async || {
        let mut client = Client::new(from, aim.to);
        let mut flood = Flood::default();
        // Relaxed: a counter that guards no data.
        while next.fetch_add(1, Relaxed) < total {
            match aim.send(&mut client, call).await {
                Ok(answer) => match answer.status {
                    200..300 => flood.allowed += 1,
                    429 => {
                        flood.refused += 1;
                        let wait = answer.header("retry-after").and_then(|w| w.parse().ok());
                        if wait.is_none_or(|wait: u64| wait == 0) {
                            flood.waitless.note(|| answer.excerpt());
                        }
                    }
                    status => flood.odd.note(|| status.to_string()),
                },
                Err(unanswered) => flood.odd.note(|| unanswered.name().to_owned()),
            }
            aim.progress.step();
        }
        flood
    };
    let floods = join_all((0..CONNECTIONS).map(|_| connection())).await;
    let mut all = Flood::default();
    for flood in floods {
        all.allowed += flood.allowed;
        all.refused += flood.refused;
        all.odd.add(&flood.odd);
        all.waitless.add(&flood.waitless);
    }
    all
}

/// A few requests at another address; what came instead of a 2xx.
async fn neighbour(aim: &Aim<'_>, call: &Call) -> Tally {
    let mut client = aim.client();
    let mut failed = Tally::default();
    for _ in 0..3 {
        match aim.send(&mut client, call).await {
            Ok(answer) if answer.status < 300 => {}
            Ok(answer) => failed.note(|| answer.status.to_string()),
            Err(unanswered) => failed.note(|| unanswered.name().to_owned()),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    failed
}
