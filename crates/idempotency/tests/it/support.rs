//! Stores that fail on demand, and work that counts itself.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use seawall_idempotency::{
    Caps, Completion, Event, Idempotency, IdempotencyKey, ManualClock, MemoryStore, Observer,
    Outcome, Policy, RecordId, Reserve, Reserved, Settled, Store, StoreFailure, Token, Wait,
};

pub(crate) fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::new(text).unwrap()
}

pub(crate) fn front(policy: Policy) -> Idempotency<MemoryStore> {
    Idempotency::new(MemoryStore::new(), policy).unwrap()
}

/// A front whose store's clock is moved by hand.
pub(crate) fn by_hand(policy: Policy) -> (Idempotency<MemoryStore>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    let store = MemoryStore::builder()
        .clock(Arc::clone(&clock))
        .build()
        .unwrap();
    (Idempotency::new(store, policy).unwrap(), clock)
}

/// Counts how often it is done.
#[derive(Clone, Debug, Default)]
pub(crate) struct Work(Arc<AtomicUsize>);

impl Work {
    pub(crate) fn done(&self) -> usize {
        self.0.load(SeqCst)
    }

    /// Does it, and tells the how manieth time that was.
    pub(crate) fn outcome(&self) -> Outcome {
        let nth = self.0.fetch_add(1, SeqCst) + 1;
        Outcome::new(format!("run {nth}")).status(201)
    }
}

pub(crate) type Never = Infallible;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failed;

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("failed")
    }
}

impl Error for Failed {}

/// The words of all that happened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<&'static str>>>);

impl Log {
    pub(crate) fn words(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().clone()
    }
}

impl Observer for Log {
    fn observe(&self, event: Event<'_>) {
        self.0.lock().unwrap().push(event.as_str());
    }
}

/// Passes on to memory what it does not fail at.
#[derive(Clone, Debug)]
pub(crate) struct Faulty {
    pub(crate) store: MemoryStore,
    fault: Arc<AtomicU32>,
    left: Arc<AtomicUsize>,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The step is not made, and nobody answers.
    Down = 1,
    /// The step is made, and its reply lost.
    ReplyLost = 2,
    /// The store says no.
    No = 3,
}

#[derive(Debug)]
pub(crate) struct FaultyError(Fault);

impl fmt::Display for FaultyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl Error for FaultyError {}

impl From<FaultyError> for StoreFailure {
    fn from(error: FaultyError) -> Self {
        if error.0 == Fault::No {
            Self::refused(error)
        } else {
            Self::unavailable(error)
        }
    }
}

impl Faulty {
    pub(crate) fn new() -> Self {
        Self {
            store: MemoryStore::new(),
            fault: Arc::default(),
            left: Arc::default(),
        }
    }

    /// Fails at the next `times` steps.
    pub(crate) fn fail(&self, fault: Fault, times: usize) {
        self.fault.store(fault as u32, SeqCst);
        self.left.store(times, SeqCst);
    }

    async fn step<T>(&self, step: impl AsyncFnOnce() -> T) -> Result<T, FaultyError> {
        let fails = self
            .left
            .fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        if fails.is_err() {
            return Ok(step().await);
        }
        Err(FaultyError(match self.fault.load(SeqCst) {
            1 => Fault::Down,
            2 => {
                step().await;
                Fault::ReplyLost
            }
            _ => Fault::No,
        }))
    }
}

impl Store for Faulty {
    type Error = FaultyError;

    async fn reserve(&self, reserve: Reserve) -> Result<Reserved, FaultyError> {
        let answer = self
            .step(async || self.store.reserve(reserve).await)
            .await?;
        let Ok(answer) = answer;
        Ok(answer)
    }

    async fn complete(&self, completion: &Completion) -> Result<Settled, FaultyError> {
        let settled = self
            .step(async || self.store.complete(completion).await)
            .await?;
        let Ok(settled) = settled;
        Ok(settled)
    }

    async fn release(&self, token: Token) -> Result<Settled, FaultyError> {
        let settled = self.step(async || self.store.release(token).await).await?;
        let Ok(settled) = settled;
        Ok(settled)
    }

    async fn renew(&self, token: Token, lease: Duration) -> Result<Settled, FaultyError> {
        let settled = self
            .step(async || self.store.renew(token, lease).await)
            .await?;
        let Ok(settled) = settled;
        Ok(settled)
    }

    async fn sweep(&self, most: usize) -> Result<usize, FaultyError> {
        let swept = self.step(async || self.store.sweep(most).await).await?;
        let Ok(swept) = swept;
        Ok(swept)
    }

    async fn changed(&self, id: RecordId, wait: Wait) {
        let _ = id;
        tokio::time::sleep(wait.pause).await;
    }

    fn caps(&self) -> Caps {
        self.store.caps()
    }
}

/// Numbers that look random, and are the same for the same seed (`SplitMix64`).
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    pub(crate) fn millis(&mut self, most: u64) -> Duration {
        Duration::from_millis(self.below(most))
    }
}
