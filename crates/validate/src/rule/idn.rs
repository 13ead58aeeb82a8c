//! Host names and addresses in every script.

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

/// Whether this is a host name in any script (UTS 46, strict about letters and lengths).
#[must_use]
pub fn is_hostname_idn(text: &str) -> bool {
    // The 253 characters of the longest name are 1012 bytes in no matter which script. What is
    // longer has characters that the mapping drops or joins, and is not worth its time.
    text.len() <= 1024 && to_ascii(text).is_some_and(|ascii| super::is_hostname(ascii.as_bytes()))
}

/// The name in ASCII, if IDNA accepts it: UTS 46, and the contextual rules of IDNA 2008 that
/// UTS 46 leaves out.
fn to_ascii(text: &str) -> Option<std::borrow::Cow<'_, str>> {
    let uts46 = Uts46::new();
    let ascii = uts46
        .to_ascii(
            text.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::Check,
            DnsLength::Verify,
        )
        .ok()?;
    let (unicode, valid) = uts46.to_unicode(text.as_bytes(), AsciiDenyList::STD3, Hyphens::Check);
    let in_context = |label: &str| label.is_ascii() || is_in_context(label);
    (valid.is_ok() && unicode.split('.').all(in_context)).then_some(ascii)
}

/// RFC 5892: the characters that are never allowed though UTS 46 allows them (2.6), and those that
/// are allowed beside certain others only (appendix A).
fn is_in_context(label: &str) -> bool {
    let chars: Vec<char> = label.chars().collect();
    let before = |at: usize| at.checked_sub(1).and_then(|at| chars.get(at)).copied();
    let any = |test: fn(char) -> bool| chars.iter().any(|c| test(*c));
    let is_japanese = |c: char| {
        matches!(c, '\u{3041}'..='\u{309f}' | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}'
            | '\u{3005}' | '\u{3007}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
    };
    let is_arabic_digit = |c: char| matches!(c, '\u{660}'..='\u{669}');
    let is_extended_digit = |c: char| matches!(c, '\u{6f0}'..='\u{6f9}');
    let fits = |(at, c): (usize, &char)| match c {
        '\u{640}' | '\u{7fa}' | '\u{302e}' | '\u{302f}' | '\u{3031}'..='\u{3035}' | '\u{303b}' => {
            false
        }
        '\u{b7}' => before(at) == Some('l') && chars.get(at + 1) == Some(&'l'),
        '\u{375}' => chars
            .get(at + 1)
            .is_some_and(|c| matches!(c, '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}')),
        '\u{5f3}' | '\u{5f4}' => {
            before(at).is_some_and(|c| matches!(c, '\u{591}'..='\u{5f4}' | '\u{fb1d}'..='\u{fb4f}'))
        }
        '\u{30fb}' => any(is_japanese),
        c if is_arabic_digit(*c) => !any(is_extended_digit),
        _ => true,
    };
    chars.iter().enumerate().all(fits)
}

