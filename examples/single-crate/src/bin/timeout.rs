//! Three steps share one second, and each is told what the ones before it have left.

use std::time::Duration;

use seawall_timeout::{Elapsed, total, within};
use tokio::time::sleep;

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    for steps in [[300, 300, 300], [300, 600, 300], [900, 10, 10]] {
        match total(Duration::from_secs(1), run(steps)).await {
            Ok(Ok(())) => println!("{steps:?}: done"),
            Ok(Err(step)) => println!("{steps:?}: a step {step}"),
            Err(whole) => println!("{steps:?}: the whole {whole}"),
        }
    }
}

/// Each step may take half a second, or what is left of the whole if that is less.
async fn run(steps: [u64; 3]) -> Result<(), Elapsed> {
    for step in steps {
        within(
            Duration::from_millis(500),
            sleep(Duration::from_millis(step)),
        )
        .await?;
    }
    Ok(())
}
