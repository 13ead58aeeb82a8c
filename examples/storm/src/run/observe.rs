//! One scenario against both services, with witnesses.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use shop::config::Config;
use tokio::runtime::Handle;
use tokio::time;

use super::SETTLE;
use crate::bystander::{Crowd, Phase, Probe, Probed, Visit};
use crate::chronicle::{Chronicle, Course};
use crate::cli::{Length, Options};
use crate::client::Addresses;
use crate::figures::{Check, Strike};
use crate::progress::Progress;
use crate::report::{Entry, Pair};
use crate::scenario::{Field, Role, Scenario};
use crate::service::{Service, Side, Trouble, resident};
use crate::store::Store;

/// Where the shooting is done: both services and what is known of them.
pub(crate) struct Range<'a> {
    bare: Ground,
    hardened: Ground,
    config: Config,
    store: &'a Store,
    addresses: Addresses,
    seed: u64,
    length: Length,
    bystanders: &'a Handle,
}

/// One service and its witnesses' memory.
struct Ground {
    service: Service,
    users: Vec<Ipv4Addr>,
    visits: Vec<Visit>,
    /// The slowest `/livez` before any attack.
    healthy: Duration,
    /// How it went before any attack.
    calm: Course,
}

/// What a strike and its witnesses showed.
struct Observed {
    strike: Strike,
    course: Course,
    probed: Probed,
    before: Option<u64>,
    after: Option<u64>,
}

impl<'a> Range<'a> {
    pub(crate) fn new(
        bare: Service,
        hardened: Service,
        config: Config,
        store: &'a Store,
        addresses: Addresses,
        options: &Options,
        bystanders: &'a Handle,
    ) -> Self {
        let ground = |service| Ground {
            service,
            users: (0..USERS).map(|_| addresses.take()).collect(),
            visits: Vec::new(),
            healthy: Duration::ZERO,
            calm: Course::default(),
        };
        let (bare, hardened) = (ground(bare), ground(hardened));
        let (seed, length) = (options.seed, options.length);
        Self {
            bare,
            hardened,
            config,
            store,
            addresses,
            seed,
            length,
            bystanders,
        }
    }

    /// Ends both services.
    pub(crate) async fn stop(self) {
        tokio::join!(self.bare.service.stop(), self.hardened.service.stop());
    }

    /// How both services did before any attack.
    pub(crate) fn calm_courses(&self) -> Pair<Course> {
        Pair {
            bare: self.bare.calm.clone(),
            hardened: self.hardened.calm.clone(),
        }
    }

    /// Watches both services while nothing is wrong: every claim about time is measured against this.
    pub(crate) async fn calm(&mut self, progress: &Progress, crowded: bool) -> Result<(), Trouble> {
        let span = self
            .length
            .pick(Duration::from_secs(2), Duration::from_millis(800));
        for ground in [&mut self.bare, &mut self.hardened] {
            progress.doing(ground.service.side.name());
            let chronicle = Arc::new(Chronicle::new());
            let witnesses = Witnesses::call(
                self.bystanders,
                ground,
                self.addresses.take(),
                crowded.then_some(Phase::Healthy),
                self.seed,
                &chronicle,
            );
            time::sleep(span).await;
            let (probed, visits) = witnesses.dismiss().await;
            if probed.failed.count > 0 {
                let side = ground.service.side.name();
                let failed = &probed.failed;
                return Err(Trouble::new(format!(
                    "the {side} shop is not healthy: {failed}"
                )));
            }
            ground.healthy = probed.slowest;
            ground.calm = chronicle.course();
            ground.visits.extend(visits);
        }
        Ok(())
    }

    /// One attack: once at the bare service, twice at the hardened one.
    pub(crate) async fn attack(
        &mut self,
        scenario: &dyn Scenario,
        progress: &Progress,
        crowded: bool,
    ) -> Result<Entry, Trouble> {
        let begun = Instant::now();
        let mut bare = self
            .strike(Side::Bare, scenario, progress, "bare", crowded)
            .await?;
        let mut first = self
            .strike(Side::Hardened, scenario, progress, "hardened", crowded)
            .await?;
        let second = self
            .strike(Side::Hardened, scenario, progress, "again", crowded)
            .await?;

        // The bare service has promised nothing, and the hardened one is no control.
        let mut checks = std::mem::take(&mut bare.strike.controls);
        let promised = std::mem::take(&mut first.strike.checks);
        checks.extend(worse(promised, second.strike.checks.clone()));
        checks.extend(self.common(&first, &second));
        if !self.hardened.service.is_alive() {
            checks.push(Check::new("the process", "runs", "has ended", false));
        }
        witness_figures(&mut bare);
        witness_figures(&mut first);
        if let (Some(once), Some(twice)) = (first.after, second.after) {
            let growth = mebibytes(twice) - mebibytes(once);
            first
                .strike
                .figures
                .add("memory_second_run_growth_mib", round(growth));
        }
        let entry = Entry::new(scenario, bare.strike, first.strike, checks, begun.elapsed());
        Ok(Entry {
            courses: Pair {
                bare: bare.course,
                hardened: first.course,
            },
            ..entry
        })
    }

    /// A witness tells how it fared with each service.
    pub(crate) async fn hear(
        &mut self,
        witness: &dyn Scenario,
        progress: &Progress,
    ) -> Result<Entry, Trouble> {
        debug_assert_eq!(witness.role(), Role::Witness);
        let begun = Instant::now();
        let field = |ground| self.field(ground, progress, Arc::new(Chronicle::new()));
        let bare = witness.strike(&field(&self.bare)).await?;
        let hardened = witness.strike(&field(&self.hardened)).await?;
        let checks = hardened.checks.clone();
        Ok(Entry::new(witness, bare, hardened, checks, begun.elapsed()))
    }

