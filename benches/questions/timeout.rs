//! What does a bound on a wait cost when nothing is slow? Peers: `tokio::time::timeout`, tower's
//! `TimeoutLayer`, `futures::join!` by hand.
#![allow(
    missing_docs,
    reason = "criterion's macros write a main function without any"
)]

use criterion::{Criterion, criterion_group, criterion_main};
use seawall_benches::{areas, bench_area};

fn timeout(criterion: &mut Criterion) {
    bench_area(criterion, areas::timeout::area());
}

criterion_group!(benches, timeout);
criterion_main!(benches);
