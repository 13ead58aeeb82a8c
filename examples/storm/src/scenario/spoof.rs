//! Callers who write forwarding headers themselves, and callers behind a proxy that is trusted.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::volley::{Battery, Limit, Volley, within};
use super::{Field, Scenario};
use crate::client::Call;
use crate::figures::{Check, Figures, Strike, Tally};
use crate::service::Trouble;

pub(super) struct Spoof;

impl Scenario for Spoof {
    fn name(&self) -> &'static str {
        "spoof"
    }

    fn claim(&self) -> &'static str {
        "forged forwarding headers change nothing for whoever sends them or for whom they name, and \
         behind a trusted proxy it is the real client that is counted"
    }

    fn sends(&self) -> &'static str {
        "POST /api/expensive-operation with a new forged address in every forwarding header each time, \
         directly and through a trusted proxy that appends the true one: with ports, over several \
         lines, through two proxies, as IPv4 within IPv6, as unreadable names, and from rotating \
         addresses of one IPv6 /64"
    }

    fn strike<'a>(&'a self, field: &'a Field<'a>) -> BoxFuture<'a, Result<Strike, Trouble>> {
        strike(field).map(Ok).boxed()
    }
}

const CONNECTIONS: usize = 8;

async fn strike(field: &Field<'_>) -> Strike {
    let audit = field.audit();
    let quota = Limit::Expensive.burst(&field.config.limits);
    // Enough that half of it would show.
    let many = 3 * quota;
    field.progress.expect(5 * many + 5 * (quota + 2));
    let mut book = Book {
        battery: Battery {
            field,
            audit: &audit,
            connections: CONNECTIONS,
        },
        quota,
        sent: 0,
        carried_out: 0,
        checks: Vec::new(),
        misled: Tally::default(),
    };
    forged(&mut book, many).await;
    proxied(&mut book, many).await;
    unreadable(&mut book, many).await;
    rotating(&mut book, many).await;

    let (sent, carried_out) = (book.sent, book.carried_out);
    let mut checks = book.checks;
    checks.push(Check::none(
        "answers whose headers do not speak for the limit that binds",
        &book.misled,
    ));
    checks.push(audit.all_answered());
    checks.push(audit.no_server_errors());
    checks.extend(audit.checks());

    let mut figures = Figures::default();
    figures.add("sent", sent);
    figures.add("carried_out", carried_out);
    audit.figures(&mut figures);
    Strike {
        requests: audit.requests(),
        headline: format!("{carried_out} of {sent} carried out"),
        figures,
        checks,
        controls: vec![Check::new(
            "control: expensive operations that the bare service carries out",
            format!("all {sent}"),
            carried_out.to_string(),
            carried_out == sent,
        )],
        specimens: Vec::new(),
    }
}

/// What has been sent and seen so far.
struct Book<'a> {
    battery: Battery<'a>,
    quota: usize,
    sent: usize,
    carried_out: usize,
    checks: Vec<Check>,
    misled: Tally,
}

impl Book<'_> {
    async fn fire(&mut self, from: Ipv4Addr, total: usize, call: impl Fn(usize) -> Call) -> Volley {
        let volley = self.battery.fire(from, total, Limit::Expensive, call).await;
        self.sent += volley.passed.len() + volley.refused;
        self.carried_out += volley.passed.len();
        self.misled.add(&volley.misled);
        volley
    }

    /// Of one client's requests its quota should have passed, and what came back since.
    fn enter(&mut self, what: &str, allowed: usize, since: Instant, passed: usize) {
        let quota = Limit::Expensive.quota(&self.battery.field.config.limits);
        let check = within(what, allowed, &quota, since.elapsed(), passed);
        self.checks.push(check);
    }

    fn client(&self) -> Ipv4Addr {
        self.battery.field.addresses.take()
    }

    fn proxy(&self) -> Ipv4Addr {
        self.battery.field.addresses.take_proxy()
    }
}

/// A caller that nobody trusts names the same victim, or a new address each time, in every header
/// that some service somewhere believes.
async fn forged(book: &mut Book<'_>, many: usize) {
    let (liar, victim) = (book.client(), book.client());
    let since = Instant::now();
    let volley = book
        .fire(liar, many, |number| {
            let named = match number % 2 {
                0 => IpAddr::V4(victim),
                _ => somebody(number),
            };
            NAMING.iter().fold(operation(), |call, header| {
                let value = match *header {
                    "forwarded" => format!("for=\"{}\";proto=https", bracketed(named)),
                    _ => named.to_string(),
                };
                call.header(header, &value)
            })
        })
        .await;
    book.enter(
        "passed of an untrusted caller with forged headers",
        book.quota,
        since,
        volley.passed.len(),
    );
    let since = Instant::now();
    let volley = book.fire(victim, book.quota + 2, |_| operation()).await;
    book.enter(
        "passed of the address that the forged headers named",
        book.quota,
        since,
        volley.passed.len(),
    );
}

