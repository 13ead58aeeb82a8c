//! Each bar beside what was measured for it, and whether it holds.

use serde::{Deserialize, Serialize};

use super::bars::{Bar, Bars, Waiver};

/// A line of the benches' output.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Line {
    Measured(Measurement),
    Skipped(Skipped),
}

/// A case beside one of its peers.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Measurement {
    pub(super) case: String,
    pub(super) peer: String,
    pub(super) rounds: usize,
    pub(super) steady: usize,
    pub(super) ours: Spread,
    pub(super) theirs: Spread,
    pub(super) ratio: Spread,
}

/// A case that lacks what it needs.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Skipped {
    pub(super) skipped: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
pub(super) struct Spread {
    pub(super) min: f64,
    pub(super) median: f64,
    pub(super) max: f64,
}

impl Measurement {
    pub(super) fn is_of(&self, bar: &Bar) -> bool {
        self.case == bar.case && self.peer == bar.peer
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    Holds,
    /// Missed as its waiver says, and the fallback holds.
    Waived,
    Missed,
    /// Too few rounds were of use to say anything.
    Unsteady,
    NotMeasured,
    /// This machine lacks what the case needs, and said so.
    Skipped,
    /// Measured, but nothing was promised.
    NoBar,
}

impl Verdict {
    pub(super) fn fails(self) -> bool {
        matches!(self, Self::Missed | Self::Unsteady | Self::NotMeasured)
    }

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Waived => "waived",
            Self::Missed => "MISSED",
            Self::Unsteady => "UNSTEADY",
            Self::NotMeasured => "NOT MEASURED",
            Self::Skipped => "SKIPPED",
            Self::NoBar => "no bar",
        }
    }
}

/// A row of the outcome.
#[derive(Debug, Serialize)]
pub(super) struct Judged {
    pub(super) id: Option<String>,
    pub(super) case: String,
    pub(super) peer: String,
    pub(super) ours: Option<Spread>,
    pub(super) theirs: Option<Spread>,
    pub(super) ratio: Option<Spread>,
    pub(super) rounds: usize,
    pub(super) steady: usize,
    pub(super) max_ratio: Option<f64>,
    pub(super) waiver: Option<Waiver>,
    pub(super) verdict: Verdict,
}

impl Judged {
    pub(super) fn name(&self) -> &str {
        self.id.as_deref().unwrap_or(&self.case)
    }
}

/// All of it, as `--json` writes it.
#[derive(Debug, Serialize)]
pub(super) struct Report<'a> {
    verdict: &'static str,
    bars: &'a [Judged],
}

impl<'a> Report<'a> {
    pub(super) fn of(bars: &'a [Judged]) -> Self {
        let failed = bars.iter().any(|row| row.verdict.fails());
        Self {
            verdict: if failed { "missed" } else { "holds" },
            bars,
        }
    }
}

/// The bars in their order, then what was measured without one.
pub(super) fn judge(bars: &Bars, found: &[Measurement]) -> Vec<Judged> {
    let promised = bars.list.iter().map(|bar| {
        let measured = found.iter().find(|measurement| measurement.is_of(bar));
        let verdict = measured.map_or(Verdict::NotMeasured, |measured| verdict(bar, measured));
        Judged {
            id: Some(bar.id.clone()),
            max_ratio: Some(bar.max_ratio),
            waiver: bar.waiver.clone(),
            ..row(&bar.case, &bar.peer, measured, verdict)
        }
    });
    let without = found
        .iter()
        .filter(|m| !bars.list.iter().any(|bar| m.is_of(bar)));
    let without = without.map(|m| row(&m.case, &m.peer, Some(m), Verdict::NoBar));
    promised.chain(without).collect()
}

/// Marks the bars that could not be measured here.
pub(super) fn skip(judged: &mut [Judged], skipped: &[Skipped]) {
    for row in judged {
        let is_skipped = skipped.iter().any(|line| line.skipped == row.case);
        if row.verdict == Verdict::NotMeasured && is_skipped {
            row.verdict = Verdict::Skipped;
        }
    }
}

fn row(case: &str, peer: &str, measured: Option<&Measurement>, verdict: Verdict) -> Judged {
    Judged {
        id: None,
        case: case.to_owned(),
        peer: peer.to_owned(),
        ours: measured.map(|m| m.ours),
        theirs: measured.map(|m| m.theirs),
        ratio: measured.map(|m| m.ratio),
        rounds: measured.map_or(0, |m| m.rounds),
        steady: measured.map_or(0, |m| m.steady),
        max_ratio: None,
        waiver: None,
        verdict,
    }
}

