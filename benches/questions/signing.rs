//! What do verifying and signing cost? Peers: standardwebhooks, webhook-verify, ring.
#![allow(
    missing_docs,
    reason = "criterion's macros write a main function without any"
)]

use criterion::{Criterion, criterion_group, criterion_main};
use seawall_benches::{areas, bench_area};

fn signing(criterion: &mut Criterion) {
    bench_area(criterion, areas::signing::area());
}

criterion_group!(benches, signing);
criterion_main!(benches);
