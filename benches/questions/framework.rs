//! What does a service pay for all of it together, and for a refusal? Peers: tower-http, `tower_governor`.
#![allow(
    missing_docs,
    reason = "criterion's macros write a main function without any"
)]

use criterion::{Criterion, criterion_group, criterion_main};
use seawall_benches::{areas, bench_area};

fn framework(criterion: &mut Criterion) {
    bench_area(criterion, areas::framework::area());
}

criterion_group!(benches, framework);
criterion_main!(benches);
