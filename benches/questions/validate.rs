//! What does a body cost that is read, normalised and checked? Peers: `serde_json` with garde, validator.
#![allow(
    missing_docs,
    reason = "criterion's macros write a main function without any"
)]

use criterion::{Criterion, criterion_group, criterion_main};
use seawall_benches::{areas, bench_area};

fn validate(criterion: &mut Criterion) {
    bench_area(criterion, areas::validate::area());
}

criterion_group!(benches, validate);
criterion_main!(benches);
