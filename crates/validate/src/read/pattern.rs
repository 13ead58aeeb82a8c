//! Regular expressions of the user's: known to be well-formed when the program was compiled, built
//! at first use, and linear in the text, so that no text is slow.

use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};

/// A pattern that has to match the whole text.
#[derive(Debug)]
pub struct Pattern {
    source: &'static str,
    built: OnceLock<Option<Regex>>,
}

/// What a compiled pattern may take of memory.
const SIZE_LIMIT: usize = 1 << 20;

impl Pattern {
    /// A pattern; nothing is built yet.
    #[must_use]
    pub const fn new(source: &'static str) -> Self {
        Self {
            source,
            built: OnceLock::new(),
        }
    }

    /// Whether the whole text matches.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let build = || {
            RegexBuilder::new(self.source)
                .size_limit(SIZE_LIMIT)
                .dfa_size_limit(SIZE_LIMIT)
                .build()
                .ok()
        };
        // A pattern whose automaton is too large matches nothing: it fails closed.
        self.built
            .get_or_init(build)
            .as_ref()
            .is_some_and(|regex| regex.is_match(text))
    }
}
