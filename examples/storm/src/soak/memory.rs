//! Whether the shop's memory stays flat.

use std::time::Duration;

/// No life of the shop may hold more than this at any time.
pub(super) const MOST: u64 = 192 << 20;

/// What it may grow by in its last life, once it is warm.
pub(super) const GROWTH: u64 = 24 << 20;

/// The part of a soak after which the shop counts as warm: it is not killed after the first half.
const WARM: f64 = 0.6;

/// In a shorter soak there is no telling growth from warming up.
const LEAST: Duration = Duration::from_secs(120);

/// The memory that the shop has asked for, over time.
#[derive(Debug)]
pub(super) struct Memory {
    length: Duration,
    /// The highest so far, and the highest in the first tenth in which it was warm.
    most: u64,
    warm: Option<u64>,
    last: u64,
}

impl Memory {
    pub(super) const fn new(length: Duration) -> Self {
        Self {
            length,
            most: 0,
            warm: None,
            last: 0,
        }
    }

    /// Takes a sample, and tells what is wrong with it.
    pub(super) fn sample(&mut self, at: Duration, bytes: u64) -> Option<String> {
        self.last = bytes;
        self.most = self.most.max(bytes);
        if bytes > MOST {
            return Some(format!("{} MiB, more than {}", mib(bytes), mib(MOST)));
        }
        let part = at.as_secs_f64() / self.length.as_secs_f64();
        if self.length < LEAST || part < WARM {
            return None;
        }
        if part < WARM + 0.1 {
            self.warm = self.warm.max(Some(bytes));
            return None;
        }
        let warm = self.warm?;
        (bytes > warm + GROWTH).then(|| {
            format!(
                "{} MiB, {} more than when it was warm",
                mib(bytes),
                mib(bytes - warm)
            )
        })
    }

    /// In words, for the last line.
    pub(super) fn told(&self) -> String {
        let growth = self.warm.map_or("not judged".to_owned(), |warm| {
            let grown = self.last.saturating_sub(warm);
            format!("{} MiB of {} allowed", mib(grown), mib(GROWTH))
        });
        format!(
            "{} MiB at most, {} at the end, growth once warm: {growth}",
            mib(self.most),
            mib(self.last)
        )
    }
}

/// With one decimal.
fn mib(bytes: u64) -> f64 {
    let tenths = bytes * 10 / (1 << 20);
    f64::from(u32::try_from(tenths).unwrap_or(u32::MAX)) / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: Duration = Duration::from_secs(1000);
    const MIB: u64 = 1 << 20;

    fn at(memory: &mut Memory, seconds: u64, mib: u64) -> Option<String> {
        memory.sample(Duration::from_secs(seconds), mib * MIB)
    }

    #[test]
    fn growth_is_judged_once_the_shop_is_warm() {
        let mut memory = Memory::new(LENGTH);
        assert_eq!(at(&mut memory, 1, 20), None);
        assert_eq!(at(&mut memory, 500, 90), None, "still warming up");
        assert_eq!(at(&mut memory, 610, 50), None);
        assert_eq!(at(&mut memory, 650, 60), None, "the baseline is its peak");
        assert_eq!(at(&mut memory, 900, 84), None, "within what it may grow by");
        assert!(at(&mut memory, 901, 85).is_some());
    }

    #[test]
    fn too_much_is_too_much_at_any_time() {
        let mut memory = Memory::new(LENGTH);
        assert!(at(&mut memory, 1, 193).is_some());
        let mut short = Memory::new(Duration::from_secs(10));
        assert_eq!(at(&mut short, 9, 100), None);
        assert!(short.told().contains("not judged"));
    }
}
