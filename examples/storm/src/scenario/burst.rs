//! One client asks for twenty times its quota, on many connections at once, beside one that behaves.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{BoxFuture, join, join_all};
use parking_lot::Mutex;
use serde_json::json;
use shop::config::QuotaText;
use tokio::time;

use super::{Field, Scenario};
use crate::answer::Answer;
use crate::audit::{Audit, Speaker};
use crate::client::{Call, Client};
use crate::figures::{Check, Figures, Strike, Tally, percentile};
use crate::service::Trouble;

pub(super) struct Burst;

impl Scenario for Burst {
    fn name(&self) -> &'static str {
        "burst"
    }

    fn claim(&self) -> &'static str {
        "a client at 20 times its quota gets its quota and no more, and its neighbour loses nothing"
    }

    fn sends(&self) -> &'static str {
        "20 times the quota of POST /api/expensive-operation from one address over 64 connections, \
         while another address asks within its quota; then more than the quota of all of /api"
    }

    fn strike<'a>(&'a self, field: &'a Field<'a>) -> BoxFuture<'a, Result<Strike, Trouble>> {
        strike(field).map(Ok).boxed()
    }
}

const CONNECTIONS: usize = 64;

async fn strike(field: &Field<'_>) -> Strike {
    let audit = field.audit();
    let limits = &field.config.limits;
    let quota = limits.expensive_operation.quota().burst() as usize;
    let wide = limits.api.quota().burst() as usize;
    // A fifth more than all of /api allows; twenty times would measure storm, not the service.
    let (narrow_total, wide_total) = (20 * quota, wide + wide / 5);
    field.progress.expect(narrow_total + quota + wide_total);

    let expensive = Call::post("/api/expensive-operation");
    let (narrow, neighbour) = join(
        flood(
            field,
            &audit,
            &expensive,
            narrow_total,
            &limits.expensive_operation,
        ),
        behave(field, &audit, &expensive, quota),
    )
    .await;
    let user = Call::get("/api/users/1");
    let wide = flood(field, &audit, &user, wide_total, &limits.api).await;

    let mut figures = Figures::default();
    figures.add("expensive_sent", narrow_total);
    figures.add("expensive_allowed", narrow.allowed);
    figures.add("expensive_refused", narrow.refused);
    figures.add_ms("expensive_elapsed_ms", narrow.elapsed);
    figures.add("neighbour_sent", quota);
    figures.add("neighbour_served", neighbour.served);
    figures.add_ms("neighbour_p50_ms", percentile(&neighbour.latencies, 50));
    figures.add_ms(
        "neighbour_slowest_ms",
        percentile(&neighbour.latencies, 100),
    );
    figures.add("api_sent", wide_total);
    figures.add("api_allowed", wide.allowed);
    figures.add("api_refused", wide.refused);
    figures.add_ms("api_elapsed_ms", wide.elapsed);
    figures.add("connections", json!(CONNECTIONS));
    audit.figures(&mut figures);

    let mut checks = vec![
        narrow.within(
            "allowed of POST /api/expensive-operation",
            &limits.expensive_operation,
        ),
        wide.within("allowed of all /api", &limits.api),
        Check::new(
            "the neighbour's requests that were served",
            quota.to_string(),
            neighbour.served.to_string(),
            neighbour.served == quota,
        ),
        Check::none(
            "answers of a limited route without its rate limit headers",
            &narrow.headers,
        ),
        Check::none(
            "answers of /api without its rate limit headers",
            &wide.headers,
        ),
        Check::none(
            "Retry-After beyond the time until the next is due",
            &narrow.retry,
        ),
        audit.all_answered(),
        audit.no_server_errors(),
    ];
    checks.extend(audit.checks());

    let controls = vec![Check::new(
        "control: expensive operations that the bare service carries out",
        narrow_total.to_string(),
        narrow.allowed.to_string(),
        narrow.allowed == narrow_total,
    )];

    Strike {
        requests: audit.requests(),
        headline: format!(
            "{} of {narrow_total} expensive ones allowed; neighbour waits up to {} ms",
            narrow.allowed,
            percentile(&neighbour.latencies, 100).as_millis(),
        ),
        figures,
        checks,
        controls,
        specimens: Vec::new(),
    }
}

/// What a flood brought.
#[derive(Debug, Default)]
struct Flood {
    allowed: usize,
    refused: usize,
    elapsed: Duration,
    headers: Tally,
    retry: Tally,
}

