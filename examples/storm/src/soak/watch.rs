//! Looks at the shop as a whole, again and again: its ledger, its memory, and what all answers have in
//! common.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::memory::Memory;
use super::scene::Scene;
use super::weather::Cause;
use crate::client::Call;
use crate::service::{Trouble, allocated};

const EVERY: Duration = Duration::from_secs(1);

/// Until the soak is over, or something broke. Tells how it stands from time to time.
pub(super) async fn over(scene: &Arc<Scene>) -> Result<Memory, Trouble> {
    let mut memory = Memory::new(scene.options.length);
    let mut told = Instant::now();
    while scene.goes_on() {
        scene.diary.pause(EVERY).await;
        if let Some(bytes) = allocated(scene.ground.pid())
            && let Some(got) = memory.sample(scene.diary.age(), bytes)
        {
            scene
                .diary
                .broke("memory is bounded, and flat once warm", got);
        }
        read_ledger(scene).await?;
        audit(scene);
        if told.elapsed() >= TELL {
            told = Instant::now();
            eprintln!("{}", stand(scene, &memory));
        }
    }
    Ok(memory)
}

const TELL: Duration = Duration::from_secs(60);

/// How the soak stands, in one line.
pub(super) fn stand(scene: &Scene, memory: &Memory) -> String {
    let (begun, paid) = scene.books.counts();
    format!(
        "{} s: {} requests, {paid} of {begun} payments, {}; {}",
        scene.diary.age().as_secs(),
        scene.audit.requests(),
        scene.diary.faults(),
        memory.told(),
    )
}

/// When everything that was begun is done, and nothing has been broken for a while: ledger, audit, and
/// whether the shop is ready for more.
pub(super) async fn at_the_end(scene: &Arc<Scene>) -> Result<(), Trouble> {
    read_ledger(scene).await?;
    audit(scene);
    let (begun, paid) = scene.books.counts();
    if begun != paid {
        scene.diary.broke(
            "every payment has its receipt",
            format!("{paid} of {begun}"),
        );
    }
    let start = Instant::now();
    loop {
        let answer = scene.visitor().ask(&Call::get("/readyz"), &[]).await;
        if answer.is_some_and(|answer| answer.status == 200) {
            return Ok(());
        }
        if start.elapsed() > READY {
            let what = format!("ready {} s after the last fault", READY.as_secs());
            scene.diary.broke(what, "/readyz does not say 200");
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

const READY: Duration = Duration::from_secs(10);

async fn read_ledger(scene: &Scene) -> Result<(), Trouble> {
    let since = Instant::now();
    match scene.ground.charges(scene.books.read_after()).await {
        Ok(charges) => scene.books.read(&charges, since, &scene.diary),
        Err(_) if !scene.was_fair(&[Cause::Store], since) => {}
        Err(trouble) => return Err(trouble),
    }
    Ok(())
}

/// What is looked for in every answer: leaks, shape, waits.
fn audit(scene: &Scene) {
    if let Some(check) = scene.audit.checks().into_iter().find(|check| !check.ok) {
        scene.diary.broke(format!("no {}", check.what), check.got);
    }
}
