//! Garbage for a route of which only one good body is known.

use futures::{StreamExt, stream};
use serde_json::{Value, json};

use super::aim::{Aim, Speaker};
use super::checklist::Outcome;
use super::plan::Inputs;
use crate::client::raw::Piece;
use crate::dice::Dice;
use crate::figures::{Check, Tally};
use crate::scenario::{Draft, Expect};
use crate::service::Trouble;

/// Whether the good body is served and everything else is refused, promptly and cheaply.
pub(super) async fn inputs(aim: &Aim<'_>) -> Result<Outcome, Trouble> {
    let Some(inputs) = &aim.plan.inputs else {
        return Ok(Outcome::unplanned("inputs"));
    };
    let good = inputs.route.call().json(inputs.valid.text.clone());
    let served = aim.send(&mut aim.client(), &good).await;
    match &served {
        Ok(answer) if answer.status < 300 => {}
        Ok(answer) => return Err(unusable(&answer.status.to_string())),
        Err(unanswered) => return Err(unusable(unanswered.name())),
    }

    let cases = cases(aim, inputs);
    aim.progress.expect(cases.len());
    let found = parking_lot::Mutex::new(Found::default());
    stream::iter(&cases)
        .for_each_concurrent(AT_ONCE, async |case| {
            let exchange = aim.throw(&case.note, case.speaker, &case.pieces).await;
            let mut found = found.lock();
            if let Err(got) = case.expect.check(&exchange) {
                let failed = exchange.answer.is_ok_and(|answer| answer.status >= 500);
                let tally = if failed {
                    &mut found.failed
                } else {
                    &mut found.accepted
                };
                tally.note(|| format!("{}: {got}", case.note));
            }
            if case.expect == Expect::TooLarge {
                found.most_taken = found.most_taken.max(exchange.taken);
            }
            aim.progress.step();
        })
        .await;
    let found = found.into_inner();
    let bound = 8 * u64::from(MEBIBYTE) + u64::from(inputs.body_limit);
    Ok(Outcome::Shown(vec![
        Check::none("unusable bodies that are not refused", &found.accepted),
        Check::none("unusable requests that end in a 5xx", &found.failed),
        Check::new(
            "bytes taken of a 64 MiB body",
            format!("at most {} MiB", bound >> 20),
            format!("{} KiB", found.most_taken >> 10),
            found.most_taken <= bound,
        ),
    ]))
}

fn unusable(got: &str) -> Trouble {
    Trouble::new(format!(
        "the plan's inputs.valid is answered {got}, and was to be served"
    ))
}

const AT_ONCE: usize = 8;
const MEBIBYTE: u32 = 1 << 20;

#[derive(Default)]
struct Found {
    accepted: Tally,
    failed: Tally,
    most_taken: u64,
}

/// One piece of garbage.
struct Case {
    note: String,
    pieces: Vec<Piece>,
    speaker: Speaker,
    expect: Expect,
}

fn cases(aim: &Aim<'_>, inputs: &Inputs) -> Vec<Case> {
    let valid = &inputs.valid.text;
    let typed = || draft(aim, inputs).header("content-type", "application/json");
    let case = |note: String, pieces: Vec<Piece>, expect| Case {
        note,
        pieces,
        speaker: Speaker::Service,
        expect,
    };
    let mut cases: Vec<Case> = bodies(inputs, aim.seed)
        .into_iter()
        .map(|(note, body)| case(note, typed().body(body), Expect::Refused))
        .collect();
    let text = draft(aim, inputs).header("content-type", "text/plain");
    cases.push(case(
        "a body that calls itself text".to_owned(),
        text.body(valid),
        Expect::Refused,
    ));
    let padding = " ".repeat(usize::try_from(inputs.body_limit).unwrap_or(usize::MAX / 2));
    cases.push(case(
        format!("{} bytes of body", padding.len() + valid.len()),
        typed().body(format!("{padding}{valid}")),
        Expect::Refused,
    ));
    let prefix = "{\"padding\":\"";
    cases.push(case(
        "64 MiB by length".to_owned(),
        typed().enormous(prefix, "\"}"),
        Expect::TooLarge,
    ));
    cases.push(case(
        "64 MiB in chunks".to_owned(),
        typed().enormous_in_chunks(prefix, "\"}"),
        Expect::TooLarge,
    ));
    let flood = (0..1000).fold(typed(), |draft, number| {
        draft.header(&format!("x-flood-{number}"), "x")
    });
    cases.push(Case {
        note: "1000 headers".to_owned(),
        pieces: flood.body(valid),
        speaker: Speaker::Parser,
        expect: Expect::HarmlessOrClosed,
    });
    cases
}

