//! More callers than anybody expected: limits must keep counting each of them, in bounded memory.

mod count;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{BoxFuture, join, join_all};

use super::volley::{Battery, Limit, within};
use super::{Field, Scenario};
use crate::audit::Audit;
use crate::client::Call;
use crate::figures::{Check, Figures, Strike, Tally};
use crate::service::{Trouble, resident};
use count::{MOST_A_KEY, mebibytes};

pub(crate) use count::run as count_keys;

pub(super) struct ManyKeys;

impl Scenario for ManyKeys {
    fn name(&self) -> &'static str {
        "many-keys"
    }

    fn claim(&self) -> &'static str {
        "50,000 addresses at once are each served and hide nobody who is over the limit, and a million \
         keys are counted exactly in the memory that was set aside for them"
    }

    fn sends(&self) -> &'static str {
        "a request from each of 50,000 addresses behind trusted proxies (10,000 with --quick), while \
         one caller keeps asking for more than its quota; then 1,000,000 keys to the same kind of \
         store in a process of its own, and as many to a plain map for comparison"
    }

    fn strike<'a>(&'a self, field: &'a Field<'a>) -> BoxFuture<'a, Result<Strike, Trouble>> {
        strike(field).boxed()
    }
}

const PROXIES: usize = 4;
const CONNECTIONS: usize = 8;

async fn strike(field: &Field<'_>) -> Result<Strike, Trouble> {
    let side = field.service.side.name();
    let audit = field.audit();
    let mut checks = Vec::new();
    let mut figures = Figures::default();

    field.progress.doing(format!("{side}, over HTTP"));
    let (sent, crowd) = over_http(field, &audit, &mut checks, &mut figures).await;
    field.progress.doing(format!("{side}, in process"));
    let held = count::count(field.service.side).await?;
    held.tell(&mut figures);
    checks.extend(held.checks());

    audit.figures(&mut figures);
    checks.push(audit.all_answered());
    checks.push(audit.no_server_errors());
    checks.extend(audit.checks());
    let bytes = held.bytes_a_key();
    let mut controls = vec![Check::new(
        "control: the caller beyond its quota that the bare service serves all the same",
        format!("all {sent}"),
        crowd.greedy.to_string(),
        crowd.greedy == sent,
    )];
    if let Some(bytes) = bytes {
        controls.push(Check::new(
            "control: bytes a key of a plain map of a million addresses",
            format!("more than {MOST_A_KEY}"),
            format!("{bytes:.1}"),
            bytes > f64::from(MOST_A_KEY),
        ));
    }
    Ok(Strike {
        requests: audit.requests(),
        headline: format!(
            "{} of {} addresses served; {} bytes a key of a million",
            crowd.served,
            crowd.addresses,
            bytes.map_or("unknown".to_owned(), |bytes| format!("{bytes:.0}")),
        ),
        figures,
        checks,
        controls,
        specimens: Vec::new(),
    })
}

/// What came of the flood over HTTP.
struct Flood {
    addresses: usize,
    served: usize,
    /// How often the caller beyond its quota was served.
    greedy: usize,
}

/// Floods, and gives how many requests the greedy caller sent.
async fn over_http(
    field: &Field<'_>,
    audit: &Audit,
    checks: &mut Vec<Check>,
    figures: &mut Figures,
) -> (usize, Flood) {
    let addresses = field.length.pick(50_000, 10_000);
    let battery = Battery {
        field,
        audit,
        connections: CONNECTIONS,
    };
    let greedy = field.addresses.take();
    let quota = Limit::Expensive.quota(&field.config.limits);
    let burst = quota.burst() as usize;
    let ask = |total| battery.fire(greedy, total, Limit::Expensive, |_| operation());
    field.progress.expect(addresses + burst + 3 * GREEDY);
    let before = resident(field.service.pid);
    let start = Instant::now();
    let mut asked = vec![ask(burst + GREEDY).await];

    // Each strike at a service comes from addresses that the service has never seen.
    let salt = field.addresses.take().to_bits();
    let behind = async |proxy: usize| {
        let from: Ipv4Addr = field.addresses.take_proxy();
        battery
            .fire(from, addresses / PROXIES, Limit::Address, |number| {
                let caller = caller(salt, number * PROXIES + proxy);
                Call::get("/api/users/1").header("x-forwarded-for", &caller.to_string())
            })
            .await
    };
    let flood = async { join_all((0..PROXIES).map(behind)).await };
    let meanwhile = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        ask(GREEDY).await
    };
    let (volleys, during) = join(flood, meanwhile).await;
    asked.push(during);
    asked.push(ask(GREEDY).await);
    let elapsed = start.elapsed();
    let after = resident(field.service.pid);

    let mut misled = Tally::default();
    for volley in volleys.iter().chain(&asked) {
        misled.add(&volley.misled);
    }
    let count = |passed: &mut dyn Iterator<Item = usize>| passed.sum::<usize>();
    let served = count(&mut volleys.iter().map(|volley| volley.passed.len()));
    let allowed = count(&mut asked.iter().map(|volley| volley.passed.len()));
    checks.push(Check::new(
        "addresses that were served",
        addresses.to_string(),
        served.to_string(),
        served == addresses,
    ));
    checks.push(within(
        "passed of a caller beyond its quota before, during and after the flood",
        burst,
        &quota,
        elapsed,
        allowed,
    ));
    checks.push(Check::none(
        "answers whose headers do not speak for the limit that binds",
        &misled,
    ));
    if let (Some(before), Some(after)) = (before, after) {
        let growth = after.saturating_sub(before);
        checks.push(Check::new(
            "growth of the service's resident memory by the flood",
            "at most 16 MiB: 24 bytes for each of 200,000 callers, and what 40 connections hold",
            format!("{:.1} MiB", mebibytes(growth)),
            growth <= 16 * 1024 * 1024,
        ));
    }
    figures.add("addresses", addresses);
    figures.add("addresses_served", served);
    figures.add("greedy_allowed", allowed);
    figures.add_ms("flood_elapsed_ms", elapsed);
    let flood = Flood {
        addresses,
        served,
        greedy: allowed,
    };
    (burst + 3 * GREEDY, flood)
}

/// So often the caller that has spent its quota asks again, three times.
const GREEDY: usize = 20;

/// The n-th caller, of an address space that each strike has for itself: every second one has IPv6.
fn caller(salt: u32, number: usize) -> IpAddr {
    let number = u32::try_from(number).expect("below a hundred thousand");
    // An odd factor only permutes the numbers, so that no two callers of a strike are one.
    let mixed = salt ^ number.wrapping_mul(0x9e37_79b1);
    if number.is_multiple_of(2) {
        IpAddr::V6(Ipv6Addr::from_bits(
            (0x2001_0db8_u128 << 96) | (u128::from(mixed) << 64) | 1,
        ))
    } else {
        IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 | mixed & 0x00ff_ffff))
    }
}

fn operation() -> Call {
    Call::post("/api/expensive-operation")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_callers_are_one_for_the_limits() {
        let network = |address| match address {
            IpAddr::V4(v4) => u128::from(v4.to_bits()),
            IpAddr::V6(v6) => v6.to_bits() >> 64,
        };
        let callers: HashSet<u128> = (0..50_000).map(|n| network(caller(7, n))).collect();
        assert_eq!(callers.len(), 50_000);
    }
}
