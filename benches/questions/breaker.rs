//! What does a circuit breaker cost while all is well, and while it is open? Peers: failsafe,
//! recloser, tower-resilience-circuitbreaker.
#![allow(
    missing_docs,
    reason = "criterion's macros write a main function without any"
)]

use criterion::{Criterion, criterion_group, criterion_main};
use seawall_benches::{areas, bench_area};

fn breaker(criterion: &mut Criterion) {
    bench_area(criterion, areas::breaker::area());
}

criterion_group!(benches, breaker);
criterion_main!(benches);
