//! Every error path, searched for what lives inside the service.

use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use http::Method;
use shop::domain::Component;
use shop::domain::canary::{self, Kind};

use super::{Field, Scenario, leak_sweep};
use crate::answer::Answer;
use crate::audit::{Audit, Speaker};
use crate::client::raw::{Piece, exchange};
use crate::client::{Call, Client};
use crate::figures::{Check, Figures, Specimen, Strike};
use crate::service::{Service, Trouble};

pub(super) struct Leak;

impl Scenario for Leak {
    fn name(&self) -> &'static str {
        "leak"
    }

    fn claim(&self) -> &'static str {
        "no answer tells what lives inside: no SQL, path, address, type name, panic text or secret"
    }

    fn sends(&self) -> &'static str {
        "each dependency made to fail and then to panic, with requests that need it and with every \
         route in every method; the same while all of them hang, and answer too late; and every way to ask wrongly: unknown routes and methods, unusable \
         bodies, bad ids, tokens and signatures"
    }

    fn strike<'a>(&'a self, field: &'a Field<'a>) -> BoxFuture<'a, Result<Strike, Trouble>> {
        strike(field).boxed()
    }
}

async fn strike(field: &Field<'_>) -> Result<Strike, Trouble> {
    let audit = field.audit();
    let mut client = Client::new(field.addresses.take(), field.service.api);
    let mut specimens = Vec::new();
    let wrong = wrong_calls();
    let broken = Component::ALL.map(calls_of);
    field.progress.expect(
        wrong.len()
            + MODES.len() * broken.iter().map(Vec::len).sum::<usize>()
            + MODES.len() * Component::ALL.len() * leak_sweep::calls().len()
            + LATE.len() * leak_sweep::calls().len(),
    );

    for call in &wrong {
        ask(field, &audit, &mut client, call, "").await;
    }
    ask_too_much(field, &audit).await;
    for (component, calls) in Component::ALL.into_iter().zip(&broken) {
        for mode in MODES {
            field.service.break_down(component, mode).await?;
            for call in calls {
                let situation = format!(" while {component} is in {mode}");
                let specimen = ask(field, &audit, &mut client, call, &situation).await;
                specimens.extend(specimen.filter(|_| is_shown(component, mode, call)));
            }
        }
        // Also between the two modes of the next component, so that a breaker counts afresh.
        let open_for = field.config.breaker.open_for.get();
        field
            .service
            .mend(component, field.addresses.take(), open_for)
            .await?;
    }

    sweep(field, &audit).await?;
    late(field, &audit).await?;

    let kinds = audit.kinds();
    let mut figures = Figures::default();
    figures.add("requests", audit.requests());
    let answers = audit.requests() - audit.unanswered();
    figures.add("answers_searched", answers);
    figures.add("canaries_searched_for", canary::ALL.len());
    audit.figures(&mut figures);
    let mut checks = audit.checks();
    checks.push(audit.all_answered());
    // A search that finds nothing in the bare service is no search.
    let controls = vec![Check::new(
        "control: kinds of canary that the bare service gives away",
        Kind::ALL.map(Kind::name).join(", "),
        kinds
            .iter()
            .map(|kind| kind.name())
            .collect::<Vec<_>>()
            .join(", "),
        kinds.len() == Kind::ALL.len(),
    )];
    Ok(Strike {
        requests: audit.requests(),
        headline: format!(
            "{} of {} answers leak, {} of {} kinds; each was searched for {} canaries",
            audit.canaries(),
            answers,
            kinds.len(),
            Kind::ALL.len(),
            canary::ALL.len(),
        ),
        figures,
        checks,
        controls,
        specimens,
    })
}

/// The ways in which a dependency fails by saying something.
const MODES: [&str; 2] = ["error", "panic"];

