//! What does remembering cost? Peers: dashmap; one commit at a time.
#![allow(
    missing_docs,
    reason = "criterion's macros write a main function without any"
)]

use criterion::{Criterion, criterion_group, criterion_main};
use seawall_benches::{areas, bench_area};

fn idempotency(criterion: &mut Criterion) {
    bench_area(criterion, areas::idempotency::area());
}

criterion_group!(benches, idempotency);
criterion_main!(benches);
