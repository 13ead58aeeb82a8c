//! A queue delivers a job twice, and the job is done once.

use std::cell::Cell;

use seawall_idempotency::{Idempotency, IdempotencyKey, MemoryStore, Outcome, Policy, Run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let jobs = Idempotency::new(MemoryStore::new(), Policy::at_most_once())?;
    let charged = Cell::new(0);

    for (delivery, cents) in [("order-17", 500), ("order-17", 500), ("order-18", 900)] {
        let key = IdempotencyKey::new(delivery)?;
        let request = format!("charge {cents}");
        let charge = |_claim| async {
            charged.set(charged.get() + cents);
            Ok::<_, std::io::Error>(Outcome::new(format!("receipt for {cents}")))
        };
        match jobs.run(&key, request.as_bytes(), charge).await? {
            Run::Executed(_) => println!("{delivery}: charged"),
            Run::Replayed(_) => println!("{delivery}: charged before"),
            other => println!("{delivery}: {other:?}"),
        }
    }
    println!("{} cents in all", charged.get());
    Ok(())
}
