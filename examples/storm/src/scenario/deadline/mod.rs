//! Callers say how long they will wait, and the service has another service to ask.

mod index;

use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use http::HeaderMap;
use serde_json::json;
use tokio::time;

use super::{Field, Scenario};
use crate::answer::Answer;
use crate::audit::{Audit, Speaker};
use crate::client::{Call, Client, PROXIES, Unanswered};
use crate::figures::{Check, Figures, Strike, Tally};
use crate::service::{Service, Side, Trouble};
use index::Index;

pub(super) struct Deadline;

impl Scenario for Deadline {
    fn name(&self) -> &'static str {
        "deadline"
    }

    fn claim(&self) -> &'static str {
        "a caller inside gets its answer before it gives up, and whoever is asked in turn is told how \
         much of that is left"
    }

    fn sends(&self) -> &'static str {
        "searches with a budget of the caller's, in each of its two headers, from inside and from \
         strangers, to a shop of its own that has to ask another service"
    }

    fn strike<'a>(&'a self, field: &'a Field<'a>) -> BoxFuture<'a, Result<Strike, Trouble>> {
        strike(field).boxed()
    }
}

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caller {
    Inside,
    Stranger,
}

type Lines = &'static [(&'static str, &'static str)];

const MILLIS: &str = "x-request-timeout-ms";
const GRPC: &str = "grpc-timeout";

/// What callers of a service that hangs say, all of which comes to this budget.
const HANGING: [Lines; 3] = [
    &[(MILLIS, "300")],
    &[(GRPC, "300m")],
    &[(GRPC, "2S"), (MILLIS, "300")],
];
const BUDGET: Duration = Duration::from_millis(300);

/// How much later than it could an answer may come, or an asking go out: for busy machines.
const LEEWAY: Duration = Duration::from_millis(750);

/// The limit of a search, and what the shop keeps of it to answer in.
const SEARCH_MS: u64 = 5000;
const RESERVE_MS: u64 = 20;

/// What is said, by whom, and how many milliseconds the next service is to be given at most.
const PASSED: [(&str, Caller, Lines, u64); 7] = [
    ("nothing", Caller::Inside, &[], SEARCH_MS),
    ("milliseconds", Caller::Inside, &[(MILLIS, "3000")], 3000),
    ("gRPC's grammar", Caller::Inside, &[(GRPC, "3S")], 3000),
    (
        "two budgets",
        Caller::Inside,
        &[(MILLIS, "4000"), (MILLIS, "2000")],
        2000,
    ),
    (
        "more than there is",
        Caller::Inside,
        &[(MILLIS, "60000")],
        SEARCH_MS,
    ),
    ("nonsense", Caller::Inside, &[(GRPC, "soon")], SEARCH_MS),
    (
        "a stranger's budget",
        Caller::Stranger,
        &[(MILLIS, "1000")],
        SEARCH_MS,
    ),
];

async fn strike(field: &Field<'_>) -> Result<Strike, Trouble> {
    let index = Index::start().await?;
    let settings = format!(
        "trusted_proxies = [\"{PROXIES}\"]\nindex_at = \"{}\"\n",
        index.address
    );
    let shop = field
        .private(field.service.side, &settings, &field.store.apart())
        .await?;
    let strike = at(field, &shop.service, &index).await;
    shop.stop().await;
    Ok(strike)
}

async fn at(field: &Field<'_>, service: &Service, index: &Index) -> Strike {
    let audit = field.audit();
    field.progress.expect(HANGING.len() + PASSED.len() + 2);
    let asking = Asking {
        field,
        service,
        audit: &audit,
    };
    let mut checks = Vec::new();
    let mut figures = Figures::default();

    let (in_time, late) = asking.hanging().await;
    // Hanging up takes a moment to arrive.
    let held = time::timeout(LEEWAY, let_go(index)).await.is_err();
    let held = if held { index.held() } else { 0 };
    index.asked();
    figures.add("hanging_searches", HANGING.len());
    figures.add("answered_within_the_budget", in_time);
    checks.push(Check::none(
        "hanging searches not told 504 \"Request timed out after 0.3s\" within the caller's budget",
        &late,
    ));
    checks.push(Check::new(
        "calls of the next service that go on for nobody",
        "0",
        held.to_string(),
        held == 0,
    ));

    let (passed, wrong) = asking.passed(index).await;
    let told: Vec<_> = passed.iter().flatten().collect();
    figures.add("searches", PASSED.len());
    figures.add("budgets_passed_on_in_ms", json!(told));
    checks.push(Check::none(
        "budgets not passed on, or not smaller than what the caller gave",
        &wrong,
    ));

    checks.push(asking.nothing_left(index).await);
    checks.push(asking.on_behalf(index).await);
    audit.figures(&mut figures);
    checks.extend(audit.checks());

    let controls = match service.side {
        Side::Hardened => Vec::new(),
        Side::Bare => vec![Check::new(
            "control: budgets that the bare service keeps, and passes on",
            "0, 0",
            format!("{in_time}, {}", told.len()),
            in_time == 0 && told.is_empty(),
        )],
    };
    Strike {
        requests: audit.requests(),
        headline: format!(
            "{in_time} of {} budgets kept, {} of {} passed on",
            HANGING.len(),
            told.len(),
            PASSED.len()
        ),
        figures,
        checks,
        controls,
        ..Strike::default()
    }
}

struct Asking<'a> {
    field: &'a Field<'a>,
    service: &'a Service,
    audit: &'a Audit,
}

