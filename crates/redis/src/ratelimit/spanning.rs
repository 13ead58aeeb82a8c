//! A decision whose keys lie in several slots of a Cluster: one script a slot, sent together.
//!
//! What one script charges is provisional until all have agreed. If one denies, or does not answer,
//! the others are told to give back, once: a refund that is sent twice could give away what somebody
//! else uses, and one that is lost costs the caller units, which come back by themselves.

use futures::future::join_all;
use seawall_ratelimit::{Grant, Now, Op, Verdict};

use super::charge::Planned;
use super::script;
use crate::error::Error;
use crate::key::slot_part;
use crate::link::Link;

pub(super) fn spans(charges: &[Planned]) -> bool {
    charges
        .windows(2)
        .any(|pair| slot_part(&pair[0].key) != slot_part(&pair[1].key))
}

/// Decides in a task of its own, so that a caller who goes away leaves no half of a decision behind.
pub(super) async fn decide(
    link: &Link,
    op: Op,
    now: Option<Now>,
    charges: Vec<Planned>,
    out: &mut [Verdict],
) -> Result<Now, Error> {
    let link = link.clone();
    let task = tokio::spawn(async move { Spanning::new(charges).decide(&link, op, now).await });
    let (now, verdicts) = task.await.map_err(|_| Error::stopped())??;
    for (out, verdict) in out.iter_mut().zip(verdicts) {
        *out = verdict;
    }
    Ok(now)
}

struct Spanning {
    groups: Vec<Group>,
    count: usize,
}

/// The charges of one slot, with their places in the decision.
struct Group {
    places: Vec<usize>,
    charges: Vec<Planned>,
    verdicts: Vec<Verdict>,
}

impl Spanning {
    fn new(charges: Vec<Planned>) -> Self {
        let count = charges.len();
        let mut groups: Vec<Group> = Vec::new();
        for (place, charge) in charges.into_iter().enumerate() {
            let same =
                |group: &&mut Group| slot_part(&group.charges[0].key) == slot_part(&charge.key);
            match groups.iter_mut().find(same) {
                Some(group) => group.push(place, charge),
                None => groups.push(Group::of(place, charge)),
            }
        }
        Self { groups, count }
    }

    async fn decide(
        mut self,
        link: &Link,
        op: Op,
        now: Option<Now>,
    ) -> Result<(Now, Vec<Verdict>), Error> {
        let calls = self.groups.iter_mut().map(|group| group.run(link, op, now));
        let answers = join_all(calls).await;
        let fits = answers.iter().all(Result::is_ok) && self.groups.iter().all(Group::fits);
        if op == Op::Consume && !fits {
            let refunds = self
                .groups
                .iter_mut()
                .zip(&answers)
                .filter_map(|(group, answer)| {
                    let at = *answer.as_ref().ok()?;
                    group.fits().then(|| group.give_back(link, at, now))
                });
            join_all(refunds).await;
        }
        let times = answers.into_iter().collect::<Result<Vec<_>, _>>()?;
        // Each master has its own clock. By the earliest, a later refund credits too little rather
        // than too much.
        let now = times
            .into_iter()
            .min_by_key(|now| now.unix())
            .unwrap_or_default();
        let mut verdicts = vec![Verdict::UNKNOWN; self.count];
        for group in &self.groups {
            for (place, verdict) in group.places.iter().zip(&group.verdicts) {
                verdicts[*place] = *verdict;
            }
        }
        Ok((now, verdicts))
    }
}

impl Group {
    fn of(place: usize, charge: Planned) -> Self {
        Self {
            places: vec![place],
            charges: vec![charge],
            verdicts: vec![Verdict::UNKNOWN],
        }
    }

    fn push(&mut self, place: usize, charge: Planned) {
        self.places.push(place);
        self.charges.push(charge);
        self.verdicts.push(Verdict::UNKNOWN);
    }

    async fn run(&mut self, link: &Link, op: Op, now: Option<Now>) -> Result<Now, Error> {
        script::run(link, op, now, &self.charges, &mut self.verdicts).await
    }

    /// Whether nothing in here stops the decision; then all that is allowed was charged.
    fn fits(&self) -> bool {
        let charges = self.charges.iter().zip(&self.verdicts);
        charges
            .into_iter()
            .all(|(charge, verdict)| charge.shadow || verdict.is_allowed())
    }

    /// Refunds what was charged at `at`. Where that fails, the verdicts stay as they were: charged.
    async fn give_back(&mut self, link: &Link, at: Now, now: Option<Now>) {
        let made: Vec<_> = (0..self.charges.len())
            .filter(|&i| self.verdicts[i].is_allowed())
            .collect();
        let refunds: Vec<_> = made
            .iter()
            .map(|&i| {
                let grant = Grant {
                    at,
                    reset: self.verdicts[i].reset(),
                    source: self.verdicts[i].source(),
                };
                self.charges[i].refund(grant)
            })
            .collect();
        let mut after = vec![Verdict::UNKNOWN; refunds.len()];
        if script::run(link, Op::Refund, now, &refunds, &mut after)
            .await
            .is_ok()
        {
            for (i, verdict) in made.into_iter().zip(after) {
                self.verdicts[i] = verdict;
            }
        }
    }
}
