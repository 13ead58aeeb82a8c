//! More callers than anybody expected: limits must keep counting each of them, in bounded memory.

use std::collections::HashMap;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{BoxFuture, join, join_all};
use seawall_ratelimit::{Limiter, MemoryStore, Quota};
use tokio::task;

use super::volley::{Battery, Limit, within};
use super::{Field, Scenario};
use crate::audit::Audit;
use crate::client::Call;
use crate::figures::{Check, Figures, Strike, Tally};
use crate::service::{Side, Trouble, resident};

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
         store within storm itself, and as many to a plain map for comparison"
    }

    fn strike<'a>(&'a self, field: &'a Field<'a>) -> BoxFuture<'a, Result<Strike, Trouble>> {
        strike(field).boxed()
    }
}

const PROXIES: usize = 4;
const CONNECTIONS: usize = 8;

async fn strike(field: &Field<'_>) -> Result<Strike, Trouble> {
    let side = field.service.side.name();
    let audit = Audit::default();
    let mut checks = Vec::new();
    let mut figures = Figures::default();

    field.progress.doing(format!("{side}, over HTTP"));
    let (sent, crowd) = over_http(field, &audit, &mut checks, &mut figures).await;
    field.progress.doing(format!("{side}, in process"));
    let held = match field.service.side {
        Side::Bare => task::spawn_blocking(plain_map).await,
        Side::Hardened => task::spawn_blocking(store).await,
    };
    let held = held.map_err(|_| Trouble::new("the keys could not be counted in process"))?;
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

/// Keys counted within storm's own process.
#[derive(Debug)]
struct Held {
    /// What its own account says; a plain map keeps none.
    stated: Option<usize>,
    resident: Option<u64>,
    first: usize,
    again: usize,
    evicted: u64,
    elapsed: Duration,
}

const KEYS: usize = 1_000_000;

/// The stated bound.
const MOST_A_KEY: u32 = 24;

impl Held {
    fn bytes_a_key(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "below 2^52")]
        self.resident.map(|bytes| bytes as f64 / KEYS as f64)
    }

    fn tell(&self, figures: &mut Figures) {
        figures.add("keys", KEYS);
        figures.add("keys_allowed_again", self.again);
        figures.add_ms("keys_elapsed_ms", self.elapsed);
        if let Some(bytes) = self.bytes_a_key() {
            figures.add("bytes_a_key", (bytes * 10.0).round() / 10.0);
        }
    }

    fn checks(&self) -> Vec<Check> {
        let bound = KEYS * MOST_A_KEY as usize;
        let stated = self.stated.unwrap_or(usize::MAX);
        let mut checks = vec![
            Check::new(
                "keys of a million that pass once",
                KEYS.to_string(),
                self.first.to_string(),
                self.first == KEYS,
            ),
            Check::new(
                "keys of that million that pass a second time",
                "0",
                self.again.to_string(),
                self.again == 0,
            ),
            Check::new(
                "keys of that million that were forgotten",
                "0",
                self.evicted.to_string(),
                self.evicted == 0,
            ),
            Check::new(
                "bytes set aside for a million keys",
                format!("at most {bound}: {MOST_A_KEY} a key"),
                stated.to_string(),
                stated <= bound,
            ),
        ];
        if let Some(resident) = self.resident {
            checks.push(Check::new(
                "growth of resident memory by a million keys",
                format!(
                    "at most {:.1} MiB: {MOST_A_KEY} bytes a key",
                    mebibytes(bound as u64)
                ),
                format!("{:.1} MiB", mebibytes(resident)),
                resident <= bound as u64,
            ));
        }
        checks
    }
}

/// A million keys, each of which may pass once an hour, asking twice.
fn store() -> Held {
    let before = resident(process::id());
    let start = Instant::now();
    let store = MemoryStore::new(KEYS);
    let limiter = Limiter::new(store.clone(), Quota::per_hour(1));
    let pass = || {
        let mut text = String::new();
        let allowed = |number| limiter.check_local(key(&mut text, number)).is_allowed();
        (0..KEYS).map(allowed).filter(|allowed| *allowed).count()
    };
    let (first, again) = (pass(), pass());
    let elapsed = start.elapsed();
    let after = resident(process::id());
    Held {
        stated: Some(store.memory()),
        resident: grown(before, after),
        first,
        again,
        evicted: store.live_evictions(),
        elapsed,
    }
}

/// The map that most teams begin with.
fn plain_map() -> Held {
    let before = resident(process::id());
    let start = Instant::now();
    let mut map: HashMap<String, (u32, Instant)> = HashMap::new();
    let mut text = String::new();
    for number in 0..KEYS {
        let key = key(&mut text, number).to_owned();
        map.entry(key).or_insert_with(|| (0, Instant::now())).0 += 1;
    }
    let elapsed = start.elapsed();
    let after = resident(process::id());
    Held {
        stated: None,
        resident: grown(before, after),
        first: black_box(&map).len(),
        again: 0,
        evicted: 0,
        elapsed,
    }
}

fn key(text: &mut String, number: usize) -> &str {
    use std::fmt::Write as _;

    text.clear();
    let address = Ipv6Addr::from_bits((0x2001_0db8_u128 << 96) | ((number as u128) << 64));
    let _ = write!(text, "{address}");
    text
}

fn grown(before: Option<u64>, after: Option<u64>) -> Option<u64> {
    Some(after?.saturating_sub(before?))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "memory in bytes stays below 2^52"
)]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
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

    #[test]
    fn no_two_keys_are_one() {
        let mut text = String::new();
        let keys: HashSet<String> = (0..10_000).map(|n| key(&mut text, n).to_owned()).collect();
        assert_eq!(keys.len(), 10_000);
    }
}
