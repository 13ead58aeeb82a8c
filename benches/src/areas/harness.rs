//! The harness measures itself: ratios that are known beforehand must come out.

use std::hint::black_box;

use crate::{
    area::{Area, Case},
    work::{allocations, constant, repeat, threads},
};

/// Cases whose ratios are known.
#[must_use]
pub fn area() -> Area {
    Area::new("harness")
        .case(
            Case::new("equal-work", || repeat(|| mix(200))).peer("itself", || repeat(|| mix(200))),
        )
        .case(
            Case::new("half-the-work", || repeat(|| mix(200)))
                .peer("twice-the-work", || repeat(|| mix(400))),
        )
        .case(
            Case::new("layer-over-a-service", || repeat(|| mix(400)))
                .peer("layer-of-four", || repeat(|| mix(700)))
                .over("service", || repeat(|| mix(300))),
        )
        .case(
            Case::new("two-threads", || threads(2, |_| mix(200)))
                .peer("one-thread", || repeat(|| mix(200))),
        )
        .case(
            Case::heap("one-allocation", || allocations(|| Box::new(1_u64)))
                .peer("bound", || constant(1.0)),
        )
}

/// Work in proportion to `steps`, each of which waits for the one before.
fn mix(steps: u32) -> u64 {
    let mut state = black_box(0x9e37_79b9_7f4a_7c15_u64);
    for _ in 0..steps {
        state = (state ^ (state >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    state
}
