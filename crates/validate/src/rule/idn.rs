//! Host names and addresses in every script.

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

/// Whether this is a host name in any script (UTS 46, strict about letters and lengths).
#[must_use]
pub fn is_hostname_idn(text: &str) -> bool {
    // IDNA maps full stops of other scripts and invisible characters away; a name that only
    // exists after mapping is another spelling of a name.
    if text.is_empty() || text.len() > 1024 || text.ends_with('.') {
        return false;
    }
    to_ascii(text).is_some_and(|ascii| super::is_hostname(ascii.as_bytes()))
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
}
