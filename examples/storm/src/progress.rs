//! The live line: where storm is. On a terminal it is redrawn; elsewhere only finished scenarios are
//! told, a line each.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::time;

/// What is going on.
#[derive(Debug)]
pub(crate) struct Progress {
    now: Mutex<Option<Now>>,
    live: bool,
}

#[derive(Debug)]
struct Now {
    scenario: String,
    doing: String,
    done: usize,
    expected: usize,
    since: Instant,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            now: Mutex::new(None),
            live: io::stderr().is_terminal(),
        }
    }

    /// A scenario starts.
    pub(crate) fn begin(&self, scenario: &str) {
        *self.now.lock() = Some(Now {
            scenario: scenario.to_owned(),
            doing: String::new(),
            done: 0,
            expected: 0,
            since: Instant::now(),
        });
    }

    /// Its next part starts, with nothing of it done.
    pub(crate) fn doing(&self, what: impl Into<String>) {
        if let Some(now) = self.now.lock().as_mut() {
            (now.doing, now.done, now.expected) = (what.into(), 0, 0);
        }
    }

    /// So many steps are to come.
    pub(crate) fn expect(&self, steps: usize) {
        if let Some(now) = self.now.lock().as_mut() {
            now.expected = steps;
        }
    }

    /// One of them is done.
    pub(crate) fn step(&self) {
        if let Some(now) = self.now.lock().as_mut() {
            now.done += 1;
        }
    }

    /// The scenario is over; its line stays.
    pub(crate) fn end(&self, verdict: &str) {
        if let Some(now) = self.now.lock().take() {
            let line = format!(
                "{:<14} {verdict:<8} {:>5.1} s",
                now.scenario,
                now.since.elapsed().as_secs_f64()
            );
            self.write(&line, "\n");
        }
    }

    /// Redraws until dropped.
    pub(crate) async fn draw(&self) {
        let mut ticks = time::interval(Duration::from_millis(100));
        loop {
            ticks.tick().await;
            if self.live {
                let line = self.now.lock().as_ref().map(Now::line);
                if let Some(line) = line {
                    self.write(&line, "");
                }
            }
        }
    }

    /// Removes the live line, so that something else can be said.
    pub(crate) fn clear(&self) {
        *self.now.lock() = None;
        if self.live {
            self.write("", "");
        }
    }

    fn write(&self, line: &str, end: &str) {
        let start = if self.live { "\r\x1b[2K" } else { "" };
        // Nobody to watch is no reason to stop.
        let _ = write!(io::stderr().lock(), "{start}{line}{end}");
    }
}

impl Now {
    fn line(&self) -> String {
        let seconds = self.since.elapsed().as_secs_f64();
        let count = match self.expected {
            0 => String::new(),
            expected => format!(" {}/{expected}", self.done),
        };
        format!(
            "{:<14} {}{count} ({seconds:.1} s)",
            self.scenario, self.doing
        )
    }
}
