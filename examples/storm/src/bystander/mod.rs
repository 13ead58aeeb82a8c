//! Those who do nothing wrong while the storm is on: the load balancer's probe and the crowd.
//!
//! They live on a thread of their own, so that storm's attackers do not slow storm's witnesses.

mod crowd;
mod probe;

pub(crate) use crowd::{Crowd, Outcome, Phase, Visit};
pub(crate) use probe::{Probe, Probed};
