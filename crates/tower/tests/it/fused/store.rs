//! A memory that can be slow, or out of order.

use std::time::Duration;

use seawall_ratelimit::{Charge, MemoryStore, Now, Op, Store, StoreFailure, Verdict};

/// A memory that can be slow, or out of order.
#[derive(Clone)]
pub(super) struct Shelf {
    pub(super) memory: MemoryStore,
    pub(super) mood: Mood,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Mood {
    Prompt,
    /// Says nothing at once, and all of it later.
    Late,
    /// Later than any deadline here.
    TooLate,
    Fails(StoreFailure),
    FailsLate(StoreFailure),
    Panics,
}

#[derive(Debug)]
pub(super) struct Broken(StoreFailure);

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("broken")
    }
}

impl std::error::Error for Broken {}

impl From<Broken> for StoreFailure {
    fn from(broken: Broken) -> Self {
        broken.0
    }
}

impl Shelf {
    fn ask(&self, op: Op, charges: &[Charge<'_>], out: &mut [Verdict]) -> Result<Now, Broken> {
        let answer = self.memory.decide_now(op, charges, out);
        answer.unwrap().map_err(|never| match never {})
    }
}

impl Store for Shelf {
    type Error = Broken;

    async fn decide(
        &self,
        op: Op,
        charges: &[Charge<'_>],
        out: &mut [Verdict],
    ) -> Result<Now, Broken> {
        tokio::task::yield_now().await;
        match self.mood {
            Mood::TooLate => tokio::time::sleep(Duration::from_secs(60)).await,
            Mood::FailsLate(failure) => return Err(Broken(failure)),
            _ => {}
        }
        self.ask(op, charges, out)
    }

    fn decide_now(
        &self,
        op: Op,
        charges: &[Charge<'_>],
        out: &mut [Verdict],
    ) -> Option<Result<Now, Broken>> {
        match self.mood {
            Mood::Prompt => Some(self.ask(op, charges, out)),
            Mood::Fails(failure) => Some(Err(Broken(failure))),
            Mood::Panics => panic!("the store lost its mind"),
            Mood::Late | Mood::TooLate | Mood::FailsLate(_) => None,
        }
    }
}
