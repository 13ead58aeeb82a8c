//! Does the harness measure what it is given? Peers: the same work, twice the work.
#![allow(
    missing_docs,
    reason = "criterion's macros write a main function without any"
)]

use criterion::{Criterion, criterion_group, criterion_main};
use seawall_benches::{areas, bench_area};

fn harness(criterion: &mut Criterion) {
    bench_area(criterion, areas::harness::area());
}

criterion_group!(benches, harness);
criterion_main!(benches);
