//! Many requests at a limited route, and whether the headers of the answers speak for the policy that
//! they should.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use futures::future::join_all;
use parking_lot::Mutex;
use seawall_ratelimit::Quota;
use shop::config::Limits;

use super::Field;
use crate::answer::Answer;
use crate::audit::{Audit, Speaker};
use crate::client::{Call, Client};
use crate::figures::{Check, Tally};

/// The limits of the shop, each by the name that its headers give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// All of `/api`.
    Address,
    Expensive,
    Email,
    Builds,
    BuildsByAddress,
}

impl Limit {
    const fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Expensive => "expensive",
            Self::Email => "email",
            Self::Builds => "builds",
            Self::BuildsByAddress => "builds-address",
        }
    }

    /// # Panics
    ///
    /// For a limit that the shop was not told to have.
    pub(super) fn quota(self, limits: &Limits) -> Quota {
        match self {
            Self::Address => limits.api.quota(),
            Self::Expensive => limits.expensive_operation.quota(),
            Self::Email => limits.send_email.quota(),
            Self::Builds => limits.builds.quota(),
            Self::BuildsByAddress => {
                let quota = limits.builds_by_address.as_ref();
                quota
                    .expect("storm's configuration limits builds by address")
                    .quota()
            }
        }
    }

    /// How many it lets pass at once.
    pub(super) fn burst(self, limits: &Limits) -> usize {
        self.quota(limits).burst() as usize
    }
}

/// Sends volleys at one service.
#[derive(Clone, Copy)]
pub(super) struct Battery<'a> {
    pub(super) field: &'a Field<'a>,
    pub(super) audit: &'a Audit,
    /// How many connections fire at once.
    pub(super) connections: usize,
}

/// What came of a volley.
#[derive(Debug, Default)]
pub(super) struct Volley {
    /// The numbers of the requests that were carried out.
    pub(super) passed: Vec<usize>,
    pub(super) refused: usize,
    /// Answers whose headers do not speak for the limit that binds.
    pub(super) misled: Tally,
}

impl Battery<'_> {
    /// Sends as many requests from one address, each made from its number, where `binding` is the
    /// limit that binds each answer.
    pub(super) async fn fire(
        &self,
        from: Ipv4Addr,
        total: usize,
        binding: Limit,
        call: impl Fn(usize) -> Call,
    ) -> Volley {
        let quota = binding.quota(&self.field.config.limits);
        let volley = Mutex::new(Volley::default());
        let next = AtomicUsize::new(0);
        let connection = async || {
            let mut client = Client::new(from, self.field.service.api);
            loop {
                let number = next.fetch_add(1, Relaxed);
                if number >= total {
                    return;
                }
                let call = call(number);
                let result = client.send(&call).await;
                self.audit.note(&call.label(), Speaker::Service, &result);
                if let Ok(answer) = &result {
                    volley
                        .lock()
                        .count(number, &call, answer, binding.name(), &quota);
                }
                self.field.progress.step();
            }
        };
        join_all((0..self.connections.min(total)).map(|_| connection())).await;
        volley.into_inner()
    }
}

impl Volley {
    fn count(&mut self, number: usize, call: &Call, answer: &Answer, name: &str, quota: &Quota) {
        match answer.status {
            200..300 => self.passed.push(number),
            429 => self.refused += 1,
            _ => {}
        }
        if let Some(fault) = misleading(answer, name, quota) {
            self.misled
                .note(|| format!("{}: {} ({fault})", call.label(), answer.status));
        }
    }
}

