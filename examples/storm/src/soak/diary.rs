//! What was done to the shop, and the first promise that it broke.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Written by everybody who takes part.
#[derive(Debug)]
pub(super) struct Diary {
    started: Instant,
    pages: Mutex<Pages>,
    broke: Notify,
}

#[derive(Debug, Default)]
struct Pages {
    recent: VecDeque<String>,
    faults: BTreeMap<&'static str, u64>,
    broken: Option<Broken>,
}

/// The first promise that was broken.
#[derive(Clone, Debug)]
pub(super) struct Broken {
    at: Duration,
    what: String,
    got: String,
    /// What had been done to the shop shortly before.
    before: Vec<String>,
}

impl Diary {
    pub(super) fn new() -> Self {
        Self {
            started: Instant::now(),
            pages: Mutex::default(),
            broke: Notify::new(),
        }
    }

    pub(super) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// A fault of a kind begins.
    pub(super) fn fault(&self, kind: &'static str, what: &dyn fmt::Display, lasts: Duration) {
        let at = self.age().as_secs_f64();
        let line = format!("{at:.1} s: {what}, for {} ms", lasts.as_millis());
        let mut pages = self.pages.lock();
        *pages.faults.entry(kind).or_default() += 1;
        if pages.recent.len() == RECENT {
            pages.recent.pop_front();
        }
        pages.recent.push_back(line);
    }

    /// A promise is broken. Only the first counts: what follows may follow from it.
    pub(super) fn broke(&self, what: impl Into<String>, got: impl Into<String>) {
        let mut pages = self.pages.lock();
        if pages.broken.is_none() {
            pages.broken = Some(Broken {
                at: self.age(),
                what: what.into(),
                got: got.into(),
                before: pages.recent.iter().cloned().collect(),
            });
            self.broke.notify_waiters();
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        self.pages.lock().broken.is_some()
    }

    pub(super) fn broken(&self) -> Option<Broken> {
        self.pages.lock().broken.clone()
    }

    /// Waits for so long, or until a promise is broken.
    pub(super) async fn pause(&self, span: Duration) {
        let broke = self.broke.notified();
        if !self.is_broken() {
            let _ = tokio::time::timeout(span, broke).await;
        }
    }

    /// How many faults there were, in words.
    pub(super) fn faults(&self) -> String {
        let pages = self.pages.lock();
        let all: u64 = pages.faults.values().sum();
        let kinds = pages.faults.iter().map(|(kind, n)| format!("{n} {kind}"));
        format!("{all} faults ({})", kinds.collect::<Vec<_>>().join(", "))
    }
}

const RECENT: usize = 8;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "broken at {:.1} s: {}", self.at.as_secs_f64(), self.what)?;
        writeln!(f, "  got: {}", self.got.trim().replace('\n', "\n       "))?;
        f.write_str("  done to it before:")?;
        for line in &self.before {
            write!(f, "\n    {line}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_break_is_told_with_what_led_to_it() {
        let diary = Diary::new();
        for number in 0..20 {
            diary.fault("store", &format!("fault {number}"), Duration::ZERO);
        }
        diary.broke("one charge a key", "2");
        diary.broke("another", "x");
        let told = diary.broken().unwrap().to_string();
        assert!(
            told.contains("one charge a key") && !told.contains("another"),
            "{told}"
        );
        assert!(
            told.contains("fault 19") && !told.contains("fault 11"),
            "{told}"
        );
        assert_eq!(diary.faults(), "20 faults (20 store)");
    }
}
