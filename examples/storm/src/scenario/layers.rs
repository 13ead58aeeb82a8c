//! The four layers of limits: each refuses on its own, and what one refuses costs the others nothing.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::volley::{Battery, Limit, Volley, within};
use super::{Field, Scenario};
use crate::client::Call;
use crate::figures::{Check, Figures, Strike, Tally};
use crate::service::Trouble;

#[derive(Debug, Default)]
pub(super) struct Layers {
    /// Users have quotas of an hour, so that each strike needs users of its own.
    strikes: AtomicUsize,
}

impl Scenario for Layers {
    fn name(&self) -> &'static str {
        "layers"
    }

    fn claim(&self) -> &'static str {
        "the limits by address, endpoint, user and project each refuse on their own, a refusal costs \
         no other limit anything, and the headers speak for the limit that binds"
    }

    fn sends(&self) -> &'static str {
        "more than each limit allows, one limit after the other and from several addresses: emails of \
         one user, expensive operations, builds of one project beside a limit by address that is \
         decided with it, and all of /api; then what the others should still have"
    }

    fn strike<'a>(&'a self, field: &'a Field<'a>) -> BoxFuture<'a, Result<Strike, Trouble>> {
        strike(field, self.strikes.fetch_add(1, Relaxed)).boxed()
    }
}

/// Strikes a run has users for: one at the bare service, two at the hardened one, and one to spare.
const STRIKES: usize = 4;
const USERS_A_STRIKE: usize = 3;
const CONNECTIONS: usize = 8;

/// Tokens and users that nobody but this scenario knows.
pub(crate) fn users() -> impl Iterator<Item = (String, String)> {
    (0..STRIKES * USERS_A_STRIKE).map(|user| (token(user), format!("layer-{user}")))
}

fn token(user: usize) -> String {
    format!("layer-{user}-token")
}

async fn strike(field: &Field<'_>, number: usize) -> Result<Strike, Trouble> {
    if number >= STRIKES {
        return Err(Trouble::new("the users of layers are used up"));
    }
    let first = number * USERS_A_STRIKE;
    let [user, other, third] = [first, first + 1, first + 2].map(token);
    let audit = field.audit();
    let battery = Battery {
        field,
        audit: &audit,
        connections: CONNECTIONS,
    };
    let mut book = Book {
        field,
        since: Instant::now(),
        sent: 0,
        carried_out: 0,
        checks: Vec::new(),
        misled: Tally::default(),
    };
    by_user(&battery, &mut book, &user, &other).await;
    by_endpoint(&battery, &mut book).await;
    by_project(&battery, &mut book).await;
    by_address(&battery, &mut book, &third).await;

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
    Ok(Strike {
        requests: audit.requests(),
        headline: format!("{carried_out} of {sent} carried out"),
        figures,
        checks,
        controls: vec![Check::new(
            "control: requests beyond some limit that the bare service carries out",
            format!("all {sent}"),
            carried_out.to_string(),
            carried_out == sent,
        )],
        specimens: Vec::new(),
    })
}

/// What has been sent and seen so far.
struct Book<'a> {
    field: &'a Field<'a>,
    since: Instant,
    sent: usize,
    carried_out: usize,
    checks: Vec<Check>,
    misled: Tally,
}

impl Book<'_> {
    /// Writes down a volley of which so many should have passed, plus what came back meanwhile.
    fn enter(&mut self, what: &str, limit: Limit, allowed: usize, volley: &Volley) {
        let quota = limit.quota(&self.field.config.limits);
        let passed = volley.passed.len();
        let check = within(what, allowed, &quota, self.since.elapsed(), passed);
        self.checks.push(check);
        self.add(volley);
    }

    fn add(&mut self, volley: &Volley) {
        self.sent += volley.passed.len() + volley.refused;
        self.carried_out += volley.passed.len();
        self.misled.add(&volley.misled);
    }

    fn start(&mut self, what: &str, requests: usize) {
        self.since = Instant::now();
        self.field
            .progress
            .doing(format!("{} {what}", self.field.service.side.name()));
        self.field.progress.expect(requests);
    }

    fn burst(&self, limit: Limit) -> usize {
        limit.burst(&self.field.config.limits)
    }
}

async fn by_user(battery: &Battery<'_>, book: &mut Book<'_>, user: &str, other: &str) {
    let quota = book.burst(Limit::Email);
    book.start("user", 4 * quota + 5);
    let [here, there] = addresses(battery.field);
    let send = |from, total, token: &str| {
        let call = email(token);
        battery.fire(from, total, Limit::Email, move |_| call.clone())
    };
    let volley = send(here, 2 * quota, user).await;
    book.enter("emails of one user", Limit::Email, quota, &volley);
    let volley = send(there, 5, user).await;
    book.enter(
        "emails of that user from elsewhere",
        Limit::Email,
        0,
        &volley,
    );
    let volley = send(here, 2 * quota, other).await;
    book.enter(
        "emails of another user from there",
        Limit::Email,
        quota,
        &volley,
    );
}

