//! Parts of a page are missing, in every combination.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use shop::domain::Component;

use super::{Field, Scenario};
use crate::audit::Speaker;
use crate::client::{Call, Client};
use crate::figures::{Check, Figures, Strike, Tally};
use crate::service::Trouble;

pub(super) struct Partial;

impl Scenario for Partial {
    fn name(&self) -> &'static str {
        "partial"
    }

    fn claim(&self) -> &'static str {
        "a page is served with the parts that there are, and says which are missing"
    }

    fn sends(&self) -> &'static str {
        "the dashboard while every subset of its three parts fails, panics, or does not answer"
    }

    fn strike<'a>(&'a self, field: &'a Field<'a>) -> BoxFuture<'a, Result<Strike, Trouble>> {
        strike(field).boxed()
    }
}

/// The parts of the page in its order: who gives them, and the part with and without it.
const PARTS: [(Component, &str, &str); 3] = [
    (
        Component::User,
        r#""user":{"id":1,"name":"Alice"}"#,
        r#""user":null"#,
    ),
    (
        Component::Notifications,
        r#""notifications":[{"id":1,"text":"Your lantern has been shipped"}]"#,
        r#""notifications":[]"#,
    ),
    (
        Component::Recommendations,
        r#""recommendations":[{"id":4,"title":"Storm jacket"}]"#,
        r#""recommendations":[]"#,
    ),
];

/// How parts go missing. The last is patient, so it is tried with all of them at once only.
const MODES: [&str; 3] = ["error", "panic", "hang"];

async fn strike(field: &Field<'_>) -> Result<Strike, Trouble> {
    let audit = field.audit();
    let patience = field.config.deadlines.dashboard.get() + Duration::from_secs(1);
    let mut client = Client::new(field.addresses.take(), field.service.api).patience(patience);
    let call = Call::get("/api/dashboard");
    let (mut pages, mut ok, mut served) = (0_u64, 0_u64, 0_u64);
    let (mut wrong, mut stored) = (Tally::default(), Tally::default());

    let cases = MODES.into_iter().flat_map(|mode| {
        let subsets = if mode == "hang" { 7..8 } else { 0..8_usize };
        subsets.map(move |down| (mode, down))
    });
    for (mode, down) in cases {
        let missing = |part: usize| down >> part & 1 == 1;
        for (part, (component, ..)) in PARTS.iter().enumerate() {
            if missing(part) {
                field.service.break_down(*component, mode).await?;
            }
        }
        let result = client.send(&call).await;
        for (part, (component, ..)) in PARTS.iter().enumerate() {
            if missing(part) {
                let from = field.addresses.take();
                field.service.mend(*component, from, Duration::ZERO).await?;
            }
        }
        let label = format!("{} with {mode} {down:03b}", call.label());
        audit.note(&label, Speaker::Service, &result);
        pages += 1;
        let Ok(answer) = result else {
            wrong.note(|| format!("{label}: no answer"));
            continue;
        };
        ok += u64::from(answer.status == 200);
        let expected = expected(down);
        if answer.status == 200 && answer.body == expected {
            served += 1;
        } else {
            wrong.note(|| format!("{label}: {}", answer.excerpt()));
        }
        if down != 0 && answer.status == 200 && answer.header("cache-control") != Some("no-store") {
            stored.note(|| label);
        }
    }

    let mut figures = Figures::default();
    figures.add("pages", pages);
    figures.add("served", ok);
    figures.add("served_as_promised", served);
    audit.figures(&mut figures);
    let mut checks = vec![
        Check::none("pages with other bytes than promised", &wrong),
        Check::none("partial pages without Cache-Control: no-store", &stored),
    ];
    checks.extend(audit.checks());
    let controls = vec![Check::new(
        "control: pages that the bare service serves at all",
        "the whole ones only, 2",
        ok.to_string(),
        ok == 2,
    )];
    Ok(Strike {
        requests: audit.requests(),
        headline: format!("{ok} of {pages} pages served"),
        figures,
        checks,
        controls,
        ..Strike::default()
    })
}

/// The page without the parts whose bits are set.
fn expected(down: usize) -> String {
    let missing = |part: usize| down >> part & 1 == 1;
    let parts: Vec<&str> = PARTS
        .iter()
        .enumerate()
        .map(|(part, (_, there, gone))| if missing(part) { *gone } else { *there })
        .collect();
    let errors: Vec<String> = PARTS
        .iter()
        .enumerate()
        .filter(|(part, _)| missing(*part))
        .map(|(_, (component, ..))| {
            format!(r#"{{"component":"{component}","error":"unavailable"}}"#)
        })
        .collect();
    format!(
        r#"{{"data":{{{}}},"partial":{},"errors":[{}]}}"#,
        parts.join(","),
        down != 0,
        errors.join(","),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_the_article() {
        assert_eq!(
            expected(0b010),
            r#"{"data":{"user":{"id":1,"name":"Alice"},"notifications":[],"recommendations":[{"id":4,"title":"Storm jacket"}]},"partial":true,"errors":[{"component":"notifications","error":"unavailable"}]}"#
        );
    }
}
