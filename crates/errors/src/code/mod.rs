//! What kind of failure it is: a stable id, a status, a title and what a caller can do about it.

mod registry;

pub use registry::assert_unique;

/// Names one kind of failure: a stable id, one HTTP status, one title.
///
/// A code is plain data, made in a `const`. Declare your own with [`error_codes!`](crate::error_codes),
/// which also refuses two codes of the same id; the ones that every service needs are in
/// [`codes`](crate::codes).
///
/// # Examples
///
/// ```
/// use seawall_errors::{ErrorCode, Retry};
///
/// const OUT_OF_STOCK: ErrorCode = ErrorCode::new("out_of_stock", 409, "The item is out of stock");
///
/// assert_eq!(OUT_OF_STOCK.status(), 409);
/// assert_eq!(OUT_OF_STOCK.retry(), Retry::AfterFix);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ErrorCode {
    id: &'static str,
    status: u16,
    title: &'static str,
    retry: Retry,
    public: bool,
}

/// Tells what a caller who met the error should do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Retry {
    /// Trying again will not help, or nobody knows what the first try did.
    Never,
    /// The same request may pass later; wait as long as `Retry-After` says.
    AfterDelay,
    /// The same request may be sent again at once: nothing was executed.
    SameRequest,
    /// The request must be changed first.
    AfterFix,
}

impl ErrorCode {
    /// Makes a code.
    ///
    /// The retry class follows from the status: [`Retry::AfterDelay`] for 429 and 503,
    /// [`Retry::AfterFix`] for every other 4xx, [`Retry::Never`] for every other 5xx.
    /// [`with_retry`](Self::with_retry) replaces it.
    ///
    /// # Panics
    ///
    /// When `id` is not snake case (`[a-z][a-z0-9_]*`, at most 63 bytes), `status` is outside
    /// 400 to 599, or `title` is empty or holds a control character. In a `const`, where codes
    /// belong, that is a compile error.
    #[must_use]
    pub const fn new(id: &'static str, status: u16, title: &'static str) -> Self {
        assert!(
            is_snake_case(id),
            "an error code's id is snake_case: [a-z][a-z0-9_]*, at most 63 bytes"
        );
        assert!(
            status >= 400 && status <= 599,
            "an error code's status is 400 to 599"
        );
        assert!(
            is_title(title),
            "an error code's title is text without control characters"
        );
        let retry = match status {
            429 | 503 => Retry::AfterDelay,
            400..=499 => Retry::AfterFix,
            _ => Retry::Never,
        };
        Self {
            id,
            status,
            title,
            retry,
            public: false,
        }
    }

    /// Replaces the retry class.
    #[must_use]
    pub const fn with_retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Lets callers see the id, the title, a message set with
    /// [`ApiError::message`](crate::ApiError::message) and `Retry-After` of a 5xx code.
    ///
    /// Without it, a 5xx goes out as `internal_error`, "Internal server error", whatever it was.
    /// Details and metadata of a 5xx never go out. Codes below 500 are public anyhow.
    #[must_use]
    pub const fn public(mut self) -> Self {
        self.public = true;
        self
    }

    /// The machine-readable name, which never changes once it is published.
    #[must_use]
    pub const fn id(self) -> &'static str {
        self.id
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        self.status
    }

    /// The human-readable summary, the same for each occurrence.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.title
    }

    /// What a caller should do next.
    #[must_use]
    pub const fn retry(self) -> Retry {
        self.retry
    }

    /// Whether callers may see what the code says: true below 500, and for a 5xx marked
    /// [`public`](Self::public).
    #[must_use]
    pub const fn is_public(self) -> bool {
        self.public || self.status < 500
    }
}

const fn is_snake_case(id: &str) -> bool {
    let bytes = id.as_bytes();
    if bytes.is_empty() || bytes.len() > 63 || !bytes[0].is_ascii_lowercase() {
        return false;
    }
    let mut i = 1;
    while i < bytes.len() {
        if !(bytes[i].is_ascii_lowercase() || bytes[i].is_ascii_digit() || bytes[i] == b'_') {
            return false;
        }
        i += 1;
    }
    true
}

const fn is_title(title: &str) -> bool {
    let bytes = title.as_bytes();
    if bytes.is_empty() {
        return false;
    }
    let mut i = 0;
    while i < bytes.len() {
        if bytes[i].is_ascii_control() {
            return false;
        }
        i += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_snake_case_of_at_most_63_bytes() {
        let longest = "a".repeat(63);
        let too_long = "a".repeat(64);
        for (id, good) in [
            ("a", true),
            ("not_found", true),
            ("http2_reset", true),
            (longest.as_str(), true),
            (too_long.as_str(), false),
            ("", false),
            ("Not_found", false),
            ("_x", false),
            ("2x", false),
            ("a-b", false),
            ("a b", false),
            ("é", false),
        ] {
            assert_eq!(is_snake_case(id), good, "{id:?}");
        }
    }

    #[test]
    fn titles_are_text() {
        assert!(is_title("Not found"));
        assert!(!is_title(""));
        assert!(!is_title("Not\nfound"));
        assert!(!is_title("Not\u{7f}found"));
    }

    #[test]
    fn the_retry_class_follows_from_the_status() {
        for (status, retry) in [
            (400, Retry::AfterFix),
            (429, Retry::AfterDelay),
            (499, Retry::AfterFix),
            (500, Retry::Never),
            (503, Retry::AfterDelay),
            (599, Retry::Never),
        ] {
            assert_eq!(ErrorCode::new("x", status, "X").retry(), retry, "{status}");
        }
    }

    #[test]
    #[should_panic(expected = "400 to 599")]
    fn a_status_below_400_is_no_error() {
        let _ = ErrorCode::new("x", 399, "X");
    }

    #[test]
    #[should_panic(expected = "400 to 599")]
    fn a_status_above_599_is_no_error() {
        let _ = ErrorCode::new("x", 600, "X");
    }

    #[test]
    fn everything_below_500_is_public() {
        assert!(ErrorCode::new("x", 499, "X").is_public());
        assert!(!ErrorCode::new("x", 500, "X").is_public());
        assert!(ErrorCode::new("x", 500, "X").public().is_public());
    }
}
