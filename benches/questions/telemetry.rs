//! What does it cost to be counted? Peers: an observer that does nothing, and a counter that is
//! registered by name at each event, as the facade's macros do.
#![allow(
    missing_docs,
    reason = "criterion's macros write a main function without any"
)]

use criterion::{Criterion, criterion_group, criterion_main};
use seawall_benches::{areas, bench_area};

fn telemetry(criterion: &mut Criterion) {
    bench_area(criterion, areas::telemetry::area());
}

criterion_group!(benches, telemetry);
criterion_main!(benches);
