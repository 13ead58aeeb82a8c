//! The same cases for `cargo bench`: criterion draws distributions, `compare` decides.

use std::time::Duration;

use criterion::Criterion;

use crate::{
    area::{Area, Case, Measure, Side},
    work::Kind,
};

/// Measures the loops of an area, one side after the other. Figures and heap cases are left to
/// `compare`, since criterion knows time alone.
#[expect(
    clippy::print_stderr,
    reason = "a skip is told beside criterion's own report"
)]
pub fn bench_area(criterion: &mut Criterion, area: Area) {
    for case in area.cases {
        if let Some(missing) = case.missing() {
            eprintln!("SKIPPED {}/{}: {missing}", area.name, case.name);
            continue;
        }
        let Case {
            name,
            measure,
            baseline,
            ours,
            peers,
            ..
        } = case;
        if measure == Measure::Heap {
            continue;
        }
        let mut group = criterion.benchmark_group(format!("{}/{name}", area.name));
        let sides = [Some(ours), baseline].into_iter().flatten().chain(peers);
        for side in sides {
            bench_side(&mut group, side);
        }
        group.finish();
    }
}

fn bench_side(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    side: Side,
) {
    let name = side.name;
    let mut work = side.build();
    if !matches!(work.kind, Kind::Loop { .. }) {
        return;
    }
    group.bench_function(name, |bencher| {
        bencher
            .iter_custom(|operations| Duration::from_secs_f64((work.run)(operations).value / 1e9));
    });
}