/// What headers that ought to speak for a limit say instead.
fn misleading(answer: &Answer, name: &str, quota: &Quota) -> Option<String> {
    let number = |header: &str| answer.header(header)?.parse::<u64>().ok();
    let limit = answer.header("ratelimit").unwrap_or("none");
    if !limit.starts_with(&format!("\"{name}\";")) {
        return Some(format!("ratelimit is {limit}, where {name} binds"));
    }
    let item = format!("\"{name}\";q={};", quota.limit());
    let policies = answer.header("ratelimit-policy").unwrap_or("none");
    if !policies.contains(&item) {
        return Some(format!("ratelimit-policy is {policies}, without {name}"));
    }
    if number("x-ratelimit-limit") != Some(u64::from(quota.burst())) {
        return Some(format!("x-ratelimit-limit is not that of {name}"));
    }
    let Some(remaining) = number("x-ratelimit-remaining") else {
        return Some("no x-ratelimit-remaining".to_owned());
    };
    if !limit.contains(&format!(";r={remaining}")) {
        return Some(format!(
            "ratelimit is {limit}, x-ratelimit-remaining is {remaining}"
        ));
    }
    if number("x-ratelimit-reset").is_none() {
        return Some("no x-ratelimit-reset".to_owned());
    }
    let due = quota.interval().as_micros().div_ceil(1_000_000);
    match (answer.status, number("retry-after")) {
        (429, _) if remaining > 0 => Some(format!("refused with {remaining} remaining")),
        (429, Some(wait)) if u128::from(wait) > due => Some(format!(
            "retry-after is {wait}, where one is due every {due} s"
        )),
        (200..300, Some(_)) => Some("retry-after on an answer that is no refusal".to_owned()),
        _ => None,
    }
}

/// Checks a count against the bound of every limiter that refills evenly: what the burst allows, and
/// one more for each interval that has passed.
pub(crate) fn within(
    what: &str,
    allowed: usize,
    quota: &Quota,
    elapsed: Duration,
    got: usize,
) -> Check {
    let refilled = elapsed.as_micros() / quota.interval().as_micros().max(1);
    let most = allowed.saturating_add(usize::try_from(refilled).unwrap_or(usize::MAX));
    let expected = if most == allowed {
        allowed.to_string()
    } else {
        format!(
            "{allowed} to {most} ({refilled} came back in {} ms)",
            elapsed.as_millis()
        )
    };
    let ok = (allowed..=most).contains(&got);
    Check::new(what, expected, got.to_string(), ok)
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &str)]) -> Answer {
        let map: HeaderMap = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        Answer::new(status, &map, "".into(), Duration::ZERO)
    }

    #[track_caller]
    fn fault(status: u16, change: (&'static str, &str), expected: Option<&str>) {
        let mut headers = vec![
            ("ratelimit", "\"builds\";r=0;t=180"),
            (
                "ratelimit-policy",
                "\"address\";q=1000;w=60, \"builds\";q=20;w=3600",
            ),
            ("x-ratelimit-limit", "20"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1800000000"),
        ];
        if status == 429 {
            headers.push(("retry-after", "180"));
        }
        headers.retain(|(name, _)| *name != change.0);
        if !change.1.is_empty() {
            headers.push(change);
        }
        let quota = "20/hour".parse().unwrap();
        let found = misleading(&answer(status, &headers), "builds", &quota);
        match expected {
            Some(part) => assert!(
                found.as_deref().is_some_and(|f| f.contains(part)),
                "{found:?}"
            ),
            None => assert_eq!(found, None),
        }
    }

    #[test]
    fn headers_that_speak_for_another_limit_are_seen() {
        fault(201, ("x-nothing", "changed"), None);
        fault(429, ("x-nothing", "changed"), None);
        fault(
            201,
            ("ratelimit", "\"address\";r=990;t=1"),
            Some("where builds binds"),
        );
        fault(
            201,
            ("ratelimit", "\"builds-address\";r=0"),
            Some("where builds binds"),
        );
        fault(
            201,
            ("ratelimit", "\"builds\";r=7;t=1"),
            Some("remaining is 0"),
        );
        fault(
            201,
            ("ratelimit-policy", "\"address\";q=20;w=60"),
            Some("without builds"),
        );
        fault(
            201,
            ("x-ratelimit-limit", "1000"),
            Some("x-ratelimit-limit"),
        );
        fault(
            201,
            ("x-ratelimit-remaining", ""),
            Some("no x-ratelimit-remaining"),
        );
        fault(201, ("x-ratelimit-reset", ""), Some("no x-ratelimit-reset"));
        fault(429, ("retry-after", "181"), Some("every 180 s"));
        fault(201, ("retry-after", "180"), Some("no refusal"));
    }

    #[test]
    fn the_bound_is_what_was_left_and_what_came_back() {
        let ok = |got, seconds| {
            let quota = "10/minute".parse().unwrap();
            within("passed", 4, &quota, Duration::from_secs(seconds), got).ok
        };
        assert!(!ok(3, 60));
        assert!(ok(4, 5));
        assert!(!ok(5, 5));
        assert!(ok(5, 6));
    }
}
