//! The shared store goes away in the middle of things, and comes back.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use shop::config::Config;
use tokio::time;

use super::forgery::message::{Message, SIGNED, Stamp};
use super::volley::{Limit, within};
use super::{Field, Scenario};
use crate::answer::Answer;
use crate::audit::{Audit, Speaker};
use crate::client::raw::exchange;
use crate::client::{Call, Client};
use crate::figures::{Check, Figures, Strike, Tally};
use crate::service::{Service, Side, Trouble};
use crate::store::{Needs, Proxy, Way};

pub(super) struct StoreOutage;

impl Scenario for StoreOutage {
    fn name(&self) -> &'static str {
        "store-outage"
    }

    fn claim(&self) -> &'static str {
        "without its store each limit does what it says, no replay is believed, and all comes back by \
         itself"
    }

    fn sends(&self) -> &'static str {
        "requests under limits that fail open, fail closed and count locally, and signed messages, to a \
         shop of its own whose way to the store is cut, then stalled, and whose store is then killed \
         and started again (if it is storm's own); the bare column is a shop whose limits all fail \
         closed"
    }

    fn needs(&self) -> Needs {
        Needs::Server
    }

    fn strike<'a>(&'a self, field: &'a Field<'a>) -> BoxFuture<'a, Result<Strike, Trouble>> {
        strike(field).boxed()
    }
}

/// How long the shop waits for its store: the price of each decision while it hangs.
const PATIENCE: Duration = Duration::from_millis(250);

/// How soon everything has to be as before. Many times what the settings come to.
const SOON: Duration = Duration::from_secs(5);

/// Requests of each kind during an outage.
const OPEN: usize = 20;
const CLOSED: usize = 5;
const EMAILS: usize = 6;
const MESSAGES: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Cut,
    Stall,
    Kill,
}

impl Fault {
    const fn name(self) -> &'static str {
        match self {
            Self::Cut => "cut off",
            Self::Stall => "stalled",
            Self::Kill => "killed",
        }
    }
}

fn settings(side: Side) -> String {
    let rules = match side {
        Side::Hardened => {
            "api = \"fail_open\"\nexpensive_operation = \"fail_open\"\nbuilds = \"fail_closed\"\n\
             send_email = { local = { replicas = 2 } }\n"
        }
        Side::Bare => {
            "api = \"fail_closed\"\nexpensive_operation = \"fail_closed\"\n\
             builds = \"fail_closed\"\nsend_email = \"fail_closed\"\n"
        }
    };
    format!(
        "[health]\nevery = \"50ms\"\ntimeout = \"1s\"\nfail_after = 2\n\
         [limits.on_store_error]\n{rules}\
         [tokens]\noutage-0 = \"outage-0\"\noutage-1 = \"outage-1\"\noutage-2 = \"outage-2\"\n"
    )
}

async fn strike(field: &Field<'_>) -> Result<Strike, Trouble> {
    let Some(proxy) = field.store.proxy().await? else {
        return Err(Trouble::new("store-outage without a server to cut off"));
    };
    let place = field.store.apart().through(&proxy).patience(PATIENCE);
    let settings = settings(field.service.side);
    let shop = field.private(Side::Hardened, &settings, &place).await?;
    let strike = at(field, &shop.service, &proxy).await;
    shop.stop().await;
    strike
}

