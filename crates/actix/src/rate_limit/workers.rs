//! Notices limits that each worker has for itself.

use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};

use actix_web::rt::System;
use seawall_ratelimit::Store;
use seawall_web::limits::RateLimits;

/// Limits of a system, where they are applied, and whether they were told of.
#[derive(Debug)]
struct Applied {
    system: usize,
    policies: String,
    by: Vec<(ThreadId, usize)>,
    is_told: bool,
}

static APPLIED: Mutex<Vec<Applied>> = Mutex::new(Vec::new());

/// So many sets of policies are looked at.
const MOST: usize = 64;

/// Looks at limits as they are applied, once a worker.
pub(super) fn look<S: Store>(limits: &RateLimits<S>) {
    let Some(system) = System::try_current() else {
        return;
    };
    let policies = limits.policies();
    let names: Vec<_> = policies
        .policies()
        .iter()
        .map(|policy| policy.name().as_str())
        .collect();
    // Where they are tells which they are, as long as they are applied.
    let place = limits.key_by().as_ptr().addr();
    let mut all = APPLIED.lock().unwrap_or_else(PoisonError::into_inner);
    if apply(&mut all, system.id(), &names, thread::current().id(), place) {
        tracing::warn!(
            policies = names.join(", "),
            "each worker has counts of its own for limits of the same names, so that callers get them \
             as many times as there are workers: make the store and the limits once, outside of the \
             closure that makes the app"
        );
    }
}

/// Whether this is to be told. Limits that some other thread has applied before are shared.
fn apply(
    all: &mut Vec<Applied>,
    system: usize,
    names: &[&str],
    thread: ThreadId,
    place: usize,
) -> bool {
    let policies = names.join(", ");
    let known = all
        .iter_mut()
        .find(|applied| applied.system == system && applied.policies == policies);
    let Some(applied) = known else {
        if all.len() < MOST {
            all.push(Applied {
                system,
                policies,
                by: vec![(thread, place)],
                is_told: false,
            });
        }
        return false;
    };
    if applied.by.len() < MOST && !applied.by.contains(&(thread, place)) {
        applied.by.push((thread, place));
    }
    let places = applied.by.iter().map(|(_, place)| place);
    let is_shared = places
        .enumerate()
        .any(|(nth, place)| applied.by[..nth].iter().any(|(_, other)| other == place));
    let elsewhere = applied.by.iter().any(|(other, _)| *other != thread);
    let tell = elsewhere && !is_shared && !applied.is_told;
    applied.is_told |= tell;
    tell
}

#[cfg(test)]
mod tests {
    use super::*;

    fn other_thread() -> ThreadId {
        thread::spawn(|| thread::current().id()).join().unwrap()
    }

    #[test]
    fn limits_that_each_worker_makes_are_told_of_once() {
        let (mut all, one, two) = (Vec::new(), other_thread(), other_thread());
        assert!(!apply(&mut all, 1, &["a"], one, 10));
        assert!(
            !apply(&mut all, 1, &["a"], one, 11),
            "one worker, two routes"
        );
        assert!(apply(&mut all, 1, &["a"], two, 20));
        assert!(!apply(&mut all, 1, &["a"], two, 21));
    }

    #[test]
    fn shared_limits_and_those_of_other_names_or_systems_are_fine() {
        let (mut all, one, two) = (Vec::new(), other_thread(), other_thread());
        for (thread, system) in [(one, 1), (two, 1)] {
            assert!(!apply(&mut all, system, &["a"], thread, 10));
            assert!(!apply(&mut all, system, &["a"], thread, 11), "of one name");
        }
        assert!(!apply(&mut all, 1, &["b"], one, 12));
        assert!(!apply(&mut all, 2, &["b"], two, 13));
        assert!(!apply(&mut all, 2, &["c"], one, 14));
    }
}
