//! What operators may read about an error, and callers never.

use std::{
    error::Error,
    fmt::{self, Write as _},
};

use crate::ApiError;

/// The half of an [`ApiError`] that only operators see: the cause and the notes.
///
/// It has no `Display`, no `Serialize`, and its `Debug` shows nothing, so that no generic code can
/// carry it into an answer. [`report`](Self::report) is the one way to its text, and belongs in a
/// log.
#[derive(Default)]
pub struct Private {
    source: Option<Box<dyn Error + Send + Sync>>,
    notes: Vec<String>,
}

impl Private {
    /// The chain of causes and the notes as one line for a log.
    ///
    /// Causes are joined by ` <- `, a cause whose text its parent repeats at its end is left out,
    /// and notes follow. What would break a line or hide text (control characters, line
    /// separators, direction marks) is escaped. The report is cut to 8 KiB.
    #[must_use]
    pub fn report(&self) -> String {
        let mut line = Line::default();
        // A full line stops the walk; there is nothing more to say then.
        let _full = self.write(&mut line, 0);
        line.text
    }

    /// Whether there is nothing to report.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.source.is_none() && self.notes.is_empty()
    }

    pub(crate) fn set_source(&mut self, source: Box<dyn Error + Send + Sync>) {
        // The first cause is kept too: a later one is not an excuse to lose it.
        if let Some(earlier) = self.source.replace(source) {
            let mut line = Line::default();
            let _full = write_chain(&mut line, &*earlier, 0);
            self.note(line.text);
        }
    }

    pub(crate) fn note(&mut self, note: String) {
        if self.notes.len() < MAX_NOTES {
            self.notes.push(note);
        }
    }

    fn write(&self, line: &mut Line, depth: usize) -> fmt::Result {
        if let Some(source) = &self.source {
            write_chain(line, &**source, depth)?;
        }
        for note in &self.notes {
            line.separate("; ")?;
            line.write_str(note)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Private(..)")
    }
}

fn write_chain(line: &mut Line, first: &(dyn Error + 'static), mut depth: usize) -> fmt::Result {
    let mut next = Some(first);
    let mut above = String::new();
    while let Some(error) = next {
        if depth == MAX_DEPTH {
            return line.write_str(" <- ...");
        }
        depth += 1;
        let mut level = Line::default();
        let _full = write!(level, "{error}");
        if !above.ends_with(&level.text) || level.text.is_empty() {
            line.separate(" <- ")?;
            line.push_escaped(&level.text)?;
        }
        if let Some(inner) = error.downcast_ref::<ApiError>()
            && !inner.private().is_empty()
        {
            // An `ApiError` hides its cause from everybody but us.
            line.separate(" <- ")?;
            inner.private().write(line, depth)?;
        }
        above = level.text;
        next = error.source();
    }
    Ok(())
}

/// A bounded line: whatever is written comes out escaped, and writing ends when it is full.
#[derive(Default)]
struct Line {
    text: String,
}

impl Line {
    fn separate(&mut self, with: &str) -> fmt::Result {
        if self.text.is_empty() || self.text.ends_with(with) {
            Ok(())
        } else {
            self.push_escaped(with)
        }
    }

    fn push_escaped(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            self.push(c)?;
        }
        Ok(())
    }

    fn push(&mut self, c: char) -> fmt::Result {
        if self.text.len() + c.len_utf8() > MAX_BYTES {
            return Err(fmt::Error);
        }
        self.text.push(c);
        Ok(())
    }
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            if breaks_a_line(c) {
                for escaped in c.escape_default() {
                    self.push(escaped)?;
                }
            } else {
                self.push(c)?;
            }
        }
        Ok(())
    }
}

/// Control characters, line and paragraph separators, and the marks that turn or hide text.
fn breaks_a_line(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

const MAX_BYTES: usize = 8 * 1024;
const MAX_DEPTH: usize = 32;
const MAX_NOTES: usize = 32;
