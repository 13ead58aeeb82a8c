//! The same request with the same key, many times at once.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures::future::join_all;
use http::HeaderValue;

use super::aim::Aim;
use super::checklist::Outcome;
use super::plan::Duplicates;
use crate::answer::Answer;
use crate::client::{Call, Unanswered};
use crate::figures::{Check, Tally};

const COPIES: usize = 16;
const KEYS: usize = 4;

/// Every copy is told the same, and another key is another request.
pub(super) async fn duplicates(aim: &Aim<'_>) -> Outcome {
    let Some(plan) = &aim.plan.duplicates else {
        return Outcome::unplanned("duplicates");
    };
    aim.progress.expect(KEYS);
    let (mut several, mut odd, mut reused) = (Tally::default(), Tally::default(), Tally::default());
    let mut receipts = BTreeSet::new();
    for number in 0..KEYS {
        let key = format!("storm-{}-{number}-{:016x}", aim.seed, fastrand::u64(..));
        let call = keyed(plan, &key, &plan.body.text);
        let copies = (0..COPIES).map(|_| async { aim.send(&mut aim.client(), &call).await });
        let mut bodies = BTreeSet::new();
        for result in join_all(copies).await {
            note(&result, &mut bodies, &mut odd);
        }
        // Whoever was told to wait asks again.
        let settled = settle(aim, &call).await;
        note(&settled, &mut bodies, &mut odd);
        if bodies.len() > 1 {
            several.note(|| format!("{} answers to {COPIES} copies of one key", bodies.len()));
        }
        receipts.extend(bodies.into_iter().next());
        if let Some(other) = &plan.other_body {
            let other = keyed(plan, &key, &other.text);
            match aim.send(&mut aim.client(), &other).await {
                Ok(answer) if (400..500).contains(&answer.status) => {}
                Ok(answer) => reused.note(|| answer.status.to_string()),
                Err(unanswered) => reused.note(|| unanswered.name().to_owned()),
            }
        }
        aim.progress.step();
    }
    let mut checks = vec![
        Check::none("keys whose copies were answered differently", &several),
        Check::none("copies that are neither served nor told to wait", &odd),
    ];
    if plan.other_body.is_some() {
        checks.push(Check::none("keys with another body, not refused", &reused));
    }
    if receipts.len() < KEYS {
        let why = "different keys were given the same answer, so that a copy cannot be told from \
                   another request: choose a route whose answer has an id in it";
        return Outcome::NotShown(why.to_owned(), checks);
    }
    Outcome::Shown(checks)
}

fn keyed(plan: &Duplicates, key: &str, body: &str) -> Call {
    let key = HeaderValue::from_str(key).expect("storm's keys are printable");
    plan.route
        .call()
        .with(plan.header.0.clone(), key)
        .json(body.to_owned())
}

fn note(result: &Result<Answer, Unanswered>, bodies: &mut BTreeSet<Vec<u8>>, odd: &mut Tally) {
    match result {
        Ok(answer) if answer.status < 300 => {
            bodies.insert(answer.body.to_vec());
        }
        Ok(answer) if answer.status == 409 => {}
        Ok(answer) => odd.note(|| answer.status.to_string()),
        Err(unanswered) => odd.note(|| unanswered.name().to_owned()),
    }
}

async fn settle(aim: &Aim<'_>, call: &Call) -> Result<Answer, Unanswered> {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let result = aim.send(&mut aim.client(), call).await;
        let waiting = result.as_ref().is_ok_and(|answer| answer.status == 409);
        if !waiting || Instant::now() > end {
            return result;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
