//! A dependency that tests can switch, and that counts.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use seawall_health::{Access, Answer, Check, Health, Probe};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone, Default)]
pub(crate) struct Dependency(Arc<Counts>);

#[derive(Default)]
struct Counts {
    mode: AtomicUsize,
    runs: AtomicUsize,
    running: AtomicUsize,
    most: AtomicUsize,
}

#[derive(Clone, Copy)]
pub(crate) enum Mode {
    Up = 0,
    Down = 1,
    Hangs = 2,
    Panics = 3,
    Slow = 4,
}

impl Dependency {
    pub(crate) fn set(&self, mode: Mode) {
        self.0.mode.store(mode as usize, Ordering::SeqCst);
    }

    /// How often it was asked.
    pub(crate) fn runs(&self) -> usize {
        self.0.runs.load(Ordering::SeqCst)
    }

    /// How many asked at the same time, at most.
    pub(crate) fn most(&self) -> usize {
        self.0.most.load(Ordering::SeqCst)
    }

    /// A check of it, without chance: asked every second, for half a second, believed at once.
    pub(crate) fn check(&self, name: &str) -> Check {
        let counts = Arc::clone(&self.0);
        Check::new(name, move || ask(Arc::clone(&counts)))
            .every(SECOND)
            .timeout(SECOND / 2)
            .jitter(0.0)
            .fail_after(1)
            .recover_after(1)
    }
}

async fn ask(counts: Arc<Counts>) -> Result<(), std::io::Error> {
    struct Running(Arc<Counts>);
    impl Drop for Running {
        fn drop(&mut self) {
            self.0.running.fetch_sub(1, Ordering::SeqCst);
        }
    }
    counts.runs.fetch_add(1, Ordering::SeqCst);
    let running = counts.running.fetch_add(1, Ordering::SeqCst) + 1;
    counts.most.fetch_max(running, Ordering::SeqCst);
    let _running = Running(Arc::clone(&counts));
    match counts.mode.load(Ordering::SeqCst) {
        0 => Ok(()),
        1 => Err(std::io::ErrorKind::ConnectionRefused.into()),
        2 => pending().await,
        3 => panic!("on purpose"),
        _ => {
            tokio::time::sleep(SECOND / 4).await;
            Ok(())
        }
    }
}

pub(crate) async fn probe(health: &Health, probe: Probe) -> Answer {
    health.answer(probe, "GET", Access::Public).await
}

pub(crate) async fn status(health: &Health, asked: Probe) -> u16 {
    probe(health, asked).await.status()
}

/// The body which somebody authorised gets.
pub(crate) async fn full(health: &Health, probe: Probe) -> String {
    let answer = health.answer(probe, "GET", Access::Authorized).await;
    String::from_utf8(answer.into_body()).unwrap()
}
