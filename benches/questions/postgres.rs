//! What does a replay over PostgreSQL cost? Peer: the row read by its key.
#![allow(
    missing_docs,
    reason = "criterion's macros write a main function without any"
)]

use criterion::{Criterion, criterion_group, criterion_main};
use seawall_benches::{areas, bench_area};

fn postgres(criterion: &mut Criterion) {
    bench_area(criterion, areas::postgres::area());
}

criterion_group!(benches, postgres);
criterion_main!(benches);
