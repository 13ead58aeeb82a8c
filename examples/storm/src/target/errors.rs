//! Errors of every kind that can be had by asking, and what all answers have in common.

use http::Method;

use super::aim::Aim;
use super::checklist::Outcome;
use crate::client::Call;
use crate::figures::Check;

/// Asks wrongly in every way that needs no knowledge.
pub(super) async fn provoke(aim: &Aim<'_>) {
    let plan = aim.plan;
    let mut calls = vec![
        Call::get("/storm-knows-no-such-route"),
        Call::get("/%00"),
        Call::get("/..%2f..%2fetc%2fpasswd"),
        Call::get(format!("/storm?q={}", "x".repeat(4000))),
    ];
    let routes = [
        Some(&plan.healthy.route),
        plan.inputs.as_ref().map(|i| &i.route),
    ];
    let routes = routes.into_iter().flatten().chain(&plan.errors.routes);
    for route in routes {
        calls.push(route.call());
        calls.push(route.call().json("{"));
        calls.push(Call::get(format!(
            "{}/%27%22;--",
            route.path.trim_end_matches('/')
        )));
        // Methods that change nothing: it is the user's own data that the others would change.
        for method in [Method::OPTIONS, Method::TRACE, unknown()] {
            calls.push(Call::new(method, &route.path));
        }
    }
    aim.progress.expect(calls.len());
    let mut client = aim.client();
    for (number, call) in calls.iter().enumerate() {
        if number % OF_ONE_ADDRESS == 0 {
            client = aim.client();
        }
        let _ = aim.send(&mut client, call).await;
        aim.progress.step();
    }
}

fn unknown() -> Method {
    Method::from_bytes(b"STORM").expect("a word is a method")
}

/// Few enough that no limit answers in the place of what is asked.
const OF_ONE_ADDRESS: usize = 4;

/// Of all errors, whichever attack brought them.
pub(super) fn safe_errors(aim: &Aim<'_>) -> Outcome {
    aim.seen(|seen| {
        let checks = vec![
            Check::none("errors that tell of the inside", &seen.telling),
            Check::none("errors without a JSON object", &seen.unreadable),
        ];
        if seen.errors == 0 {
            return Outcome::NotShown("no error was seen".to_owned(), checks);
        }
        Outcome::Shown(checks)
    })
}

/// Of all answers.
pub(super) fn request_ids(aim: &Aim<'_>) -> Outcome {
    let header = aim.plan.ids.header.as_str();
    aim.seen(|seen| {
        Outcome::Shown(vec![
            Check::none(format!("answers without one {header}"), &seen.without_id),
            Check::none(
                format!("answers whose {header} is another's"),
                &seen.repeated_id,
            ),
        ])
    })
}
