//! The rounds: every side of a case in turn, a short batch each, many times over.

use std::time::Duration;

use crate::{
    area::Case,
    report::Measurement,
    spread::Spread,
    work::{Batch, Kind, Sample, Work},
};

/// How long is measured.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Settings {
    /// Rounds of a case that does not choose for itself.
    pub rounds: usize,
    /// How long one side works in one round; cases of several threads take a fifth of it, in four
    /// times as many rounds.
    pub batch: Duration,
}

impl Default for Settings {
    /// 41 rounds of 2 ms: a case against two peers takes a quarter of a second, and the median of
    /// 41 ratios scatters by about one hundredth on a busy machine.
    fn default() -> Self {
        Self {
            rounds: 41,
            batch: Duration::from_millis(2),
        }
    }
}

impl Settings {
    /// Sets the number of rounds. Default: 41.
    #[must_use]
    pub fn rounds(mut self, rounds: usize) -> Self {
        self.rounds = rounds;
        self
    }

    /// Sets the length of one side's turn. Default: 2 ms.
    #[must_use]
    pub fn batch(mut self, batch: Duration) -> Self {
        self.batch = batch;
        self
    }
}

/// Builds the sides of a case, measures them in turn and compares us with each peer.
///
/// A peer against whom no round was of use is left out; whoever asked for it must notice.
#[must_use]
pub fn measure(area: &str, case: Case, settings: Settings) -> Vec<Measurement> {
    let name = format!("{area}/{}", case.name);
    let names: Vec<_> = case.peers.iter().map(|peer| peer.name).collect();
    let mut sides = vec![Player::new(case.ours.build(), settings)];
    sides.extend(
        case.peers
            .into_iter()
            .map(|peer| Player::new(peer.build(), settings)),
    );
    let baseline = case
        .baseline
        .map(|side| Player::new(side.build(), settings));
    let has_baseline = baseline.is_some();
    sides.extend(baseline);

    let threaded = sides.iter().any(|side| {
        side.work.kind
            == Kind::Loop {
                batch: Batch::Short,
            }
    });
    let rounds = case
        .rounds
        .unwrap_or(settings.rounds * if threaded { 4 } else { 1 });
    let table: Vec<Vec<Sample>> = (0..rounds).map(|round| play(&mut sides, round)).collect();

    let constants: Vec<_> = sides
        .iter()
        .map(|side| side.work.kind == Kind::Constant)
        .collect();
    let compare = |(index, peer)| {
        let duel = Duel::of(&table, index + 1, has_baseline, constants[index + 1])?;
        Some(duel.report(name.clone(), peer, rounds))
    };
    names.into_iter().enumerate().filter_map(compare).collect()
}

/// One round. Who begins changes from round to round, since the first finds the caches cold.
fn play(sides: &mut [Player], round: usize) -> Vec<Sample> {
    let mut samples = vec![
        Sample {
            value: 0.0,
            steady: false
        };
        sides.len()
    ];
    for turn in 0..sides.len() {
        let index = (round + turn) % sides.len();
        samples[index] = sides[index].turn();
    }
    samples
}

/// A side with the number of operations that fills its batch.
struct Player {
    work: Work,
    operations: u64,
}

impl Player {
    fn new(mut work: Work, settings: Settings) -> Self {
        let operations = match work.kind {
            Kind::Loop {
                batch: Batch::Whole,
            } => calibrate(&mut work, settings.batch),
            Kind::Loop {
                batch: Batch::Short,
            } => calibrate(&mut work, settings.batch / 5),
            Kind::Figure | Kind::Constant => 1,
        };
        Self { work, operations }
    }

    /// The figure of one operation.
    #[expect(clippy::cast_precision_loss, reason = "no batch holds 2^53 operations")]
    fn turn(&mut self) -> Sample {
        let sample = (self.work.run)(self.operations);
        match self.work.kind {
            Kind::Loop { .. } => Sample {
                value: sample.value / self.operations as f64,
                ..sample
            },
            Kind::Figure | Kind::Constant => sample,
        }
    }
}

/// Doubles the number of operations until they take half of the batch, then scales it: this warms
/// caches and branch predictors as well.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate, bounded on both sides"
)]
fn calibrate(work: &mut Work, batch: Duration) -> u64 {
    let target = batch.as_secs_f64() * 1e9;
    let mut operations: u64 = 1;
    loop {
        let took = (work.run)(operations).value;
        if took * 2.0 >= target || operations >= MOST_OPERATIONS {
            let scaled = operations as f64 * target / took.max(1.0);
            return (scaled as u64).clamp(1, MOST_OPERATIONS);
        }
        operations *= 2;
    }
}

/// Below a hundredth of a nanosecond an operation, the work was optimised away.
const MOST_OPERATIONS: u64 = 1 << 28;

/// Our figures beside one peer's, of the rounds in which all was well.
struct Duel {
    ours: Vec<f64>,
    theirs: Vec<f64>,
    ratios: Vec<f64>,
    baseline: Vec<f64>,
}