fn verdict(bar: &Bar, measured: &Measurement) -> Verdict {
    // Half of a small number of rounds, or ten of a large one.
    if measured.steady * 2 < measured.rounds.min(20) {
        return Verdict::Unsteady;
    }
    let ratio = measured.ratio.median;
    if ratio <= bar.max_ratio {
        return Verdict::Holds;
    }
    match &bar.waiver {
        Some(waiver) if ratio <= waiver.fallback => Verdict::Waived,
        _ => Verdict::Missed,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::compare) fn measurement(ratio: f64) -> Measurement {
        let spread = |median: f64| Spread {
            min: median / 2.0,
            median,
            max: median * 2.0,
        };
        Measurement {
            case: "ratelimit/hot".to_owned(),
            peer: "governor".to_owned(),
            rounds: 41,
            steady: 41,
            ours: spread(100.0 * ratio),
            theirs: spread(100.0),
            ratio: spread(ratio),
        }
    }

    pub(in crate::compare) fn bars(waiver: Option<Waiver>) -> Bars {
        let bar = Bar {
            id: "hot".to_owned(),
            case: "ratelimit/hot".to_owned(),
            promising: None,
            peer: "governor".to_owned(),
            max_ratio: 0.5,
            waiver,
        };
        Bars { list: vec![bar] }
    }

    fn waiver() -> Waiver {
        Waiver {
            figure: 0.6,
            cause: "padding".to_owned(),
            fallback: 0.7,
        }
    }

    #[track_caller]
    fn check(bars: &Bars, found: &[Measurement], expected: Verdict) {
        assert_eq!(judge(bars, found)[0].verdict, expected);
    }

    #[test]
    fn the_bar_itself_still_holds() {
        check(&bars(None), &[measurement(0.5)], Verdict::Holds);
        check(&bars(None), &[measurement(0.500_1)], Verdict::Missed);
    }

    #[test]
    fn a_waiver_covers_a_miss_as_far_as_its_fallback() {
        check(&bars(Some(waiver())), &[measurement(0.7)], Verdict::Waived);
        check(&bars(Some(waiver())), &[measurement(0.71)], Verdict::Missed);
        check(&bars(Some(waiver())), &[measurement(0.4)], Verdict::Holds);
    }

    #[test]
    fn a_bar_that_nothing_was_measured_for_does_not_hold() {
        let other = Measurement {
            peer: "leaky-bucket".to_owned(),
            ..measurement(0.1)
        };
        check(&bars(None), &[other], Verdict::NotMeasured);
        assert!(Verdict::NotMeasured.fails());
    }

    #[test]
    fn a_bar_whose_case_said_what_it_lacks_is_skipped_and_no_other_is() {
        let skipped = |case: &str| Skipped {
            skipped: case.to_owned(),
        };
        let mut judged = judge(&bars(None), &[]);
        skip(&mut judged, &[skipped("ratelimit/cold")]);
        assert_eq!(judged[0].verdict, Verdict::NotMeasured);
        skip(&mut judged, &[skipped("ratelimit/hot")]);
        assert_eq!(judged[0].verdict, Verdict::Skipped);
        assert!(!Verdict::Skipped.fails());
        let mut judged = judge(&bars(None), &[measurement(9.0)]);
        skip(&mut judged, &[skipped("ratelimit/hot")]);
        assert_eq!(judged[0].verdict, Verdict::Missed);
    }

    #[test]
    fn a_ratio_that_is_no_number_does_not_hold() {
        check(&bars(None), &[measurement(f64::NAN)], Verdict::Missed);
    }

    #[test]
    fn few_useful_rounds_are_no_measurement() {
        let steady = |rounds, steady| Measurement {
            rounds,
            steady,
            ..measurement(0.1)
        };
        check(&bars(None), &[steady(164, 9)], Verdict::Unsteady);
        check(&bars(None), &[steady(164, 10)], Verdict::Holds);
        check(&bars(None), &[steady(3, 1)], Verdict::Unsteady);
        check(&bars(None), &[steady(3, 2)], Verdict::Holds);
    }

    #[test]
    fn what_has_no_bar_is_shown_and_does_not_fail() {
        let other = Measurement {
            case: "ratelimit/new".to_owned(),
            ..measurement(9.0)
        };
        let judged = judge(&bars(None), &[measurement(0.1), other]);
        assert_eq!(judged[1].verdict, Verdict::NoBar);
        assert_eq!(Report::of(&judged).verdict, "holds");
    }
}