async fn at(field: &Field<'_>, service: &Service, proxy: &Proxy) -> Result<Strike, Trouble> {
    let audit = field.audit();
    let mut run = Run {
        field,
        audit: &audit,
        to: service.api,
        checks: Vec::new(),
        figures: Figures::default(),
        refused_open: Tally::default(),
    };
    let mut faults = vec![Fault::Cut, Fault::Stall];
    if field.store.is_ours() {
        faults.push(Fault::Kill);
    }
    let before = run
        .becomes("a signed message before any outage", 200, || run.message())
        .await;
    before.note(&mut run.checks);
    for (number, fault) in faults.iter().copied().enumerate() {
        field
            .progress
            .doing(format!("the store is {}", fault.name()));
        // Known to the store before it goes away.
        let known = run.message();
        let accepted = run.post(&known).await;
        match fault {
            Fault::Cut => proxy.set(Way::Cut),
            Fault::Stall => proxy.set(Way::Stalled),
            Fault::Kill => field.store.kill().await?,
        }
        run.during(fault, number, &known).await;
        match fault {
            Fault::Cut | Fault::Stall => proxy.set(Way::Open),
            Fault::Kill => field.store.restart().await?,
        }
        run.after(fault, &known, accepted.as_ref()).await;
    }

    let Run {
        mut checks,
        mut figures,
        refused_open,
        ..
    } = run;
    checks.push(Check::none(
        "requests under limits that fail open without a 200",
        &refused_open,
    ));
    checks.push(audit.all_answered());
    checks.extend(audit.checks());
    audit.figures(&mut figures);
    let asked = OPEN * faults.len();
    let refused = usize::try_from(refused_open.count).unwrap_or(usize::MAX);
    figures.add("requests_during_outages", asked);
    figures.add("requests_during_outages_refused", refused);
    Ok(Strike {
        requests: audit.requests(),
        headline: format!("{} of {asked} served without the store", asked - refused),
        figures,
        checks,
        controls: vec![Check::new(
            "control: requests refused without the store where every limit fails closed",
            format!("all {asked}"),
            refused.to_string(),
            refused == asked,
        )],
        specimens: Vec::new(),
    })
}

struct Run<'a> {
    field: &'a Field<'a>,
    audit: &'a Audit,
    to: SocketAddr,
    checks: Vec<Check>,
    figures: Figures,
    refused_open: Tally,
}

/// Whether and when something became as it should be.
struct Became {
    what: String,
    status: u16,
    got: String,
    after: Option<Duration>,
}

impl Became {
    fn note(self, checks: &mut Vec<Check>) -> Option<Duration> {
        let expected = format!("{} within {} s", self.status, SOON.as_secs());
        checks.push(Check::new(
            self.what,
            expected,
            self.got,
            self.after.is_some(),
        ));
        self.after
    }
}

