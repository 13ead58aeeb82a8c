//! A measurement of what an attacker would measure. Ignored by default: it needs a quiet machine.

use std::hint::black_box;
use std::time::Instant;

use seawall_signing::verify_signature;

/// Compares signatures wrong in the first byte with signatures wrong in the last, in turn, by
/// Welch's t. Beyond 10 the two are told apart; a comparison that stops at the first difference is
/// far beyond that.
#[test]
#[ignore = "needs a quiet machine"]
#[expect(
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "it measures time"
)]
fn a_wrong_first_byte_takes_as_long_as_a_wrong_last() {
    const RIGHT: &str = "aa9e2e3575f5d7098b6caccd790888c36d5fdb63342a73bada2d6a51747a8494";
    let wrong = [format!("bb{}", &RIGHT[2..]), format!("{}bb", &RIGHT[..62])];
    let mut times: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    for round in 0..200_000 {
        let class = (round ^ (round >> 3)) & 1;
        let start = Instant::now();
        assert!(!verify_signature(
            black_box(br#"{"a":1}"#),
            black_box(&wrong[class]),
            b"secret"
        ));
        times[class].push(start.elapsed().as_nanos() as f64);
    }
    let figures = times.map(|mut sample| {
        // The slowest tenth is the machine's doing.
        sample.sort_by(f64::total_cmp);
        sample.truncate(sample.len() * 9 / 10);
        let count = sample.len() as f64;
        let mean = sample.iter().sum::<f64>() / count;
        let variance = sample.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance / count)
    });
    let t = (figures[0].0 - figures[1].0) / (figures[0].1 + figures[1].1).sqrt();
    assert!(
        t.abs() < 10.0,
        "t = {t}, means {} and {} ns",
        figures[0].0,
        figures[1].0
    );
}
