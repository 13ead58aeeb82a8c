//! What is told of a case and one of its peers: one line of JSON.

use serde::Serialize;

use crate::spread::Spread;

/// A case that was not measured, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Skipped {
    /// `area/case`, as bars name it.
    pub skipped: String,
    /// What is missing.
    pub why: String,
}

impl Skipped {
    /// A case that something is missing for.
    #[must_use]
    pub fn new(case: String, why: String) -> Self {
        Self { skipped: case, why }
    }
}

/// The outcome of a case against one peer. Times are nanoseconds an operation.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Measurement {
    /// `area/case`, as bars name it.
    pub case: String,
    /// The name of the peer.
    pub peer: &'static str,
    /// How many rounds were run.
    pub rounds: usize,
    /// In how many of them every side did what it should; only these count.
    pub steady: usize,
    /// Our side, what both sides share taken off.
    pub ours: Spread,
    /// The peer's side, likewise.
    pub theirs: Spread,
    /// Ours divided by theirs, round by round. Its median is held against the bar.
    pub ratio: Spread,
    /// What was taken off, if anything.
    pub baseline: Option<Spread>,
}
