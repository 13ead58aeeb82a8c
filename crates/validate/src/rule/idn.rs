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
    Uts46::new()
        .to_ascii(text.as_bytes(), AsciiDenyList::STD3, Hyphens::Check, DnsLength::Verify)
        .is_ok_and(|ascii| super::is_hostname(ascii.as_bytes()))
}

/// Whether this is an address with letters of any script in it (RFC 6531): the rules of
/// [`is_email`](super::is_email), letters beyond ASCII in the local part, and a domain that IDNA
/// can write in ASCII.
#[must_use]
pub fn is_email_idn(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let fits = |c: char| {
        !c.is_ascii() && !c.is_control() && !c.is_whitespace() && !super::is_bidi(c)
            && !super::is_invisible(c)
    };
    // Every letter beyond ASCII counts as one of ASCII, so that one grammar serves both.
    let plain: String = local.chars().map(|c| if fits(c) { 'x' } else { c }).collect();
    let ascii = Uts46::new().to_ascii(
        domain.as_bytes(),
        AsciiDenyList::STD3,
        Hyphens::Check,
        DnsLength::Verify,
    );
    text.len() <= 254
        && local.len() <= 64
        && ascii.is_ok_and(|ascii| super::is_email(format!("{plain}@{ascii}").as_bytes()))
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