impl Run<'_> {
    fn message(&self) -> Message {
        let nonce = format!("storm-{:026x}", u32::from(self.field.addresses.take()));
        let secret = self.field.config.webhook_secret.expose();
        Message::new(SIGNED, "{}").native(secret, &Stamp::now(nonce))
    }

    /// Each message comes from an address of its own.
    async fn post(&self, message: &Message) -> Option<Answer> {
        let from = self.field.addresses.take();
        let patience = Duration::from_secs(10);
        let exchanged = exchange(from, self.to, &message.pieces(), patience).await;
        self.audit
            .note("a signed message", Speaker::Service, &exchanged.answer);
        exchanged.answer.ok()
    }

    async fn ask(&self, call: &Call) -> Option<Answer> {
        let mut client = Client::new(self.field.addresses.take(), self.to);
        let result = client.send(call).await;
        self.audit.note(&call.label(), Speaker::Service, &result);
        result.ok()
    }

    /// While the store is away.
    async fn during(&mut self, fault: Fault, number: usize, known: &Message) {
        let name = fault.name();
        let user = Call::get("/api/users/1");
        for answer in join_all((0..OPEN).map(|_| self.ask(&user))).await {
            let status = status(answer.as_ref());
            if status != 200 {
                self.refused_open.note(|| format!("{name}: {status}"));
            }
        }

        let build = Call::post(format!("/api/projects/outage-{number}/builds")).json("{}");
        let closed = join_all((0..CLOSED).map(|_| self.ask(&build))).await;
        self.all_are(
            format!("{name}: answers under a limit that fails closed"),
            503,
            &closed,
        );

        let email = Call::post("/api/send-email")
            .header("authorization", &format!("Bearer outage-{number}"))
            .json(r#"{"to":"a@example.com","subject":"s","body":"b"}"#);
        let mut sent = 0;
        let mut other = Tally::default();
        for _ in 0..EMAILS {
            match status(self.ask(&email).await.as_ref()) {
                202 => sent += 1,
                429 => {}
                status => other.note(|| status.to_string()),
            }
        }
        // Half of the five that all replicas together may send, and whole ones only.
        let share = Limit::Email.burst(&Config::default().limits) / 2;
        self.checks.push(Check::new(
            format!("{name}: emails under a limit that counts its half locally"),
            format!("{share} sent, the others 429"),
            format!("{sent} sent, neither: {other}"),
            sent == share && other.count == 0,
        ));

        let fresh: Vec<Message> = (0..MESSAGES).map(|_| self.message()).collect();
        let fresh = join_all(fresh.iter().map(|message| self.post(message))).await;
        self.all_are(
            format!("{name}: signed messages that cannot be remembered"),
            503,
            &fresh,
        );
        let copies = [self.post(known).await];
        self.all_are(
            format!("{name}: a copy of a message accepted before"),
            503,
            &copies,
        );
        let ready = [self.ask(&Call::get("/readyz")).await];
        self.all_are(
            format!("{name}: /readyz, since every replica misses the store"),
            200,
            &ready,
        );
    }

    /// When it is back, with nobody's help.
    async fn after(&mut self, fault: Fault, known: &Message, accepted: Option<&Answer>) {
        let name = fault.name();
        let messages = self
            .becomes(&format!("{name}, and back: signed messages"), 200, || {
                self.message()
            })
            .await;
        let took = messages.note(&mut self.checks);
        let figure = match fault {
            Fault::Cut => "recovered_from_cut_ms",
            Fault::Stall => "recovered_from_stall_ms",
            Fault::Kill => "recovered_from_kill_ms",
        };
        if let Some(took) = took {
            self.figures.add_ms(figure, took);
        }
        let project = u32::from(self.field.addresses.take());
        let build = Call::post(format!("/api/projects/after-{project:x}/builds")).json("{}");
        let again = [self.ask(&build).await];
        self.all_are(
            format!("{name}, and back: a limit that fails closed"),
            201,
            &again,
        );

        let copy = status(self.post(known).await.as_ref());
        self.checks.push(Check::new(
            format!("{name}, and back: a message accepted before and its copy"),
            "200, 401",
            format!("{}, {copy}", status(accepted)),
            status(accepted) == 200 && copy == 401,
        ));

        let limits = Config::default().limits;
        let (quota, burst) = (
            Limit::Expensive.quota(&limits),
            Limit::Expensive.burst(&limits),
        );
        let mut client = Client::new(self.field.addresses.take(), self.to);
        let call = Call::post("/api/expensive-operation");
        let (start, mut allowed) = (Instant::now(), 0);
        for _ in 0..2 * burst {
            let result = client.send(&call).await;
            self.audit.note(&call.label(), Speaker::Service, &result);
            allowed += usize::from(result.is_ok_and(|answer| answer.status == 200));
        }
        let what = format!("{name}, and back: allowed of {}", call.label());
        self.checks
            .push(within(&what, burst, &quota, start.elapsed(), allowed));
    }

    /// Sends one message after the other until one is answered like this.
    async fn becomes(&self, what: &str, wanted: u16, message: impl Fn() -> Message) -> Became {
        let start = Instant::now();
        loop {
            let got = status(self.post(&message()).await.as_ref());
            let is_late = start.elapsed() > SOON;
            if got == wanted || is_late {
                return Became {
                    what: what.to_owned(),
                    status: wanted,
                    got: format!("{got} after {} ms", start.elapsed().as_millis()),
                    after: (got == wanted).then(|| start.elapsed()),
                };
            }
            time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn all_are(&mut self, what: String, wanted: u16, answers: &[Option<Answer>]) {
        let got: Vec<u16> = answers
            .iter()
            .map(|answer| status(answer.as_ref()))
            .collect();
        let ok = got.iter().all(|got| *got == wanted);
        self.checks.push(Check::new(
            what,
            format!("{wanted}, {} times", got.len()),
            format!("{got:?}"),
            ok,
        ));
    }
}

/// Zero where there was no answer.
fn status(answer: Option<&Answer>) -> u16 {
    answer.map_or(0, |answer| answer.status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shop_understands_its_settings() {
        for side in [Side::Bare, Side::Hardened] {
            let config = Config::parse(&settings(side)).unwrap();
            assert_eq!(config.user_of("outage-2"), Some("outage-2"), "{side:?}");
        }
    }
}
