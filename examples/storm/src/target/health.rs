//! The load balancer, which asks all along, and the request that is served before and after.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time;

use super::aim::Aim;
use super::checklist::Outcome;
use crate::chronicle::Chronicle;
use crate::client::{Call, Client};
use crate::figures::{Check, Tally};

/// Asks until told to stop.
pub(super) struct Watch {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Watched>,
}

/// What it saw.
#[derive(Debug, Default)]
pub(super) struct Watched {
    failed: Tally,
    slowest: Duration,
    asked: u64,
}

const EVERY: Duration = Duration::from_millis(100);

impl Watch {
    /// Asks the live probe, or what is healthy where there is none.
    pub(super) fn start(on: &Handle, aim: &Aim<'_>) -> Self {
        let call = match &aim.plan.health {
            Some(health) => Call::get(&health.live.0),
            None => aim.plan.healthy.route.call(),
        };
        let client = aim.client().patience(Duration::from_secs(5));
        let (stop, stopped) = oneshot::channel();
        let call = aim.dressed(call);
        let task = on.spawn(watch(client, call, Arc::clone(&aim.chronicle), stopped));
        Self { stop, task }
    }

    pub(super) async fn stop(self) -> Watched {
        let _ = self.stop.send(());
        self.task.await.expect("the watch does not panic")
    }
}

async fn watch(
    mut client: Client,
    call: Call,
    chronicle: Arc<Chronicle>,
    mut stopped: oneshot::Receiver<()>,
) -> Watched {
    let mut watched = Watched::default();
    loop {
        let start = Instant::now();
        let result = client.send(&call).await;
        let took = start.elapsed();
        chronicle.probed(took, None);
        watched.asked += 1;
        watched.slowest = watched.slowest.max(took);
        match result {
            Ok(answer) if answer.status == 200 => {}
            Ok(answer) => watched.failed.note(|| answer.status.to_string()),
            Err(unanswered) => watched.failed.note(|| unanswered.name().to_owned()),
        }
        tokio::select! {
            _ = &mut stopped => return watched,
            () = time::sleep(EVERY) => {}
        }
    }
}

/// The probes tell the truth, and the service is as well afterwards as it was before.
pub(super) async fn health(aim: &Aim<'_>, watched: Watched) -> Outcome {
    let healthy = served(aim, &aim.plan.healthy.route.call()).await;
    let mut checks = vec![Check::new(
        format!("{} after everything", aim.plan.healthy.route.label()),
        "2xx",
        healthy.clone().unwrap_or_else(|got| got),
        healthy.is_ok(),
    )];
    let Some(health) = &aim.plan.health else {
        return Outcome::NotShown("the plan has no [health]".to_owned(), checks);
    };
    let live = &health.live.0;
    checks.push(Check::none(
        format!("{live} without a 200"),
        &watched.failed,
    ));
    let within = health.within.0;
    checks.push(Check::new(
        format!("the slowest {live} of {}", watched.asked),
        format!("at most {} ms", within.as_millis()),
        format!("{:.1} ms", watched.slowest.as_secs_f64() * 1000.0),
        watched.slowest <= within,
    ));
    if let Some(ready) = &health.ready {
        // A service whose dependencies the user has taken down may well say no.
        let got = served(aim, &Call::get(&ready.0)).await;
        let got = got.unwrap_or_else(|got| got);
        let ok = matches!(got.as_str(), "200" | "503");
        checks.push(Check::new(
            format!("{} says yes or no", ready.0),
            "200 or 503",
            got,
            ok,
        ));
    }
    Outcome::Shown(checks)
}

/// The status, which is a 2xx, or what came instead.
pub(super) async fn served(aim: &Aim<'_>, call: &Call) -> Result<String, String> {
    match aim.send(&mut aim.client(), call).await {
        Ok(answer) if answer.status < 300 => Ok(answer.status.to_string()),
        Ok(answer) => Err(answer.status.to_string()),
        Err(unanswered) => Err(unanswered.name().to_owned()),
    }
}
