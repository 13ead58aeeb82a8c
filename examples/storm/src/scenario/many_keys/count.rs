//! A million keys, counted in a process of their own.
//!
//! What a process frees it may keep and use again, so that memory which is asked for later seems to
//! cost nothing. A fresh process (the hidden `count-keys` command of this very program) has nothing to
//! use again.

use std::collections::HashMap;
use std::env;
use std::ffi::OsStr;
use std::hint::black_box;
use std::net::Ipv6Addr;
use std::process::{self, ExitCode, Stdio};
use std::time::{Duration, Instant};

use seawall_ratelimit::{Limiter, MemoryStore, Quota};
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use crate::figures::{Check, Figures};
use crate::service::{Side, Trouble, allocated};

/// What became of the keys.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Held {
    /// What its own account says; a plain map keeps none.
    stated: Option<usize>,
    resident: Option<u64>,
    first: usize,
    again: usize,
    evicted: u64,
    elapsed: Duration,
}

const KEYS: usize = 1_000_000;

/// The stated bound.
pub(super) const MOST_A_KEY: u32 = 24;

/// Less than this, and the memory has not been seen: a key takes eight bytes to tell it from others.
const LEAST_A_KEY: u32 = 8;

/// Counts in another process: by the store of the hardened shop, or by a plain map.
pub(super) async fn count(side: Side) -> Result<Held, Trouble> {
    let troubled = |error: &dyn std::fmt::Display| {
        Trouble::new(format!("the keys could not be counted: {error}"))
    };
    let program = env::current_exe().map_err(|error| troubled(&error))?;
    let by = match side {
        Side::Bare => "map",
        Side::Hardened => "store",
    };
    let output = Command::new(program)
        .args(["count-keys", by])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| troubled(&error))?;
    if !output.status.success() {
        return Err(troubled(&output.status));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| troubled(&error))
}

/// The hidden command: counts here, and prints what came of it.
pub(crate) fn run(by: Option<&OsStr>) -> ExitCode {
    let held = match by.and_then(OsStr::to_str) {
        Some("map") => plain_map(),
        Some("store") => store(),
        _ => return ExitCode::from(2),
    };
    match serde_json::to_string(&held) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(_) => ExitCode::FAILURE,
    }
}

impl Held {
    pub(super) fn bytes_a_key(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "below 2^52")]
        self.resident.map(|bytes| bytes as f64 / KEYS as f64)
    }

    pub(super) fn tell(&self, figures: &mut Figures) {
        figures.add("keys", KEYS);
        figures.add("keys_allowed_again", self.again);
        figures.add_ms("keys_elapsed_ms", self.elapsed);
        if let Some(bytes) = self.bytes_a_key() {
            figures.add("bytes_a_key", (bytes * 10.0).round() / 10.0);
        }
    }

    pub(super) fn checks(&self) -> Vec<Check> {
        let bytes = |a_key: u32| KEYS * a_key as usize;
        let bound = bytes(MOST_A_KEY);
        let stated = self.stated.unwrap_or(usize::MAX);
        let mut checks = vec![
            Check::new(
                "keys of a million that pass once",
                KEYS.to_string(),
                self.first.to_string(),
                self.first == KEYS,
            ),
            Check::new(
                "keys of that million that pass a second time",
                "0",
                self.again.to_string(),
                self.again == 0,
            ),
            Check::new(
                "keys of that million that were forgotten",
                "0",
                self.evicted.to_string(),
                self.evicted == 0,
            ),
            Check::new(
                "bytes set aside for a million keys",
                format!("at most {bound}: {MOST_A_KEY} a key"),
                stated.to_string(),
                stated <= bound,
            ),
        ];
        if let Some(resident) = self.resident {
            let (least, most) = (bytes(LEAST_A_KEY) as u64, bound as u64);
            checks.push(Check::new(
                "growth of allocated memory by a million keys",
                format!(
                    "{:.1} to {:.1} MiB: {LEAST_A_KEY} to {MOST_A_KEY} bytes a key",
                    mebibytes(least),
                    mebibytes(most)
                ),
                format!("{:.1} MiB", mebibytes(resident)),
                (least..=most).contains(&resident),
            ));
        }
        checks
    }
}

/// A million keys, each of which may pass once an hour, asking twice.
fn store() -> Held {
    let before = allocated(process::id());
    let start = Instant::now();
    let store = MemoryStore::new(KEYS);
    let limiter = Limiter::new(store.clone(), Quota::per_hour(1));
    let pass = || {
        let mut text = String::new();
        let allowed = |number| limiter.check_local(key(&mut text, number)).is_allowed();
        (0..KEYS).map(allowed).filter(|allowed| *allowed).count()
    };
    let (first, again) = (pass(), pass());
    let elapsed = start.elapsed();
    let after = allocated(process::id());
    Held {
        stated: Some(store.memory()),
        resident: grown(before, after),
        first,
        again,
        evicted: store.live_evictions(),
        elapsed,
    }
}

/// The map that most teams begin with.
fn plain_map() -> Held {
    let before = allocated(process::id());
    let start = Instant::now();
    let mut map: HashMap<String, (u32, Instant)> = HashMap::new();
    let mut text = String::new();
    for number in 0..KEYS {
        let key = key(&mut text, number).to_owned();
        map.entry(key).or_insert_with(|| (0, Instant::now())).0 += 1;
    }
    let elapsed = start.elapsed();
    let after = allocated(process::id());
    Held {
        stated: None,
        resident: grown(before, after),
        first: black_box(&map).len(),
        again: 0,
        evicted: 0,
        elapsed,
    }
}

fn key(text: &mut String, number: usize) -> &str {
    use std::fmt::Write as _;

    text.clear();
    let address = Ipv6Addr::from_bits((0x2001_0db8_u128 << 96) | ((number as u128) << 64));
    let _ = write!(text, "{address}");
    text
}

fn grown(before: Option<u64>, after: Option<u64>) -> Option<u64> {
    Some(after?.saturating_sub(before?))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "memory in bytes stays below 2^52"
)]
pub(super) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_keys_are_one() {
        let mut text = String::new();
        let keys: HashSet<String> = (0..10_000).map(|n| key(&mut text, n).to_owned()).collect();
        assert_eq!(keys.len(), 10_000);
    }

    #[test]
    fn memory_that_was_not_seen_fails_as_too_much_does() {
        let passes = |bytes_a_key: u64| {
            let held = Held {
                stated: Some(0),
                resident: Some(bytes_a_key * KEYS as u64),
                first: KEYS,
                again: 0,
                evicted: 0,
                elapsed: Duration::ZERO,
            };
            held.checks().iter().all(|check| check.ok)
        };
        assert_eq!(
            [0, 7, 8, 24, 25].map(passes),
            [false, false, true, true, false]
        );
    }
}