/// Every header by which services find their callers.
const NAMING: [&str; 7] = [
    "x-forwarded-for",
    "forwarded",
    "x-real-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "x-client-ip",
    "x-cluster-client-ip",
];

/// One client behind proxies, which forges what is left of the entry that the proxies write.
async fn proxied(book: &mut Book<'_>, many: usize) {
    let (client, neighbour) = (book.client(), book.client());
    let (outer, inner) = (book.proxy(), book.proxy());
    let since = Instant::now();
    let mut passed = book
        .fire(outer, many, |number| {
            let forged = somebody(number);
            let port = 1024 + number;
            let call = operation()
                .header("forwarded", &format!("for={}", somebody(number + 1)))
                .header("x-real-ip", &forged.to_string());
            let name = "x-forwarded-for";
            match number % 6 {
                0 => call.header(name, &client.to_string()),
                1 => call.header(name, &format!("{forged}, {client}:{port}")),
                // The client's own line, then the proxy's.
                2 => call
                    .header(name, &forged.to_string())
                    .header(name, &format!("{client}")),
                // Over two proxies, each with a line of its own.
                3 => call
                    .header(name, &format!("{forged}"))
                    .header(name, &format!("{client}"))
                    .header(name, &format!("{inner}:{port}")),
                4 => call.header(name, &format!("unknown, ,{forged}, {client} , {inner}")),
                _ => call.header(name, &format!("{forged}, [::ffff:{client}]:{port}")),
            }
        })
        .await
        .passed
        .len();
    // Past the proxy it is the same client, and the same count.
    passed += book.fire(client, 5, |_| operation()).await.passed.len();
    book.enter(
        "passed of one client behind trusted proxies",
        book.quota,
        since,
        passed,
    );

    let since = Instant::now();
    let volley = book
        .fire(outer, book.quota + 2, |_| {
            operation().header("x-forwarded-for", &neighbour.to_string())
        })
        .await;
    book.enter(
        "passed of another client behind the same proxy",
        book.quota,
        since,
        volley.passed.len(),
    );
}

/// What is no address names nobody: the client is who the last proxy was called by, and that is not
/// told, so that it is the proxy.
async fn unreadable(book: &mut Book<'_>, many: usize) {
    let proxy = book.proxy();
    let since = Instant::now();
    let volley = book
        .fire(proxy, many, |number| {
            let value = match number % 6 {
                0 => format!("_hidden{number}"),
                1 => "unknown".to_owned(),
                2 => format!("{}, 10.0.0.{number}.1", somebody(number)),
                3 => format!("{}, caller{number}.example", somebody(number)),
                4 => format!("{}, \"", somebody(number)),
                _ => format!("{}, ", somebody(number)),
            };
            operation().header("x-forwarded-for", &value)
        })
        .await;
    book.enter(
        "passed with unreadable names from one proxy",
        book.quota,
        since,
        volley.passed.len(),
    );
}

/// One IPv6 customer holds 2^64 addresses and uses each once.
async fn rotating(book: &mut Book<'_>, many: usize) {
    let proxy = book.proxy();
    let network = u128::from(book.client().to_bits());
    // 2001:db8:A:B::/64, and the one beside it, with A and B from an address that is used once.
    let network = (0x2001_0db8_u128 << 96) | (network << 65);
    let host = |beside: u128, number: usize| {
        let host = (number as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15) & u128::from(u64::MAX);
        Ipv6Addr::from_bits(network | (beside << 64) | host)
    };
    let call = |address: Ipv6Addr, number: usize| {
        let value = match number % 2 {
            0 => address.to_string(),
            _ => format!("[{address}]:{}", 1024 + number),
        };
        operation().header("x-forwarded-for", &value)
    };
    let since = Instant::now();
    let volley = book
        .fire(proxy, many, |number| call(host(0, number), number))
        .await;
    book.enter(
        "passed of one IPv6 /64 with a new address each time",
        book.quota,
        since,
        volley.passed.len(),
    );
    let since = Instant::now();
    let volley = book
        .fire(proxy, book.quota + 2, |number| {
            call(host(1, number), number)
        })
        .await;
    book.enter(
        "passed of the /64 beside it",
        book.quota,
        since,
        volley.passed.len(),
    );
}

/// A new address for each number.
fn somebody(number: usize) -> IpAddr {
    let number = u32::try_from(number % 60_000).expect("below 60,000");
    if number % 3 == 0 {
        IpAddr::V6(Ipv6Addr::from_bits(
            (0x2001_0db8_u128 << 96) | (u128::from(number) << 64) | 1,
        ))
    } else {
        IpAddr::V4(Ipv4Addr::from_bits(0xc633_6400 + number))
    }
}

fn bracketed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
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
    fn somebody_is_always_somebody_else() {
        let all: HashSet<IpAddr> = (0..1000).map(somebody).collect();
        assert_eq!(all.len(), 1000);
        assert!(all.iter().all(|address| !address.is_loopback()));
    }
}