impl Asking<'_> {
    async fn ask(&self, caller: Caller, call: &Call) -> Result<Answer, Unanswered> {
        let patience = BUDGET + 2 * LEEWAY;
        let mut client = Client::new(self.address(caller), self.service.api).patience(patience);
        let result = client.send(call).await;
        self.audit.note(&call.label(), Speaker::Service, &result);
        self.field.progress.step();
        result
    }

    fn address(&self, caller: Caller) -> Ipv4Addr {
        match caller {
            Caller::Inside => self.field.addresses.take_proxy(),
            Caller::Stranger => self.field.addresses.take(),
        }
    }

    /// How many callers were answered as they asked, and how the others fared.
    async fn hanging(&self) -> (usize, Tally) {
        let asked = join_all(HANGING.map(|lines| async move {
            let start = Instant::now();
            let result = self.ask(Caller::Inside, &search("hang", lines)).await;
            (lines, start.elapsed(), result)
        }))
        .await;
        let (mut in_time, mut wrong) = (0, Tally::default());
        for (lines, elapsed, result) in asked {
            let said = match &result {
                Ok(answer) => format!("{} {:?}", answer.status, answer.message()),
                Err(unanswered) => unanswered.name().to_owned(),
            };
            let right = said == "504 Some(\"Request timed out after 0.3s\")"
                && (BUDGET..BUDGET + LEEWAY).contains(&elapsed);
            if right {
                in_time += 1;
            } else {
                wrong.note(|| format!("{lines:?}: {said} after {} ms", elapsed.as_millis()));
            }
        }
        (in_time, wrong)
    }

    /// What the next service was given, one a case, and which cases went wrong.
    async fn passed(&self, index: &Index) -> (Vec<Option<u64>>, Tally) {
        let mut passed = Vec::new();
        let mut wrong = Tally::default();
        for (what, caller, lines, at_most) in PASSED {
            let result = self.ask(caller, &search("sea", lines)).await;
            let served = result.is_ok_and(|answer| answer.status == 200);
            let asked = index.asked();
            let told = budget(&asked);
            passed.push(told);
            if !(served && told.is_some_and(|told| left(at_most).contains(&told))) {
                wrong.note(|| format!("{what}: {told:?}"));
            }
        }
        (passed, wrong)
    }

    /// Who has no time left is refused before anybody is asked.
    async fn nothing_left(&self, index: &Index) -> Check {
        let result = self
            .ask(Caller::Inside, &search("sea", &[(MILLIS, "0")]))
            .await;
        let status = result.map_or(0, |answer| answer.status);
        let asked = index.asked().len();
        Check::new(
            "a search with no time left",
            "504, and nobody is asked",
            format!("{status}, {asked} asked"),
            (status, asked) == (504, 0),
        )
    }

    /// The next service logs the same id, in the same trace.
    async fn on_behalf(&self, index: &Index) -> Check {
        let call = search("sea", &[("traceparent", PARENT)]);
        let result = self.ask(Caller::Inside, &call).await;
        let id = result
            .ok()
            .and_then(|answer| answer.header("x-request-id").map(str::to_owned));
        let asked = index.asked();
        let header = |name: &str| Some(asked.first()?.get(name)?.to_str().ok()?.to_owned());
        let (told, parent) = (header("x-request-id"), header("traceparent"));
        let same_trace = parent
            .as_deref()
            .is_some_and(|parent| parent[..36] == PARENT[..36] && parent != PARENT);
        Check::new(
            "request id and trace of the call that follows",
            "those of the request, and a parent of its own",
            format!("{told:?}, {parent:?}"),
            id.is_some() && id == told && same_trace,
        )
    }
}

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn search(query: &str, lines: Lines) -> Call {
    let call = Call::get(format!("/api/search?q={query}"));
    lines
        .iter()
        .fold(call, |call, (name, value)| call.header(name, value))
}

/// What a caller's budget may have become by the time the next service is asked: less by the reserve in
/// any case.
fn left(budget: u64) -> RangeInclusive<u64> {
    let most = budget - RESERVE_MS;
    let busy = u64::try_from(LEEWAY.as_millis()).expect("the leeway is short");
    most.saturating_sub(busy)..=most
}

/// The budget that came with the one request, in the one header that says so.
fn budget(asked: &[HeaderMap]) -> Option<u64> {
    let [headers] = asked else { return None };
    let mut lines = headers.get_all(MILLIS).iter();
    match (lines.next(), lines.next(), headers.get(GRPC)) {
        (Some(line), None, None) => line.to_str().ok()?.parse().ok(),
        _ => None,
    }
}

async fn let_go(index: &Index) {
    while index.held() > 0 {
        time::sleep(Duration::from_millis(10)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(lines: &[(&'static str, &'static str)]) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        budget(&[headers])
    }

    #[test]
    fn a_budget_is_one_line_of_one_request() {
        assert_eq!(told(&[(MILLIS, "250")]), Some(250));
        assert_eq!(told(&[(MILLIS, "250"), (MILLIS, "250")]), None);
        assert_eq!(told(&[(MILLIS, "250"), (GRPC, "250m")]), None);
        assert_eq!(told(&[]), None);
        assert_eq!(budget(&[]), None);
    }

    #[test]
    fn a_budget_that_was_not_reduced_is_noticed() {
        assert!(!left(3000).contains(&3000));
        assert!(left(3000).contains(&2979));
        assert!(!left(SEARCH_MS).contains(&3000));
    }
}
