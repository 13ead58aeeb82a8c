//! How well-behaved users fared before and during everything else.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::{Field, Role, Scenario};
use crate::bystander::{Outcome, Phase, Visit};
use crate::figures::{Check, Figures, Strike, Tally, percentile};
use crate::service::Trouble;

pub(super) struct Crowd;

impl Scenario for Crowd {
    fn name(&self) -> &'static str {
        "crowd"
    }

    fn claim(&self) -> &'static str {
        "well-behaved users are served through all of it, about as fast as before"
    }

    fn sends(&self) -> &'static str {
        "users at addresses of their own who look up, search and sign up at a human pace, before and \
         during every other scenario; requests whose own dependency was broken on purpose do not count"
    }

    fn role(&self) -> Role {
        Role::Witness
    }

    fn strike<'a>(&'a self, field: &'a Field<'a>) -> BoxFuture<'a, Result<Strike, Trouble>> {
        let strike = judge(field.visits);
        async { Ok(strike) }.boxed()
    }
}

fn judge(visits: &[Visit]) -> Strike {
    let before = Fared::during(visits, Phase::Healthy);
    let during = Fared::during(visits, Phase::Storm);

    let mut figures = Figures::default();
    figures.add("before_requests", before.counted());
    figures.add("before_success", before.success());
    figures.add_ms("before_p50_ms", before.at(50));
    figures.add_ms("before_p99_ms", before.at(99));
    figures.add("during_requests", during.counted());
    figures.add("during_success", during.success());
    figures.add_ms("during_p50_ms", during.at(50));
    figures.add_ms("during_p99_ms", during.at(99));
    figures.add("excused", during.excused);

    // The floor keeps a healthy p99 of a millisecond from turning one busy time slice into a broken
    // promise.
    let bound = (3 * before.at(99)).max(Duration::from_millis(100));
    let checks = vec![
        Check::new(
            "users' requests that failed",
            "none",
            during.failed.to_string(),
            during.failed.count == 0 && during.served > 0,
        ),
        Check::new(
            "p99 during the storm, against 3 times the healthy one",
            format!("at most {} ms", bound.as_millis()),
            format!("{:.1} ms", during.at(99).as_secs_f64() * 1000.0),
            during.at(99) <= bound,
        ),
    ];
    Strike {
        requests: before.counted() + during.counted(),
        headline: format!(
            "{:.2} % served, p99 {:.1} ms ({:.1} ms before)",
            100.0 * during.success(),
            during.at(99).as_secs_f64() * 1000.0,
            before.at(99).as_secs_f64() * 1000.0,
        ),
        figures,
        checks,
        ..Strike::default()
    }
}

#[derive(Default)]
struct Fared {
    served: u64,
    failed: Tally,
    excused: u64,
    latencies: Vec<Duration>,
}

impl Fared {
    fn during(visits: &[Visit], phase: Phase) -> Self {
        let mut fared = Self::default();
        for visit in visits.iter().filter(|visit| visit.phase == phase) {
            match &visit.outcome {
                Outcome::Served => fared.served += 1,
                Outcome::Failed(how) => fared.failed.note(|| how.clone()),
                Outcome::Excused => {
                    fared.excused += 1;
                    continue;
                }
            }
            fared.latencies.push(visit.latency);
        }
        fared.latencies.sort_unstable();
        fared
    }

    fn counted(&self) -> u64 {
        self.served + self.failed.count
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a storm has far fewer than 2^52 requests"
    )]
    fn success(&self) -> f64 {
        if self.counted() == 0 {
            return 0.0;
        }
        let share = self.served as f64 / self.counted() as f64;
        (share * 1_000_000.0).floor() / 1_000_000.0
    }

    fn at(&self, percent: usize) -> Duration {
        percentile(&self.latencies, percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(phase: Phase, ms: u64, outcome: Outcome) -> Visit {
        Visit {
            phase,
            latency: Duration::from_millis(ms),
            outcome,
        }
    }

    fn held(during: &[(u64, Outcome)]) -> bool {
        let before = (0..100).map(|_| visit(Phase::Healthy, 50, Outcome::Served));
        let during = during
            .iter()
            .map(|(ms, outcome)| visit(Phase::Storm, *ms, outcome.clone()));
        judge(&before.chain(during).collect::<Vec<_>>())
            .checks
            .iter()
            .all(|check| check.ok)
    }

    #[test]
    fn a_failure_or_a_wait_breaks_the_promise_and_an_excuse_does_not() {
        assert!(held(&[(140, Outcome::Served)]));
        assert!(!held(&[(160, Outcome::Served)]));
        assert!(!held(&[
            (10, Outcome::Served),
            (10, Outcome::Failed("x: 500".to_owned()))
        ]));
        assert!(held(&[(10, Outcome::Served), (3000, Outcome::Excused)]));
        assert!(!held(&[]), "nobody came");
    }
}