fn draft(aim: &Aim<'_>, inputs: &Inputs) -> Draft {
    let method = inputs.route.method.as_str();
    let draft = Draft::at(&aim.to.to_string(), method, &inputs.route.path);
    let headers = aim.plan.headers.0.iter();
    headers.fold(draft, |draft, (name, value)| {
        draft.header(name.as_str(), value)
    })
}

/// Bodies that no service should take for the good one.
fn bodies(inputs: &Inputs, seed: u64) -> Vec<(String, Vec<u8>)> {
    let valid = &inputs.valid.text;
    let mut bodies: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |note: &str, body: &[u8]| bodies.push((note.to_owned(), body.to_vec()));
    for text in [
        "", " ", "nonsense", "{", "}", "null", "7", "\"x\"", "[]", "{]", "{\"a\":}",
    ] {
        add(&format!("the body {text:?}"), text.as_bytes());
    }
    let (deep, closed) = ("[".repeat(10_000), "]".repeat(10_000));
    add("10,000 arrays", format!("{deep}{closed}").as_bytes());
    add("10,000 arrays, never closed", deep.as_bytes());
    add("two documents", format!("{valid} {valid}").as_bytes());
    let end = valid.trim_end().len();
    let mut bytes = valid.as_bytes()[..end - 1].to_vec();
    bytes.extend_from_slice(b"\xff\xfe}");
    add("a byte that is no UTF-8", &bytes);

    let mut dice = Dice::new(seed, "target garbage");
    let trimmed = valid.trim();
    let ends: Vec<usize> = (1..trimmed.len())
        .filter(|end| trimmed.is_char_boundary(*end))
        .collect();
    if !ends.is_empty() {
        for _ in 0..12 {
            let cut = *dice.one(&ends);
            add(&format!("cut after {cut}"), &trimmed.as_bytes()[..cut]);
        }
    }
    for (field, value) in &inputs.valid.object {
        if inputs.free.contains(field) {
            continue;
        }
        for wrong in [json!({"$gt": ""}), json!([[]]), json!(true)] {
            if same_kind(value, &wrong) {
                continue;
            }
            let mut object = inputs.valid.object.clone();
            object.insert(field.clone(), wrong.clone());
            let body = Value::Object(object).to_string();
            add(&format!("{field} as {wrong}"), body.as_bytes());
        }
    }
    bodies
}

fn same_kind(one: &Value, other: &Value) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::plan::Plan;

    fn inputs(valid: &str) -> Inputs {
        let text = format!(
            "[healthy]\nroute = \"GET /\"\n[inputs]\nroute = \"POST /\"\nvalid = '{valid}'\n\
             free = [\"extra\"]\n"
        );
        Plan::parse(&text).unwrap().inputs.unwrap()
    }

    #[test]
    fn no_body_is_the_good_one_and_the_free_field_is_left_alone() {
        let inputs = inputs(r#"{"name":"é","ok":true,"extra":1}"#);
        let good = Value::Object(inputs.valid.object.clone());
        let bodies = bodies(&inputs, 1);
        for (note, body) in &bodies {
            let parsed = serde_json::from_slice::<Value>(body).ok();
            assert_ne!(parsed.as_ref(), Some(&good), "{note}");
        }
        let notes: Vec<&str> = bodies.iter().map(|(note, _)| note.as_str()).collect();
        assert!(notes.contains(&"name as true"), "{notes:?}");
        assert!(!notes.contains(&"ok as true"), "{notes:?}");
        assert!(!notes.iter().any(|note| note.starts_with("extra")));
    }

    #[test]
    fn the_least_object_has_bodies_too() {
        assert!(bodies(&inputs("{}"), 1).len() > 12);
    }
}