async fn by_endpoint(battery: &Battery<'_>, book: &mut Book<'_>) {
    let quota = book.burst(Limit::Expensive);
    let others = 20;
    book.start("endpoint", 2 * quota + others);
    let [from] = addresses(battery.field);
    let volley = battery
        .fire(from, 2 * quota, Limit::Expensive, |_| expensive())
        .await;
    book.enter(
        "expensive operations of one address",
        Limit::Expensive,
        quota,
        &volley,
    );
    let volley = battery.fire(from, others, Limit::Address, |_| user()).await;
    book.enter(
        "other requests of that address",
        Limit::Address,
        others,
        &volley,
    );
}

/// The limits by project and by address are one decision, so that a refusal by either must not be
/// charged to the other: the last volley passes whole only if none was.
async fn by_project(battery: &Battery<'_>, book: &mut Book<'_>) {
    let project = book.burst(Limit::Builds);
    let address = book.burst(Limit::BuildsByAddress);
    let left_here = address - project;
    let left_there = address - (project - left_here);
    book.start("project", 10 * project);
    let [here, there] = addresses(battery.field);
    let [first, second, third] = addresses(battery.field).map(project_of);
    let build = |from, total, binding, project: &str| {
        let call = build(project);
        battery.fire(from, total, binding, move |_| call.clone())
    };

    let volley = build(here, 5 * project, Limit::Builds, &first).await;
    book.enter("builds of one project", Limit::Builds, project, &volley);
    let volley = build(there, 10, Limit::Builds, &first).await;
    book.enter(
        "builds of that project from elsewhere",
        Limit::Builds,
        0,
        &volley,
    );
    let volley = build(here, 2 * project, Limit::BuildsByAddress, &second).await;
    book.enter(
        "builds of a second project, up to the limit by address",
        Limit::BuildsByAddress,
        left_here,
        &volley,
    );
    let volley = build(there, project, Limit::Builds, &second).await;
    book.enter(
        "builds of that second project from elsewhere: what the limit by address refused was not charged",
        Limit::Builds,
        project - left_here,
        &volley,
    );
    // Up to the last one: after it, both limits are used up, and either may bind.
    let total = left_there.min(project) - 1;
    let volley = build(there, total, Limit::BuildsByAddress, &third).await;
    book.enter(
        "builds of a third project from there: what the limit by project refused was not charged",
        Limit::Builds,
        total,
        &volley,
    );
}

async fn by_address(battery: &Battery<'_>, book: &mut Book<'_>, token: &str) {
    let quota = book.burst(Limit::Address);
    let mix = 60;
    book.start("address", quota + quota / 10 + mix + 40);
    let [here, there] = addresses(battery.field);
    let [project] = addresses(battery.field).map(project_of);
    let calls = [expensive(), email(token), build(&project)];

    let mut volley = battery
        .fire(here, quota + quota / 10, Limit::Address, |_| user())
        .await;
    let mixed = battery
        .fire(here, mix, Limit::Address, |number| {
            calls[number % calls.len()].clone()
        })
        .await;
    let passed_of = |kind: usize| {
        let of_kind = |number: &&usize| **number % calls.len() == kind;
        mixed.passed.iter().filter(of_kind).count()
    };
    volley.passed.extend(&mixed.passed);
    volley.refused += mixed.refused;
    volley.misled.add(&mixed.misled);
    book.enter(
        "requests of one address, whatever they ask for",
        Limit::Address,
        quota,
        &volley,
    );

    // One or the other of the mix may have passed, as capacity came back, and was charged then.
    let emails = book.burst(Limit::Email).saturating_sub(passed_of(1));
    let [_, email, build] = &calls;
    let volley = battery
        .fire(there, emails + 5, Limit::Email, |_| email.clone())
        .await;
    book.enter(
        "emails of the user whose address was refused, from elsewhere",
        Limit::Email,
        emails,
        &volley,
    );
    let builds = book.burst(Limit::Builds).saturating_sub(passed_of(2));
    let volley = battery
        .fire(there, builds + 5, Limit::Builds, |_| build.clone())
        .await;
    book.enter(
        "builds of the project whose address was refused, from elsewhere",
        Limit::Builds,
        builds,
        &volley,
    );
}

fn addresses<const N: usize>(field: &Field<'_>) -> [Ipv4Addr; N] {
    std::array::from_fn(|_| field.addresses.take())
}

/// A project that nobody else builds.
fn project_of(address: Ipv4Addr) -> String {
    format!("layers-{:x}", address.to_bits())
}

fn user() -> Call {
    Call::get("/api/users/1")
}

fn expensive() -> Call {
    Call::post("/api/expensive-operation")
}

fn email(token: &str) -> Call {
    Call::post("/api/send-email")
        .header("authorization", &format!("Bearer {token}"))
        .json(r#"{"to":"ann@example.com","subject":"Layers","body":"One of many."}"#)
}

fn build(project: &str) -> Call {
    Call::post(format!("/api/projects/{project}/builds")).json("{}")
}