/// Every route in every method, while each dependency is broken in each way. From an address of its
/// own each time, so that quotas do not answer in place of the route.
async fn sweep(field: &Field<'_>, audit: &Audit) -> Result<(), Trouble> {
    let open_for = field.config.breaker.open_for.get();
    for component in Component::ALL {
        for mode in MODES {
            field.service.break_down(component, mode).await?;
            let mut client = Client::new(field.addresses.take(), field.service.api);
            let situation = format!(" while {component} is in {mode}");
            for call in &leak_sweep::calls() {
                ask(field, audit, &mut client, call, &situation).await;
            }
            field
                .service
                .mend(component, field.addresses.take(), open_for)
                .await?;
        }
    }
    Ok(())
}

/// The ways in which a dependency fails by saying nothing, or not in time.
const LATE: [&str; 2] = ["hang", "slow"];

/// A slow component takes a second, which is above all of these.
const IMPATIENT: &str = "[deadlines]\nsearch = \"300ms\"\ndatabase = \"200ms\"\n\
    dashboard = \"200ms\"\ntotal = \"600ms\"\n[server]\nbody_timeout = \"500ms\"\n";

/// Long enough for every answer that ever comes.
const PATIENCE: Duration = Duration::from_millis(2500);

/// Every route in every method, while all dependencies are late: at once, since each may take its
/// deadline, and to a shop of its own whose deadlines are short.
async fn late(field: &Field<'_>, audit: &Audit) -> Result<(), Trouble> {
    let shop = field
        .private(field.service.side, IMPATIENT, &field.store.apart())
        .await?;
    let swept = late_at(field, &shop.service, audit).await;
    shop.stop().await;
    swept
}

async fn late_at(field: &Field<'_>, service: &Service, audit: &Audit) -> Result<(), Trouble> {
    for mode in LATE {
        for component in Component::ALL {
            service.break_down(component, mode).await?;
        }
        let situation = format!(" while everything is in {mode}");
        let situation = &situation;
        join_all(leak_sweep::calls().into_iter().map(|call| async move {
            let mut client = Client::new(field.addresses.take(), service.api).patience(PATIENCE);
            ask(field, audit, &mut client, &call, situation).await;
        }))
        .await;
    }
    Ok(())
}

async fn ask(
    field: &Field<'_>,
    audit: &Audit,
    client: &mut Client,
    call: &Call,
    situation: &str,
) -> Option<Specimen> {
    let label = format!("{}{situation}", call.label());
    let result = client.send(call).await;
    // An answer to HEAD has no body to be in shape; it is searched all the same.
    let speaker = if label.starts_with("HEAD ") {
        Speaker::Parser
    } else if result.as_ref().is_ok_and(is_probe) {
        Speaker::Probe
    } else {
        Speaker::Service
    };
    audit.note(&label, speaker, &result);
    field.progress.step();
    result.ok().map(|answer| Specimen {
        request: label,
        answer: answer.excerpt(),
    })
}

fn is_probe(answer: &Answer) -> bool {
    answer.status == 503 && answer.header("content-type") == Some("application/health+json")
}

/// A body beyond the limit. A service may close the connection on it, and a close can overtake the
/// answer; only an answer that arrives is looked at.
async fn ask_too_much(field: &Field<'_>, audit: &Audit) {
    const LENGTH: usize = 2 * 1024 * 1024;
    let head = format!(
        "POST /api/users HTTP/1.1\r\nhost: shop.example\r\ncontent-type: application/json\r\n\
         content-length: {LENGTH}\r\n\r\n"
    );
    let pieces = [Piece::once(head), Piece::once(vec![b' '; LENGTH])];
    let from = field.addresses.take();
    let exchange = exchange(from, field.service.api, &pieces, Duration::from_secs(5)).await;
    if exchange.answer.is_ok() {
        audit.note(
            "POST /api/users with 2 MiB",
            Speaker::Service,
            &exchange.answer,
        );
    }
}

/// One answer of each sort is shown in the report.
fn is_shown(component: Component, mode: &str, call: &Call) -> bool {
    let shown = [
        (Component::Database, "error", "GET /api/users/1"),
        (Component::Search, "panic", "GET /api/search?q=sea"),
        (Component::Payments, "error", "POST /api/payments"),
        (Component::Recommendations, "error", "GET /api/dashboard"),
    ];
    shown.contains(&(component, mode, call.label().as_str()))
}

