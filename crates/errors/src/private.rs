//! What operators may read about an error, and callers never.

use std::{
    error::Error,
    fmt::{self, Write as _},
};

use crate::{ApiError, text};

/// The half of an [`ApiError`](struct@crate::ApiError) that only operators see: the cause and the notes.
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
    /// Causes are joined by ` <- `, and one whose text its parent repeats at its end is left out.
    /// Notes follow after `; `. What would break the line or hide text (control characters, line
    /// separators, marks of direction and of no width) is escaped. A cause or note is cut to
    /// 2 KiB, the chain to 32 causes and the whole to 8 KiB; an ellipsis shows where.
    #[must_use]
    pub fn report(&self) -> String {
        let mut line = Line::new(MAX_REPORT);
        self.write(&mut line, 0);
        line.finish()
    }

    /// Whether there is nothing to report.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.source.is_none() && self.notes.is_empty()
    }

    /// The first of the causes that is of this type, those of an inner
    /// [`ApiError`](struct@crate::ApiError) included.
    ///
    /// For observers that count by cause. Whoever asks has to know the type, so that this, too, is no
    /// way out for code that prints whatever it is given. The first 32 causes are looked at.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    /// use seawall_errors::{ApiError, codes};
    ///
    /// let error = ApiError::new(codes::INTERNAL_ERROR).source(io::Error::other("disk"));
    /// assert!(error.private().find::<io::Error>().is_some());
    /// assert!(error.private().find::<std::fmt::Error>().is_none());
    /// ```
    #[must_use]
    pub fn find<E: Error + 'static>(&self) -> Option<&E> {
        self.find_within(MAX_DEPTH)
    }

    fn find_within<E: Error + 'static>(&self, mut depth: usize) -> Option<&E> {
        let mut next: Option<&(dyn Error + 'static)> = match &self.source {
            Some(source) => Some(&**source),
            None => None,
        };
        while let Some(error) = next
            && depth > 0
        {
            depth -= 1;
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            if let Some(inner) = error.downcast_ref::<ApiError>()
                && let Some(found) = inner.private().find_within(depth)
            {
                return Some(found);
            }
            next = error.source();
        }
        None
    }

    /// Keeps the cause. One that was there before becomes a note, rather than being lost.
    pub(crate) fn set_source(&mut self, source: Box<dyn Error + Send + Sync>) {
        if let Some(earlier) = self.source.replace(source) {
            let mut line = Line::new(MAX_PIECE);
            write_chain(&mut line, &*earlier, 0);
            self.note(line.finish());
        }
    }

    pub(crate) fn note(&mut self, note: String) {
        if self.notes.len() < MAX_NOTES {
            // Kept as far as a report shows it, and a little more, so that the report can tell.
            self.notes.push(text::cut(note, MAX_PIECE + 4));
        }
    }

    fn write(&self, line: &mut Line, depth: usize) {
        if let Some(source) = &self.source {
            write_chain(line, &**source, depth);
        }
        for note in &self.notes {
            line.piece("; ", note);
        }
    }
}

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Private(..)")
    }
}

/// Writes a chain of causes, and those which an `ApiError` among them keeps private.
fn write_chain(line: &mut Line, first: &(dyn Error + 'static), mut depth: usize) {
    let mut next = Some(first);
    let mut above = String::new();
    while let Some(error) = next {
        if depth == MAX_DEPTH {
            line.full = true;
            return;
        }
        depth += 1;
        let mut text = Line::new(MAX_PIECE);
        // A `Display` that fails, or that ends as the line is full, has said what it could.
        let _ = write!(text, "{error}");
        let text = text.finish();
        if above.is_empty() || !above.ends_with(&text) {
            line.append(" <- ", &text);
        }
        above = text;
        if let Some(inner) = error.downcast_ref::<ApiError>() {
            inner.private().write(line, depth);
        }
        next = error.source();
    }
}

/// A bounded line: what is written comes out escaped, and writing ends when it is full.
struct Line {
    text: String,
    max: usize,
    full: bool,
}

impl Line {
    const fn new(max: usize) -> Self {
        Self {
            text: String::new(),
            max,
            full: false,
        }
    }

    /// Adds text that is yet to be escaped.
    fn piece(&mut self, separator: &str, text: &str) {
        let mut piece = Self::new(MAX_PIECE);
        // A full piece is what `finish` shows.
        let _ = piece.write_str(text);
        self.append(separator, &piece.finish());
    }

    /// Adds text that is escaped already.
    fn append(&mut self, separator: &str, text: &str) {
        let separator = if self.text.is_empty() { "" } else { separator };
        for c in separator.chars().chain(text.chars()) {
            if !self.push(c) {
                return;
            }
        }
    }

    fn push(&mut self, c: char) -> bool {
        self.full |= self.text.len() + c.len_utf8() > self.max;
        if !self.full {
            self.text.push(c);
        }
        !self.full
    }

    fn finish(mut self) -> String {
        if self.full {
            self.text.push('…');
        }
        self.text
    }
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            let written = if breaks_a_line(c) {
                c.escape_default().all(|escaped| self.push(escaped))
            } else {
                self.push(c)
            };
            if !written {
                return Err(fmt::Error);
            }
        }
        Ok(())
    }
}

