//! What a service of the user's own has shown, against the list of what a resilient one does.

use std::time::Duration;

use serde::Serialize;

use crate::chronicle::Course;
use crate::figures::Check;

/// Whether an item was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    Held,
    Broken,
    /// Nobody looked, or what was looked at showed nothing.
    NotShown,
}

impl Verdict {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Broken => "broken",
            Self::NotShown => "not shown",
        }
    }
}

/// One item of the list.
#[derive(Debug, Serialize)]
pub(super) struct Item {
    pub(super) name: &'static str,
    pub(super) claim: &'static str,
    pub(super) checks: Vec<Check>,
    /// Why it was not shown, and what the plan would have to say.
    pub(super) why: Option<String>,
    pub(super) verdict: Verdict,
}

/// What came of looking for an item.
pub(super) enum Outcome {
    Shown(Vec<Check>),
    /// With what was seen nevertheless. What is broken is broken.
    NotShown(String, Vec<Check>),
}

impl Outcome {
    /// For an item that the plan says nothing of.
    pub(super) fn unplanned(section: &str) -> Self {
        Self::NotShown(format!("the plan has no [{section}]"), Vec::new())
    }
}

impl Item {
    pub(super) fn new(name: &'static str, claim: &'static str, outcome: Outcome) -> Self {
        let (checks, why) = match outcome {
            Outcome::Shown(checks) => (checks, None),
            Outcome::NotShown(why, checks) => (checks, Some(why)),
        };
        let verdict = match (checks.iter().all(|check| check.ok), &why) {
            (false, _) => Verdict::Broken,
            (true, None) => Verdict::Held,
            (true, Some(_)) => Verdict::NotShown,
        };
        Self {
            name,
            claim,
            checks,
            why,
            verdict,
        }
    }
}

/// The whole list.
#[derive(Debug)]
pub(super) struct Checklist {
    pub(super) target: String,
    pub(super) seed: u64,
    pub(super) requests: u64,
    pub(super) items: Vec<Item>,
    pub(super) course: Course,
    pub(super) took: Duration,
}

impl Checklist {
    /// Broken if one item is. What is not shown breaks nothing.
    pub(super) fn verdict(&self) -> Verdict {
        let broken = |item: &Item| item.verdict == Verdict::Broken;
        if self.items.iter().any(broken) {
            Verdict::Broken
        } else {
            Verdict::Held
        }
    }

    /// One line.
    pub(super) fn summary(&self) -> String {
        let of = |verdict| {
            let is = |item: &&Item| item.verdict == verdict;
            self.items.iter().filter(is).count()
        };
        format!(
            "{} held, {} broken, {} not shown ({} requests, {:.1} s)",
            of(Verdict::Held),
            of(Verdict::Broken),
            of(Verdict::NotShown),
            self.requests,
            self.took.as_secs_f64()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_broken_is_broken_even_where_the_rest_is_not_shown() {
        let check = |ok| vec![Check::new("a", "b", "c", ok)];
        let verdict = |outcome| Item::new("x", "y", outcome).verdict;
        let unshown = |checks| Outcome::NotShown("why".to_owned(), checks);
        assert_eq!(verdict(Outcome::Shown(check(true))), Verdict::Held);
        assert_eq!(verdict(Outcome::Shown(check(false))), Verdict::Broken);
        assert_eq!(verdict(unshown(check(true))), Verdict::NotShown);
        assert_eq!(verdict(unshown(check(false))), Verdict::Broken);
        assert_eq!(verdict(Outcome::unplanned("x")), Verdict::NotShown);
    }
}
