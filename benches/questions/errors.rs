//! What do ids cost, and errors that do not happen, and one that does? Peers: tower-http, a bare
//! extension, `serde_json`.
#![allow(
    missing_docs,
    reason = "criterion's macros write a main function without any"
)]

use criterion::{Criterion, criterion_group, criterion_main};
use seawall_benches::{areas, bench_area};

fn errors(criterion: &mut Criterion) {
    bench_area(criterion, areas::errors::area());
}

criterion_group!(benches, errors);
criterion_main!(benches);