impl Duel {
    /// `peer` is the peer's column; ours is the first and the baseline, if any, the last one.
    fn of(table: &[Vec<Sample>], peer: usize, baseline: bool, constant: bool) -> Option<Self> {
        let mut duel = Self {
            ours: Vec::new(),
            theirs: Vec::new(),
            ratios: Vec::new(),
            baseline: Vec::new(),
        };
        for round in table {
            let shared = if baseline {
                round.last()?
            } else {
                &Sample {
                    value: 0.0,
                    steady: true,
                }
            };
            let (ours, theirs) = (round.first()?, round.get(peer)?);
            let own = ours.value - shared.value;
            // A bound is stated without what is shared.
            let other = theirs.value - if constant { 0.0 } else { shared.value };
            let usable = ours.steady && theirs.steady && shared.steady && other > 0.0;
            if !usable || !own.is_finite() {
                continue;
            }
            duel.ours.push(own);
            duel.theirs.push(other);
            duel.ratios.push(own / other);
            duel.baseline.extend(baseline.then_some(shared.value));
        }
        (!duel.ratios.is_empty()).then_some(duel)
    }

    fn report(self, case: String, peer: &'static str, rounds: usize) -> Measurement {
        let spread = |figures| Spread::of(figures).expect("a duel has at least one round");
        Measurement {
            case,
            peer,
            rounds,
            steady: self.ratios.len(),
            baseline: Spread::of(self.baseline),
            ours: spread(self.ours),
            theirs: spread(self.theirs),
            ratio: spread(self.ratios),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use super::*;
    use crate::work::{constant, figure, timed};

    fn quick() -> Settings {
        Settings::default()
            .rounds(5)
            .batch(Duration::from_micros(100))
    }

    /// Work that claims to take so long, and takes no time.
    fn claims(nanoseconds: u32) -> Work {
        timed(move |operations| {
            let operations = u32::try_from(operations).expect("few operations fill a short batch");
            Duration::from_nanos(u64::from(nanoseconds)) * operations
        })
    }

    #[test]
    fn the_ratio_is_ours_over_theirs() {
        let case = Case::new("c", || claims(100)).peer("slow", || claims(400));
        let found = measure("area", case, quick());
        assert_eq!(found.len(), 1);
        assert_eq!((&*found[0].case, found[0].peer), ("area/c", "slow"));
        assert_eq!((found[0].ratio.median, found[0].ours.median), (0.25, 100.0));
    }

    #[test]
    fn what_is_shared_is_taken_off_both_sides() {
        let case = Case::new("c", || claims(150))
            .peer("peer", || claims(300))
            .over("bare", || claims(100));
        let found = measure("area", case, quick());
        assert_eq!(found[0].ratio.median, 0.25);
        assert_eq!(found[0].baseline.map(|spread| spread.median), Some(100.0));
    }

    #[test]
    fn a_bound_is_compared_with_the_difference() {
        let case = Case::new("c", || claims(130))
            .peer("bound", || constant(60.0))
            .over("bare", || claims(100));
        assert_eq!(measure("area", case, quick())[0].ratio.median, 0.5);
    }

    #[test]
    fn the_sides_take_turns_and_turns_at_beginning() {
        let order = Rc::new(RefCell::new(String::new()));
        let side = |letter: char| {
            let order = Rc::clone(&order);
            move || {
                figure(move || {
                    order.borrow_mut().push(letter);
                    1.0
                })
            }
        };
        let case = Case::new("c", side('a')).peer("b", side('b')).rounds(4);
        let _ = measure("area", case, quick());
        assert_eq!(*order.borrow(), "abbaabba");
    }

    #[test]
    fn the_median_ratio_is_of_rounds_not_of_sides() {
        // Both sides slow down together: each ratio is 1/2, whatever the sides' own medians are.
        let drifting = |factor: f64| {
            move || {
                let mut speed = 1.0;
                figure(move || {
                    speed *= 3.0;
                    speed * factor
                })
            }
        };
        let case = Case::new("c", drifting(1.0)).peer("peer", drifting(2.0));
        let found = measure("area", case, quick());
        assert_eq!((found[0].ratio.min, found[0].ratio.max), (0.5, 0.5));
    }

    #[test]
    fn unsteady_rounds_do_not_count() {
        let sample = |value, steady| Sample { value, steady };
        let table = vec![
            vec![sample(1.0, true), sample(2.0, true)],
            vec![sample(9.0, false), sample(2.0, true)],
            vec![sample(9.0, true), sample(2.0, false)],
        ];
        let duel = Duel::of(&table, 1, false, false).unwrap();
        assert_eq!(duel.ratios, [0.5]);
        assert!(Duel::of(&table[1..], 1, false, false).is_none());
    }

    #[test]
    fn a_peer_below_the_baseline_gives_no_ratio() {
        let case = Case::new("c", || claims(150))
            .peer("peer", || claims(90))
            .over("bare", || claims(100));
        assert_eq!(measure("area", case, quick()), []);
    }

    #[test]
    fn a_batch_is_filled() {
        let settings = quick();
        let player = Player::new(claims(100), settings);
        assert_eq!(player.operations, 1000);
    }
}
