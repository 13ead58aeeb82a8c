//! How many tests passed and failed, as the test runners themselves report it.

use std::fmt;

/// Sums over the summaries of nextest and of `cargo test`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
    /// How many summaries were seen.
    pub(crate) reported: u64,
}

impl Counts {
    /// Adds what another step counted.
    pub(crate) fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.reported += other.reported;
    }

    /// Takes in one line of a runner's output.
    pub(crate) fn read(&mut self, line: &str) {
        let line = without_colours(line);
        let figures = if line.trim_start().starts_with("Summary [") {
            line.split_once("run:").map(|(_, figures)| figures)
        } else {
            // Indented, it is what nextest shows of a test's own output.
            line.strip_prefix("test result:")
                .and_then(|rest| rest.split_once(". "))
                .map(|(_, f)| f)
        };
        let Some(figures) = figures else { return };
        self.reported += 1;
        for figure in figures.split([',', ';']) {
            // As in `3 passed (1 slow)` or `2 timed out`.
            let mut words = figure.split_whitespace();
            let Some(Ok(count)) = words.next().map(str::parse::<u64>) else {
                continue;
            };
            match words.next() {
                Some("passed") => self.passed += count,
                Some("failed" | "timed" | "exec") => self.failed += count,
                Some("skipped" | "ignored") => self.skipped += count,
                _ => {}
            }
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

/// The line without the escape sequences that colour it.
fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            // `ESC [ numbers letter`: the letter ends it.
            let _ = characters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, passed: u64, failed: u64, skipped: u64) {
        let mut counts = Counts::default();
        counts.read(line);
        assert_eq!(
            counts,
            Counts {
                passed,
                failed,
                skipped,
                reported: 1
            }
        );
    }

    #[test]
    fn reads_the_summary_of_nextest() {
        check(
            "     Summary [   0.021s] 5 tests run: 5 passed, 0 skipped\n",
            5,
            0,
            0,
        );
        check(
            "Summary [ 1.0s] 9 tests run: 5 passed (1 slow, 1 leaky), 4 failed, 7 skipped",
            5,
            4,
            7,
        );
        check(
            "Summary [ 1.0s] 3/9 tests run: 1 passed, 1 timed out, 1 exec failed, 0 skipped",
            1,
            2,
            0,
        );
    }

    #[test]
    fn reads_the_summary_of_cargo_test() {
        check(
            "test result: FAILED. 1 passed; 2 failed; 3 ignored; 0 measured; 4 filtered out; \
             finished in 0.00s",
            1,
            2,
            3,
        );
    }

    #[test]
    fn colours_do_not_matter() {
        check(
            "\u{1b}[32;1m Summary\u{1b}[0m [ 0.1s] 1 test run: \u{1b}[1m1\u{1b}[0m passed",
            1,
            0,
            0,
        );
    }

    #[test]
    fn other_lines_count_nothing() {
        let mut counts = Counts::default();
        counts.read("test it::tells_a_summary ... ok");
        counts.read("3 passed, 1 failed");
        counts.read("    test result: ok. 1 passed; 0 failed; 0 ignored; finished in 0.00s");
        assert_eq!(counts, Counts::default());
    }
}