/// Control characters, line and paragraph separators, and marks that turn or hide text.
fn breaks_a_line(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

const MAX_REPORT: usize = 8 * 1024;
const MAX_PIECE: usize = 2 * 1024;
const MAX_DEPTH: usize = 32;
const MAX_NOTES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;

    #[derive(Debug)]
    struct Level(String, Option<Box<Self>>);

    impl fmt::Display for Level {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(&self.0)
        }
    }

    impl Error for Level {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|cause| cause as _)
        }
    }

    fn chain<'a>(texts: impl DoubleEndedIterator<Item = &'a str>) -> Level {
        let wrap = |cause, text: &str| Some(Box::new(Level(text.to_owned(), cause)));
        *texts.rev().fold(None, wrap).expect("a chain has a level")
    }

    fn check(error: &ApiError, expected: &str) {
        assert_eq!(error.private().report(), expected);
    }

    fn internal() -> ApiError {
        ApiError::new(codes::INTERNAL_ERROR)
    }

    #[test]
    fn reports_causes_and_then_notes() {
        let cause = chain(["query", "connect", "refused"].into_iter());
        check(
            &internal().note("n1").source(cause).note("n2"),
            "query <- connect <- refused; n1; n2",
        );
        check(&internal(), "");
        assert!(internal().private().is_empty());
    }

    #[test]
    fn leaves_out_what_the_parent_has_said() {
        check(
            &internal().source(chain(["query: refused", "refused"].into_iter())),
            "query: refused",
        );
    }

    #[test]
    fn escapes_what_breaks_or_hides_a_line() {
        let text = "a\r\nlevel=error\u{1b}[2J\0\u{2028}\u{202e}\u{feff}é";
        let expected = r"a\r\nlevel=error\u{1b}[2J\u{0}\u{2028}\u{202e}\u{feff}é";
        check(&internal().source(text), expected);
        check(&internal().note(text), expected);
    }

    #[test]
    fn escapes_every_mark_that_turns_or_hides_text() {
        let marks = "\u{7f}\u{85}\u{ad}\u{61c}\u{200b}\u{200f}\u{2029}\u{202a}\u{2060}\u{2066}\u{2069}\u{e0001}";
        for mark in marks.chars() {
            check(
                &internal().note(mark.to_string()),
                &mark.escape_default().to_string(),
            );
        }
        for kept in [
            '\u{a0}', '\u{610}', '\u{2010}', '\u{2030}', '\u{2070}', '\\', '"',
        ] {
            check(&internal().note(kept.to_string()), &kept.to_string());
        }
    }

    #[test]
    fn keeps_an_earlier_cause_as_a_note() {
        check(
            &internal().source("first").source("second"),
            "second; first",
        );
    }

    #[test]
    fn shows_what_an_inner_api_error_kept_private() {
        let inner = ApiError::new(codes::CONFLICT)
            .source("row locked")
            .note("table carts");
        check(
            &internal().source(inner),
            "conflict: Conflict <- row locked; table carts",
        );
    }

    #[test]
    fn a_cause_is_found_by_its_type_within_an_inner_error_too() {
        let inner = ApiError::new(codes::CONFLICT).source(u8::try_from(300).unwrap_err());
        let error = internal().source(inner);
        let private = error.private();
        assert!(private.find::<ApiError>().is_some());
        assert!(private.find::<std::num::TryFromIntError>().is_some());
        assert!(private.find::<fmt::Error>().is_none());
        assert!(internal().private().find::<fmt::Error>().is_none());
    }

    #[test]
    fn is_bounded_in_length_and_depth() {
        let long = internal()
            .source("x".repeat(1 << 20))
            .note("y".repeat(1 << 20))
            .note("end");
        let report = long.private().report();
        assert_eq!(
            report,
            format!("{}…; {}…; end", "x".repeat(2048), "y".repeat(2048))
        );

        let deep = internal().source(chain((0..1000).map(|i| ["a", "b"][i % 2])));
        let report = deep.private().report();
        assert_eq!(report.matches("<-").count(), 31);
        assert!(report.ends_with('…'));

        let many = (0..99).fold(internal(), |error, i| error.note(i.to_string()));
        assert!(many.private().report().ends_with("; 30; 31"));

        let many = (0..99).fold(internal(), |error, i| error.note(format!("{i:01000}")));
        assert!(many.private().report().len() <= MAX_REPORT + '…'.len_utf8());
    }
}