    async fn strike(
        &mut self,
        side: Side,
        scenario: &dyn Scenario,
        progress: &Progress,
        doing: &str,
        crowded: bool,
    ) -> Result<Observed, Trouble> {
        progress.doing(doing);
        let ground = match side {
            Side::Bare => &self.bare,
            Side::Hardened => &self.hardened,
        };
        let pid = ground.service.pid;
        let before = resident(pid);
        let chronicle = Arc::new(Chronicle::new());
        let witnesses = Witnesses::call(
            self.bystanders,
            ground,
            self.addresses.take(),
            crowded.then_some(Phase::Storm),
            self.seed,
            &chronicle,
        );
        let field = self.field(ground, progress, Arc::clone(&chronicle));
        let strike = scenario.strike(&field).await;
        let (probed, visits) = witnesses.dismiss().await;
        time::sleep(SETTLE).await;
        let after = resident(pid);
        let ground = match side {
            Side::Bare => &mut self.bare,
            Side::Hardened => &mut self.hardened,
        };
        ground.visits.extend(visits);
        Ok(Observed {
            strike: strike?,
            course: chronicle.course(),
            probed,
            before,
            after,
        })
    }

    fn field<'b>(
        &'b self,
        ground: &'b Ground,
        progress: &'b Progress,
        chronicle: Arc<Chronicle>,
    ) -> Field<'b> {
        Field {
            service: &ground.service,
            config: &self.config,
            store: self.store,
            seed: self.seed,
            length: self.length,
            addresses: &self.addresses,
            progress,
            chronicle,
            visits: &ground.visits,
        }
    }

    /// What is promised whatever the attack: alive, prompt, and no larger the second time.
    fn common(&self, first: &Observed, second: &Observed) -> Vec<Check> {
        let bound = (3 * self.hardened.healthy).max(Duration::from_millis(100));
        let slowest = first.probed.slowest.max(second.probed.slowest);
        let mut failed = first.probed.failed.clone();
        failed.add(&second.probed.failed);
        let mut checks = vec![
            Check::none("/livez without a 200", &failed),
            Check::new(
                "slowest /livez",
                format!("at most {} ms", bound.as_millis()),
                format!("{:.1} ms", slowest.as_secs_f64() * 1000.0),
                slowest <= bound,
            ),
        ];
        if let (Some(once), Some(twice)) = (first.after, second.after) {
            checks.push(Check::new(
                "growth of resident memory by the second identical run",
                "at most 8 MiB",
                format!("{:+.1} MiB", mebibytes(twice) - mebibytes(once)),
                twice <= once + 8 * 1024 * 1024,
            ));
        }
        checks
    }
}

const USERS: usize = 12;

/// The probe and, where wanted, the crowd, at work.
struct Witnesses {
    probe: Probe,
    crowd: Option<Crowd>,
}

impl Witnesses {
    fn call(
        on: &Handle,
        ground: &Ground,
        from: Ipv4Addr,
        crowd: Option<Phase>,
        seed: u64,
        chronicle: &Arc<Chronicle>,
    ) -> Self {
        let service = &ground.service;
        let probe = Probe::start(on, service, from, Arc::clone(chronicle));
        let crowd =
            crowd.map(|phase| Crowd::start(on, service, &ground.users, phase, seed, chronicle));
        Self { probe, crowd }
    }

    async fn dismiss(self) -> (Probed, Vec<Visit>) {
        let visits = match self.crowd {
            Some(crowd) => crowd.stop().await,
            None => Vec::new(),
        };
        (self.probe.stop().await, visits)
    }
}

/// Each check as it went the time it went worse.
fn worse(first: Vec<Check>, second: Vec<Check>) -> Vec<Check> {
    first
        .into_iter()
        .zip(second)
        .map(|(first, mut second)| {
            debug_assert_eq!(first.what, second.what, "both runs make the same checks");
            if !first.ok || second.ok {
                return first;
            }
            second.got = format!("{} (in the second run)", second.got);
            second
        })
        .collect()
}

fn witness_figures(observed: &mut Observed) {
    let figures = &mut observed.strike.figures;
    figures.add_ms("livez_median_ms", observed.probed.median);
    figures.add_ms("livez_slowest_ms", observed.probed.slowest);
    figures.add("livez_failed", observed.probed.failed.count);
    let memory = [
        ("memory_before_mib", observed.before),
        ("memory_peak_mib", observed.probed.peak_memory),
        ("memory_after_mib", observed.after),
    ];
    for (name, bytes) in memory {
        if let Some(bytes) = bytes {
            figures.add(name, round(mebibytes(bytes)));
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "memory in bytes stays below 2^52"
)]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(got: &str, ok: bool) -> Vec<Check> {
        vec![Check::new("x", "y", got, ok)]
    }

    #[test]
    fn a_promise_holds_when_it_held_both_times() {
        let both = worse(check("1", true), check("2", true));
        assert_eq!((both[0].got.as_str(), both[0].ok), ("1", true));
        assert!(!worse(check("1", false), check("2", true))[0].ok);
        let second = worse(check("1", true), check("2", false));
        assert_eq!(
            (second[0].got.as_str(), second[0].ok),
            ("2 (in the second run)", false)
        );
    }
}
