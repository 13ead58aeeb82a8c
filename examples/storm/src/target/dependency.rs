//! A dependency that the user has taken down: is it left alone, and what is still answered?

use std::time::Duration;

use serde_json::Value;

use super::aim::Aim;
use super::checklist::Outcome;
use crate::answer::Answer;
use crate::client::Unanswered;
use crate::figures::{Check, Tally};

/// After some failures the route is refused at once, with a time to come back at.
pub(super) async fn breakers(aim: &Aim<'_>) -> Outcome {
    let Some(plan) = &aim.plan.breaker else {
        return Outcome::unplanned("breaker");
    };
    let call = plan.route.call();
    let mut client = aim.client();
    aim.progress.expect(usize::from(plan.failures) + REFUSED);
    for asked in 0..=plan.failures {
        let result = aim.send(&mut client, &call).await;
        if asked == 0
            && let Ok(answer) = &result
            && answer.status < 500
        {
            return Outcome::NotShown(
                format!(
                    "what is behind {} is not down: it was answered {}",
                    plan.route.label(),
                    answer.status
                ),
                Vec::new(),
            );
        }
        aim.progress.step();
    }
    let mut odd = Tally::default();
    let mut slowest = Duration::ZERO;
    for _ in 0..REFUSED {
        let result = aim.send(&mut client, &call).await;
        match &result {
            Ok(answer) if is_refusal(answer) => slowest = slowest.max(answer.elapsed),
            _ => odd.note(|| told(&result)),
        }
        aim.progress.step();
    }
    Outcome::Shown(vec![
        Check::none(
            format!(
                "answers other than 503 with Retry-After, after {} failures",
                plan.failures
            ),
            &odd,
        ),
        Check::new(
            "the slowest of these refusals",
            format!("at most {} ms", PROMPT.as_millis()),
            format!("{:.1} ms", slowest.as_secs_f64() * 1000.0),
            slowest <= PROMPT,
        ),
    ])
}

/// How many are asked for once the circuit is to be open.
const REFUSED: usize = 8;

/// A refusal that waits for nobody takes less than this, however busy the machine is.
const PROMPT: Duration = Duration::from_millis(100);

fn is_refusal(answer: &Answer) -> bool {
    let wait = answer.header("retry-after").and_then(|w| w.parse().ok());
    answer.status == 503 && wait.is_some_and(|wait: u64| wait > 0)
}

fn told(result: &Result<Answer, Unanswered>) -> String {
    match result {
        Ok(answer) => match answer.header("retry-after") {
            Some(wait) => format!("{} with Retry-After {wait}", answer.status),
            None => format!("{} without Retry-After", answer.status),
        },
        Err(unanswered) => unanswered.name().to_owned(),
    }
}

/// What is left is answered, and says that it is not all.
pub(super) async fn degradation(aim: &Aim<'_>) -> Outcome {
    let Some(plan) = &aim.plan.degradation else {
        return Outcome::unplanned("degradation");
    };
    let result = aim.send(&mut aim.client(), &plan.route.call()).await;
    let label = plan.route.label();
    let field = result
        .as_ref()
        .ok()
        .and_then(|answer| serde_json::from_slice::<Value>(&answer.body).ok())
        .and_then(|body| body.get(&plan.field).and_then(Value::as_bool));
    let served = result.as_ref().is_ok_and(|answer| answer.status < 300);
    if served && field == Some(false) {
        return Outcome::NotShown(
            format!("nothing is missing in {label}: `{}` is false", plan.field),
            Vec::new(),
        );
    }
    let got = match (&result, field) {
        (Ok(answer), Some(value)) => format!("{}, `{}` is {value}", answer.status, plan.field),
        (Ok(answer), None) => format!("{}, no `{}`", answer.status, plan.field),
        (Err(unanswered), _) => unanswered.name().to_owned(),
    };
    Outcome::Shown(vec![Check::new(
        format!("{label} while a part is missing"),
        format!("2xx, `{}` is true", plan.field),
        got,
        served && field == Some(true),
    )])
}