const USER: &str = r#"{"email":"ann@example.com","name":"Ann","age":41}"#;

/// Requests that need a component.
fn calls_of(component: Component) -> Vec<Call> {
    match component {
        // Fewer failures in a row than open the breaker, so that the second mode reaches the
        // database as well.
        Component::Database => {
            vec![
                Call::get("/api/users/1"),
                Call::post("/api/users").json(USER),
            ]
        }
        Component::Search => vec![Call::get("/api/search?q=sea")],
        Component::Notifications => vec![
            Call::get("/api/dashboard"),
            Call::post("/api/send-email")
                .header("authorization", "Bearer alice-token")
                .json(r#"{"to":"bob@example.com","subject":"hello","body":"there"}"#),
        ],
        Component::Recommendations | Component::User => vec![Call::get("/api/dashboard")],
        Component::Payments => vec![
            Call::post("/api/payments")
                .header("idempotency-key", "storm-leak-1")
                .json(r#"{"amount":1250,"currency":"EUR","customer":"storm"}"#),
        ],
    }
}

/// Every way to ask wrongly.
pub(crate) fn wrong_calls() -> Vec<Call> {
    let users = || Call::post("/api/users");
    let payment = || Call::post("/api/payments").header("idempotency-key", "storm-leak-2");
    let email = || Call::post("/api/send-email");
    let webhook = || Call::post("/api/webhooks/payment").body("{\"paid\":true}");
    vec![
        Call::get("/nowhere"),
        Call::get("/api/nowhere"),
        Call::get("/api/users"),
        Call::new(Method::DELETE, "/api/users/1"),
        Call::new(Method::PATCH, "/api/payments"),
        Call::new(Method::TRACE, "/api/search?q=sea"),
        Call::get("/api/users/abc"),
        Call::get("/api/users/-1"),
        Call::get("/api/users/0"),
        Call::get("/api/users/99999999"),
        Call::get("/api/users/99999999999999999999999999"),
        Call::get("/api/search"),
        Call::get("/api/search?q="),
        Call::get("/api/search?q=%ff%fe"),
        Call::get("/api/search?q=a&q=b"),
        Call::post("/api/search"),
        users(),
        users().json(""),
        users().json("{"),
        users().json("nonsense"),
        users().json(r#"{"email":"ann@example.com"}"#),
        users().json(r#"{"email":7,"name":[],"age":"old"}"#),
        users().json(r#"{"email":"ann","name":"","age":151}"#),
        users().json(r#"{"email":"ann@example.com","name":"Ann","age":-1,"admin":true}"#),
        users().json(vec![0xff, 0xfe, 0x00]),
        users().header("content-type", "text/plain").body(USER),
        users()
            .header("content-type", "application/xml")
            .body("<user/>"),
        users().header("content-encoding", "gzip").json(USER),
        payment().json("{}"),
        payment().json(r#"{"amount":0,"currency":"euro","customer":""}"#),
        Call::post("/api/payments").json(r#"{"amount":1,"currency":"EUR","customer":"storm"}"#),
        email(),
        email().json("{}"),
        email()
            .header("authorization", "Bearer wrong-token")
            .json("{}"),
        email().header("authorization", "Basic YTpi").json("{}"),
        email()
            .header("authorization", "Bearer bob-token")
            .json("{}"),
        Call::post("/api/projects/Not%20A%20Slug/builds"),
        Call::post("/api/projects/%2e%2e%2fetc/builds").json("["),
        webhook(),
        webhook().header("x-signature", ""),
        webhook().header("x-signature", "00"),
        webhook().header("x-signature", &"0".repeat(64)),
        webhook()
            .header("x-signature", "a")
            .header("x-signature", "b"),
        Call::post("/api/webhooks/signed").body("{}"),
    ]
}
