//! What does a limited call pay for its limit? Peers: governor, `tower_governor`.
#![allow(
    missing_docs,
    reason = "criterion's macros write a main function without any"
)]

use criterion::{Criterion, criterion_group, criterion_main};
use seawall_benches::{areas, bench_area};

fn ratelimit(criterion: &mut Criterion) {
    bench_area(criterion, areas::ratelimit::area());
}

criterion_group!(benches, ratelimit);
criterion_main!(benches);
