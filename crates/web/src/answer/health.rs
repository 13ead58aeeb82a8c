//! The answers to probes are whole when they leave the leaf; what is decided here is which of them
//! may be touched.

use seawall_health::Answer;

/// Whether the body is the probe's own and has to reach the caller as it is, though its status may be
/// an error's: a failing probe says so in `application/health+json`. A refused method is no probe, and
/// its answer is an error like any other.
#[must_use]
pub fn speaks_for_itself(answer: &Answer) -> bool {
    matches!(answer.status(), 200 | 503)
}
