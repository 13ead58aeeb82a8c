//! A load balancer: asks `/livez` over and over, on a fresh connection each time.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{self, MissedTickBehavior};

use crate::chronicle::Chronicle;
use crate::client::{Call, Client};
use crate::figures::{Tally, percentile};
use crate::service::{Service, resident};

/// A probe that is running.
#[derive(Debug)]
pub(crate) struct Probe {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Probed>,
}

/// What it saw.
#[derive(Debug, Default)]
pub(crate) struct Probed {
    pub(crate) slowest: Duration,
    pub(crate) median: Duration,
    /// Probes that did not bring a 200.
    pub(crate) failed: Tally,
    /// The most memory that the service had at any probe.
    pub(crate) peak_memory: Option<u64>,
}

impl Probe {
    pub(crate) fn start(
        on: &Handle,
        service: &Service,
        from: Ipv4Addr,
        chronicle: Arc<Chronicle>,
    ) -> Self {
        let (stop, stopped) = oneshot::channel();
        let task = on.spawn(watch(service.api, service.pid, from, chronicle, stopped));
        Self { stop, task }
    }

    /// Ends the probe, with the one that is under way.
    pub(crate) async fn stop(self) -> Probed {
        let _ = self.stop.send(());
        self.task.await.expect("the probe does not panic")
    }
}

const EVERY: Duration = Duration::from_millis(20);

async fn watch(
    api: SocketAddr,
    pid: u32,
    from: Ipv4Addr,
    chronicle: Arc<Chronicle>,
    mut stopped: oneshot::Receiver<()>,
) -> Probed {
    let mut probed = Probed::default();
    let mut latencies = Vec::new();
    let mut ticks = time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let call = Call::get("/livez");
    loop {
        let start = Instant::now();
        let result = Client::new(from, api)
            .patience(Duration::from_secs(5))
            .send(&call)
            .await;
        let (latency, memory) = (start.elapsed(), resident(pid));
        chronicle.probed(latency, memory);
        match result {
            Ok(answer) if answer.status == 200 => latencies.push(answer.elapsed),
            Ok(answer) => probed.failed.note(|| answer.status.to_string()),
            Err(unanswered) => probed.failed.note(|| unanswered.name().to_owned()),
        }
        probed.peak_memory = probed.peak_memory.max(memory);
        tokio::select! {
            _ = &mut stopped => break,
            _ = ticks.tick() => {}
        }
    }
    latencies.sort_unstable();
    probed.slowest = latencies.last().copied().unwrap_or_default();
    probed.median = percentile(&latencies, 50);
    probed
}
