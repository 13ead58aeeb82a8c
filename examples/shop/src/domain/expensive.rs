//! The operation that costs real CPU time, so that a burst of it is felt by everybody.

use sha2::{Digest, Sha256};

use super::Shop;

/// Some milliseconds of one core, with or without SHA instructions: 200 of them at once are felt by
/// everybody, the ten that a quota lets through by nobody. An unoptimised build does less, since it
/// takes fifty times as long for each.
const ROUNDS: u32 = if cfg!(debug_assertions) { 500 } else { 60_000 };

impl Shop {
    /// Hashes for a while and returns the digest in hex. Runs off the async threads, as it should:
    /// the cost is the machine's, whoever calls.
    ///
    /// # Panics
    ///
    /// Only when the runtime is going away.
    pub async fn expensive_operation(&self) -> String {
        tokio::task::spawn_blocking(grind)
            .await
            .expect("the runtime outlives its requests")
    }
}

fn grind() -> String {
    let mut block = [0; 32];
    for _ in 0..ROUNDS {
        block = Sha256::digest(block).into();
    }
    super::webhook::hex(&block)
}
