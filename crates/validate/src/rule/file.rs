//! Texts that become part of something else: a file's name, a header.

/// Whether this is the name of a file and nothing but: no separators, no leading dot, no control
/// characters, none of the names and characters that Windows treats as special; at most 255 bytes.
#[must_use]
pub fn is_file_name(text: &str) -> bool {
    const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
    let special = |c: char| c.is_control() || "/\\<>:\"|?*".contains(c) || super::is_bidi(c);
    if text.is_empty() || text.len() > 255 || text.starts_with('.') || text.ends_with(['.', ' ']) {
        return false;
    }
    let stem = text
        .split('.')
        .next()
        .unwrap_or_default()
        .trim_end()
        .to_lowercase();
    let numbered = |device: &str| {
        // Windows takes the superscripts for digits too.
        stem.strip_prefix(device).is_some_and(|rest| {
            matches!(
                rest,
                "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "0" | "¹" | "²" | "³"
            )
        })
    };
    !text.contains(special)
        && !DEVICES.contains(&stem.as_str())
        && !numbered("com")
        && !numbered("lpt")
}

/// Whether this cannot end a header's line: no CR, LF or NUL.
#[must_use]
pub const fn is_header_safe(text: &[u8]) -> bool {
    let mut at = 0;
    while at < text.len() {
        if matches!(text[at], b'\r' | b'\n' | 0) {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_leave_their_folder() {
        for good in ["report.pdf", "a b.txt", "日本.md", "console", "com.txt"] {
            assert!(is_file_name(good), "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            "../a",
            "a/b",
            "a\\b",
            ".env",
            "a\0b",
            "CON",
            "nul.txt",
            "com1.a",
            "LPT9",
            "a.",
            "a ",
            "c:a",
            "a\u{202e}b",
        ] {
            assert!(!is_file_name(bad), "{bad}");
        }
    }

    #[test]
    fn names_fit_a_folder() {
        assert!(is_file_name(&"a".repeat(255)) && !is_file_name(&"a".repeat(256)));
    }

    #[test]
    fn nothing_ends_a_headers_line() {
        for good in ["", "a", "a b\tc", "é"] {
            assert!(is_header_safe(good.as_bytes()), "{good}");
        }
        for bad in ["\r", "\n", "\0", "a\r\nBcc: b", "a\n", "\na"] {
            assert!(!is_header_safe(bad.as_bytes()), "{bad:?}");
        }
    }
}