/// Whether this is an address with letters of any script in it (RFC 6531): the rules of
/// [`is_email`](super::is_email), letters beyond ASCII in the local part, and a domain that IDNA
/// can write in ASCII.
#[must_use]
pub fn is_email_idn(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let fits = |c: char| {
        !c.is_ascii()
            && !c.is_control()
            && !c.is_whitespace()
            && !super::is_bidi(c)
            && !super::is_invisible(c)
    };
    // Every letter beyond ASCII counts as one of ASCII, so that one grammar serves both.
    let plain: String = local
        .chars()
        .map(|c| if fits(c) { 'x' } else { c })
        .collect();
    text.len() <= 254
        && local.len() <= 64
        && to_ascii(domain)
            .is_some_and(|ascii| super::is_email(format!("{plain}@{ascii}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_is_welcome() {
        assert!(is_hostname_idn("münchen.de") && is_hostname_idn("例え.jp"));
        assert!(!is_hostname_idn("a b.de") && !is_hostname_idn("xn--0.de"));
        assert!(is_email_idn("jörg@münchen.de") && is_email_idn("a@b.co"));
        assert!(!is_email_idn("a\u{200b}@b.co") && !is_email_idn("a\n@b.co"));
    }

    #[test]
    fn some_letters_need_a_neighbour() {
        for good in [
            "l\u{b7}l.cat",
            "\u{375}\u{3b1}.gr",
            "\u{5d0}\u{5f3}.il",
            "\u{5d0}\u{5f4}\u{5d1}.il",
            "ア\u{30fb}ア.jp",
            "中\u{30fb}文.jp",
            "\u{628}\u{660}.sa",
            "\u{628}\u{6f0}.ir",
        ] {
            assert!(is_hostname_idn(good), "{good}");
        }
        for bad in [
            "a\u{b7}l.cat",
            "l\u{b7}a.cat",
            "l\u{b7}.cat",
            "\u{b7}l.cat",
            "ä\u{375}a.gr",
            "\u{3b1}\u{375}.gr",
            "ä\u{5f3}.il",
            "\u{5f4}\u{5d0}.il",
            "ä\u{30fb}b.jp",
            "\u{628}\u{660}\u{6f0}.sa",
            "\u{628}\u{640}.sa",
            "\u{302e}ア.jp",
            "ア\u{303b}.jp",
            "\u{3031}ア.jp",
        ] {
            assert!(!is_hostname_idn(bad), "{bad}");
        }
    }

    #[test]
    fn context_is_looked_at_label_by_label() {
        assert!(
            is_in_context("l\u{b7}l") && !is_in_context("a\u{b7}l") && !is_in_context("l\u{b7}a")
        );
        // The letter stands behind the sign here, and before it there.
        assert!(is_in_context("\u{375}\u{3b1}") && !is_in_context("\u{3b1}\u{375}"));
        assert!(is_in_context("\u{5d0}\u{5f3}") && !is_in_context("\u{5f3}\u{5d0}"));
        assert!(is_in_context("ア\u{30fb}") && !is_in_context("\u{30fb}"));
        assert!(
            is_in_context("\u{660}")
                && is_in_context("\u{6f0}")
                && !is_in_context("\u{660}\u{6f0}")
        );
        for never in [
            '\u{640}', '\u{7fa}', '\u{302e}', '\u{302f}', '\u{3031}', '\u{3035}', '\u{303b}',
        ] {
            assert!(!is_in_context(&never.to_string()), "{never:?}");
        }
        assert!(is_in_context("münchen") && is_in_context(""));
    }

    #[test]
    fn names_are_looked_at_before_they_are_mapped() {
        for bad in [
            "",
            ".",
            "b.de.",
            "münchen.de.",
            "münchen.de。",
            "a_b.de",
            "ab--cd.de",
            "-ä.de",
            "1.2.3.4",
        ] {
            assert!(!is_hostname_idn(bad), "{bad}");
        }
        // Soft hyphens vanish: a long text, a short name. What is too long is not mapped.
        let padded = |name: &str| format!("{name}{}.de", "\u{ad}".repeat(510));
        assert!(is_hostname_idn(&padded("a")) && !is_hostname_idn(&padded("ab")));
    }

    #[test]
    fn local_parts_have_letters_of_any_script_and_no_tricks() {
        let long = "é".repeat(32);
        assert!(is_email_idn(&format!("{long}@b.co")) && !is_email_idn(&format!("a{long}@b.co")));
        for bad in [
            "\u{85}@b.co",
            "a\u{a0}b@b.co",
            "a\u{202e}b@b.co",
            "\u{feff}a@b.co",
            "ä@",
            "@b.co",
            "ä",
            "ä..b@b.co",
            "ä@b",
            "ä@a\u{b7}l.cat",
            "ä b@b.co",
        ] {
            assert!(!is_email_idn(bad), "{bad:?}");
        }
    }
}