impl Flood {
    fn count(&mut self, answer: &Answer, quota: &QuotaText) {
        match answer.status {
            200..300 => self.allowed += 1,
            429 => self.refused += 1,
            _ => {}
        }
        if let Some(fault) = headers_fault(answer, quota) {
            self.headers.note(|| format!("{} ({fault})", answer.status));
        }
        let due = quota.quota().interval().as_secs_f64().ceil();
        let told = answer
            .header("retry-after")
            .and_then(|value| value.parse::<f64>().ok());
        if let Some(told) = told.filter(|told| *told > due) {
            self.retry
                .note(|| format!("{told} s, where one is due every {due} s"));
        }
    }

    /// The interval bound of every limiter that refills evenly: the burst at once, and one more for
    /// each spacing that has passed.
    fn within(&self, what: &str, quota: &QuotaText) -> Check {
        let least = quota.quota().burst() as usize;
        let refilled = self.elapsed.as_micros() / quota.quota().interval().as_micros();
        let most = least + usize::try_from(refilled).unwrap_or(usize::MAX - least);
        let expected = if most == least {
            format!("{least}")
        } else {
            format!(
                "{least} to {most} ({refilled} came back in {} ms)",
                self.elapsed.as_millis()
            )
        };
        let ok = (least..=most).contains(&self.allowed);
        Check::new(what, expected, self.allowed.to_string(), ok)
    }
}

fn headers_fault(answer: &Answer, quota: &QuotaText) -> Option<String> {
    let number = |name: &str| {
        answer
            .header(name)
            .and_then(|value| value.parse::<u64>().ok())
    };
    for name in ["x-ratelimit-remaining", "x-ratelimit-reset"] {
        if number(name).is_none() {
            return Some(format!("no {name}"));
        }
    }
    if number("x-ratelimit-limit") != Some(u64::from(quota.quota().burst())) {
        return Some("x-ratelimit-limit is not the quota".to_owned());
    }
    if answer.status == 429 && number("x-ratelimit-remaining") != Some(0) {
        return Some("refused with some remaining".to_owned());
    }
    ["ratelimit", "ratelimit-policy"]
        .into_iter()
        .find(|name| !answer.headers.contains_key(*name))
        .map(|name| format!("no {name}"))
}

/// One address, many connections, as fast as answers come.
async fn flood(
    field: &Field<'_>,
    audit: &Audit,
    call: &Call,
    total: usize,
    quota: &QuotaText,
) -> Flood {
    let from = field.addresses.take();
    let flood = Mutex::new(Flood::default());
    let taken = AtomicUsize::new(0);
    let label = call.label();
    let start = Instant::now();
    let connection = async || {
        let mut client = Client::new(from, field.service.api);
        while taken.fetch_add(1, Relaxed) < total {
            let result = client.send(call).await;
            audit.note(&label, Speaker::Service, &result);
            if let Ok(answer) = &result {
                flood.lock().count(answer, quota);
            }
            field.progress.step();
        }
    };
    join_all((0..CONNECTIONS).map(|_| connection())).await;
    let mut flood = flood.into_inner();
    flood.elapsed = start.elapsed();
    flood
}

/// What the neighbour got.
struct Neighbour {
    served: usize,
    latencies: Vec<Duration>,
}

/// Another address, one request after the other, no more than its quota.
async fn behave(field: &Field<'_>, audit: &Audit, call: &Call, quota: usize) -> Neighbour {
    let from: Ipv4Addr = field.addresses.take();
    let mut client = Client::new(from, field.service.api);
    let mut neighbour = Neighbour {
        served: 0,
        latencies: Vec::new(),
    };
    for _ in 0..quota {
        let start = Instant::now();
        let result = client.send(call).await;
        neighbour.latencies.push(start.elapsed());
        neighbour.served += usize::from(result.as_ref().is_ok_and(|answer| answer.status == 200));
        audit.note(&call.label(), Speaker::Service, &result);
        field.progress.step();
        time::sleep(Duration::from_millis(5)).await;
    }
    neighbour.latencies.sort_unstable();
    neighbour
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(allowed: usize, seconds: u64) -> bool {
        let flood = Flood {
            allowed,
            elapsed: Duration::from_secs(seconds),
            ..Flood::default()
        };
        flood.within("allowed", &"10/minute".parse().unwrap()).ok
    }

    #[test]
    fn the_bound_is_the_burst_and_what_came_back_since() {
        assert!(!bound(9, 5));
        assert!(bound(10, 5));
        assert!(!bound(11, 5));
        assert!(bound(11, 6));
        assert!(!bound(12, 11));
        assert!(bound(12, 12));
    }
}
