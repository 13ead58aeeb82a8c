//! Seawall beside its peers: cases, and a harness that measures all sides of a case in turn.
//!
//! A shared machine drifts: it is faster now than in a minute. Cases that run one after the other
//! put that drift into their ratio. Here every round runs each side of a case once, for a
//! millisecond or two, and the ratio is taken round by round; what is reported is the median of
//! those ratios.
//!
//! `README.md` beside this crate tells how to add an area.

mod area;
pub mod areas;
mod clock;
mod criterion_target;
pub mod memory;
mod report;
mod rounds;
mod spread;
mod work;

pub use area::{Area, Case, Measure, Side};
pub use criterion_target::bench_area;
pub use report::{Measurement, Skipped};
pub use rounds::{Settings, measure};
pub use spread::Spread;
pub use work::{
    Sample, Turn, Work, allocations, constant, figure, peak_bytes, repeat, threads, timed,
};
