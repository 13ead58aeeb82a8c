//! What takes too long: connections that do nothing, and a route that is stuck.

use std::time::{Duration, Instant};

use futures::future::{join_all, join3};
use tokio::net::TcpStream;
use tokio::time;

use super::aim::Aim;
use super::checklist::Outcome;
use crate::client::connect;
use crate::figures::Check;
use crate::scenario::{silent, trickle};

/// Whoever waits, on either side, waits for no longer than the plan says.
pub(super) async fn timeouts(aim: &Aim<'_>) -> Outcome {
    let mut checks = Vec::new();
    let mut why = None;
    if let Some(slow) = &aim.plan.slow_client {
        checks.extend(connections(aim, slow.within.get()).await);
    }
    if aim.plan.timeout.is_some() {
        match stuck(aim).await {
            Ok(check) => checks.push(check),
            Err(in_time) => why = Some(in_time),
        }
    }
    match why {
        Some(why) => Outcome::NotShown(why, checks),
        None if checks.is_empty() => Outcome::NotShown(
            "the plan has no [slow_client] and no [timeout]".to_owned(),
            checks,
        ),
        None => Outcome::Shown(checks),
    }
}

const EACH: usize = 4;

async fn connections(aim: &Aim<'_>, within: Duration) -> Vec<Check> {
    let healthy = &aim.plan.healthy.route;
    let head = format!(
        "{} {} HTTP/1.1\r\nhost: {}\r\n",
        healthy.method, healthy.path, aim.to
    );
    let body = aim.plan.inputs.as_ref().map(|inputs| {
        let headers = aim.plan.headers.0.iter();
        let headers: String = headers
            .filter_map(|(name, value)| Some(format!("{name}: {}\r\n", value.to_str().ok()?)))
            .collect();
        format!(
            "{} {} HTTP/1.1\r\nhost: {}\r\n{headers}connection: close\r\n\
             content-type: application/json\r\ncontent-length: 1000000\r\n\r\n{{\"a\":\"",
            inputs.route.method, inputs.route.path, aim.to
        )
    });
    let bodies = async {
        match &body {
            Some(body) => held(aim, within, |stream| trickle(stream, body)).await,
            None => Vec::new(),
        }
    };
    let (quiet, heads, bodies) = join3(
        held(aim, within, silent),
        held(aim, within, |stream| trickle(stream, &head)),
        bodies,
    )
    .await;
    [
        ("silent connections that end", quiet),
        ("connections whose head trickles that end", heads),
        ("connections whose body trickles that end", bodies),
    ]
    .into_iter()
    .filter(|(_, ends)| !ends.is_empty())
    .map(|(what, ends)| {
        let ended: Vec<Duration> = ends.iter().copied().flatten().collect();
        let last = ended.iter().max().copied().unwrap_or_default();
        Check::new(
            what,
            format!("{EACH} of {EACH} within {:.1} s", within.as_secs_f64()),
            format!(
                "{}, the last after {:.1} s",
                ended.len(),
                last.as_secs_f64()
            ),
            ended.len() == EACH,
        )
    })
    .collect()
}

async fn held<F: Future<Output = ()>>(
    aim: &Aim<'_>,
    within: Duration,
    play: impl Fn(TcpStream) -> F,
) -> Vec<Option<Duration>> {
    join_all((0..EACH).map(|_| async {
        let stream = connect(aim.addresses.take(), aim.to).await.ok()?;
        let start = Instant::now();
        let ended = time::timeout(within, play(stream)).await;
        ended.ok().map(|()| start.elapsed())
    }))
    .await
}

/// How much later than its time an answer may arrive: it has to be written and read.
const LEEWAY: Duration = Duration::from_millis(500);

/// Why it was not shown, where the route is not stuck at all.
async fn stuck(aim: &Aim<'_>) -> Result<Check, String> {
    let Some(timeout) = &aim.plan.timeout else {
        return Err("the plan has no [timeout]".to_owned());
    };
    let (label, within) = (timeout.route.label(), timeout.within.get());
    let mut client = aim.client().patience(within + LEEWAY);
    let start = Instant::now();
    let result = aim.send(&mut client, &timeout.route.call()).await;
    let took = start.elapsed().as_secs_f64();
    let got = match &result {
        Ok(answer) if answer.status < 500 => {
            let status = answer.status;
            return Err(format!(
                "{label} is not stuck: it was answered {status} after {took:.2} s"
            ));
        }
        Ok(answer) => format!("{} after {took:.2} s", answer.status),
        Err(unanswered) => format!("{} in {took:.2} s", unanswered.name()),
    };
    Ok(Check::new(
        format!("{label}, which is stuck"),
        format!("503 or 504 within {:.1} s", within.as_secs_f64()),
        got,
        result.is_ok_and(|answer| matches!(answer.status, 503 | 504)),
    ))
}
