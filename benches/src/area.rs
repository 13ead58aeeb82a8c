//! What is compared: an area holds cases, a case holds our side and the peers'.

use crate::work::Work;

/// The cases of one crate.
#[derive(Debug)]
#[non_exhaustive]
pub struct Area {
    /// The folder name of the crate.
    pub name: &'static str,
    /// In the order in which they are measured.
    pub cases: Vec<Case>,
}

impl Area {
    /// An area without cases.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            cases: Vec::new(),
        }
    }

    /// Adds a case.
    #[must_use]
    pub fn case(mut self, case: Case) -> Self {
        self.cases.push(case);
        self
    }
}

/// One question put to us and to the peers.
#[derive(Debug)]
#[non_exhaustive]
pub struct Case {
    /// Unique in its area, in the manner of `hot-key-allow-2-threads`.
    pub name: &'static str,
    /// What the figures are.
    pub measure: Measure,
    /// What both sides have in common, for layers: it is taken off both before they are divided.
    pub baseline: Option<Side>,
    /// The side of this workspace.
    pub ours: Side,
    /// Whom it is compared with.
    pub peers: Vec<Side>,
    /// How many rounds, where the default would take too long or tell too little.
    pub rounds: Option<usize>,
    /// Says what is not there without which the case cannot be measured.
    pub needs: Option<fn() -> Result<(), String>>,
}

/// What a case measures, and so in which build it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Measure {
    /// Nanoseconds an operation, or any other figure that an ordinary build can take.
    Time,
    /// Allocations or bytes, which take the feature `heap`.
    Heap,
}

impl Case {
    /// A case of time with our side. The setup runs only when the case is measured, and its state
    /// is gone before the next case.
    #[must_use]
    pub fn new(name: &'static str, setup: impl FnOnce() -> Work + 'static) -> Self {
        Self {
            name,
            measure: Measure::Time,
            baseline: None,
            ours: Side::new("ours", setup),
            peers: Vec::new(),
            rounds: None,
            needs: None,
        }
    }

    /// As [`Case::new`], measured only in builds that count allocations.
    #[must_use]
    pub fn heap(name: &'static str, setup: impl FnOnce() -> Work + 'static) -> Self {
        Self {
            measure: Measure::Heap,
            ..Self::new(name, setup)
        }
    }

    /// Adds a peer. One that is named `bound`, made with [`constant`](crate::constant), turns a
    /// ratio into an absolute promise.
    #[must_use]
    pub fn peer(mut self, name: &'static str, setup: impl FnOnce() -> Work + 'static) -> Self {
        self.peers.push(Side::new(name, setup));
        self
    }

    /// Takes what this work costs off both sides: the bare service under the layers.
    #[must_use]
    pub fn over(mut self, name: &'static str, setup: impl FnOnce() -> Work + 'static) -> Self {
        self.baseline = Some(Side::new(name, setup));
        self
    }

    /// Sets the number of rounds.
    #[must_use]
    pub fn rounds(mut self, rounds: usize) -> Self {
        self.rounds = Some(rounds);
        self
    }

    /// Has the case skipped, aloud, where something is missing that cannot be built: a server.
    #[must_use]
    pub fn needing(mut self, needs: fn() -> Result<(), String>) -> Self {
        self.needs = Some(needs);
        self
    }

    /// What is missing, if anything.
    #[must_use]
    pub fn missing(&self) -> Option<String> {
        self.needs.and_then(|needs| needs().err())
    }
}

/// A name and the work that goes by it.
pub struct Side {
    pub(crate) name: &'static str,
    pub(crate) setup: Box<dyn FnOnce() -> Work>,
}

impl Side {
    fn new(name: &'static str, setup: impl FnOnce() -> Work + 'static) -> Self {
        Self {
            name,
            setup: Box::new(setup),
        }
    }

    /// By which bars and reports call it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Builds the state and returns what is measured.
    #[must_use]
    pub fn build(self) -> Work {
        (self.setup)()
    }
}

impl std::fmt::Debug for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Side")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
