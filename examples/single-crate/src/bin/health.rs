//! What a probe is told while a dependency comes and goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use seawall_health::{Access, Check, Failure, Fault, Health, Probe};
use tokio::time::sleep;

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let is_up = Arc::new(AtomicBool::new(true));
    let seen = Arc::clone(&is_up);
    let ping = move || {
        let is_up = seen.load(Ordering::Relaxed);
        async move {
            if is_up {
                Ok(())
            } else {
                Err(Failure::new(Fault::Refused, "connection refused"))
            }
        }
    };
    let database = Check::new("database", ping)
        .critical()
        .every(Duration::from_secs(5));
    let health = Health::builder().check(database).build()?;
    health.start();

    for is_there in [true, false, true] {
        is_up.store(is_there, Ordering::Relaxed);
        sleep(Duration::from_secs(60)).await;
        let ready = health.answer(Probe::Ready, "GET", Access::Public).await;
        let live = health.answer(Probe::Live, "GET", Access::Public).await;
        println!("ready {}, live {}", ready.status(), live.status());
    }
    Ok(())
}
