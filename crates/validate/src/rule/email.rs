//! Email addresses.

/// Whether this is an email address that a service should accept from a form.
///
/// That is a dot-atom, `@`, and a host name of at least two labels: local part at most 64 bytes,
/// domain 253, a label 63, all together 254; ASCII; the last label could be a top level domain, which
/// is two letters or more, or begins with `xn--`. Quoted local parts, comments, address literals and
/// dotless domains are well-formed mail syntax and refused: nobody who means to receive mail types
/// them, and each has been used to smuggle something past a filter. White space and line breaks
/// cannot pass, so an accepted address is safe in a mail header.
///
/// # Examples
///
/// ```
/// use seawall_validate::rule::is_email;
///
/// const _: () = assert!(is_email(b"alice@example.com"));
/// assert!(!is_email(b"a@b\r\nBcc: x@example.com"));
/// ```
#[must_use]
pub const fn is_email(address: &[u8]) -> bool {
    let Some(at) = find_at(address) else {
        return false;
    };
    address.len() <= 254
        && is_dot_atom(address, at)
        && is_domain(address, at + 1, address.len(), true)
}

/// Whether this has the structure of an address, as the expression
/// `^[^@]+@[^@]+\.[^@]+$` asks: one `@`, something before it, and behind it something with a dot
/// inside. It accepts line breaks and a good deal of nonsense; prefer [`is_email`].
#[must_use]
pub const fn is_email_structure(address: &[u8]) -> bool {
    let Some(at) = find_at(address) else {
        return false;
    };
    if at == 0 {
        return false;
    }
    let mut dot = at + 2;
    let mut found = false;
    // A dot that has something before it and behind it.
    while dot + 1 < address.len() {
        if address[dot] == b'.' {
            found = true;
        }
        dot += 1;
    }
    let mut rest = at + 1;
    while rest < address.len() {
        if address[rest] == b'@' {
            return false;
        }
        rest += 1;
    }
    found
}

/// Whether this is a mailbox of RFC 5321: as [`is_email`], and quoted local parts, dotless domains
/// and address literals too.
#[must_use]
pub const fn is_email_rfc5321(address: &[u8]) -> bool {
    if address.len() > 254 {
        return false;
    }
    let at = match quoted_end(address) {
        Some(end) => end,
        None => match find_at(address) {
            Some(at) if is_dot_atom(address, at) => at,
            _ => return false,
        },
    };
    if at > 64 || at >= address.len() || address[at] != b'@' {
        return false;
    }
    let domain = at + 1;
    if domain < address.len() && address[domain] == b'[' {
        return is_literal(address, domain);
    }
    is_domain(address, domain, address.len(), false)
}

const fn find_at(address: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < address.len() {
        if address[at] == b'@' {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// Atoms of RFC 5322, with single dots between them.
const fn is_dot_atom(address: &[u8], end: usize) -> bool {
    if end == 0 || end > 64 {
        return false;
    }
    let mut after_dot = true;
    let mut at = 0;
    while at < end {
        if address[at] == b'.' {
            if after_dot {
                return false;
            }
            after_dot = true;
        } else if IS_ATEXT[address[at] as usize] {
            after_dot = false;
        } else {
            return false;
        }
        at += 1;
    }
    !after_dot
}

const IS_ATEXT: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'!' | b'#'
                    | b'$'
                    | b'%'
                    | b'&'
                    | b'\''
                    | b'*'
                    | b'+'
                    | b'-'
                    | b'/'
                    | b'='
                    | b'?'
                    | b'^'
                    | b'_'
                    | b'`'
                    | b'{'
                    | b'|'
                    | b'}'
                    | b'~'
            );
        byte += 1;
    }
    table
};

/// A host name without a trailing dot, shorter than the 254 bytes of its address; with `dotted`, one that could be reached from outside.
const fn is_domain(address: &[u8], start: usize, end: usize, dotted: bool) -> bool {
    if start >= end {
        return false;
    }
    let mut label = start;
    let mut dots = 0;
    let mut at = start;
    while at < end {
        let byte = address[at];
        if byte == b'.' {
            if at == label || at - label > 63 || address[at - 1] == b'-' {
                return false;
            }
            dots += 1;
            label = at + 1;
        } else if !byte.is_ascii_alphanumeric() && (byte != b'-' || at == label) {
            return false;
        }
        at += 1;
    }
    let last = end - label;
    let (domain, _) = address.split_at(end);
    last >= 1
        && last <= 63
        && address[end - 1] != b'-'
        && (!dotted || (dots > 0 && super::host::is_top_level(domain)))
}

/// Where a quoted local part ends: behind its closing quote.
const fn quoted_end(address: &[u8]) -> Option<usize> {
    if address.is_empty() || address[0] != b'"' {
        return None;
    }
    let mut at = 1;
    while at < address.len() {
        match address[at] {
            b'"' => return Some(at + 1),
            b'\\' if at + 1 < address.len() && matches!(address[at + 1], 0x20..=0x7e) => at += 2,
            0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e => at += 1,
            _ => return None,
        }
    }
    None
}

/// `[192.0.2.1]` or `[IPv6:2001:db8::1]`.
const fn is_literal(address: &[u8], open: usize) -> bool {
    let (_, literal) = address.split_at(open);
    let [b'[', inner @ .., b']'] = literal else {
        return false;
    };
    if let [b'I' | b'i', b'P' | b'p', b'v' | b'V', b'6', b':', rest @ ..] = inner {
        return super::ip::is_ipv6(rest);
    }
    super::ip::is_ipv4(inner)
}

/// Whether a domain is set aside and never receives mail: `.test`, `.invalid`, `.local` and the
/// like (RFC 6761 and 6762), compared in lower case.
#[must_use]
pub fn is_special_use_domain(domain: &str) -> bool {
    const SET_ASIDE: [&str; 8] = [
        "test",
        "invalid",
        "local",
        "localhost",
        "example",
        "onion",
        "alt",
        "arpa",
    ];
    let domain = domain.to_ascii_lowercase();
    let last = domain.rsplit('.').next().unwrap_or_default();
    SET_ASIDE.contains(&last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_addresses_pass() {
        for good in [
            "alice@example.com",
            "a.b+c@x-y.example.co",
            "o'neil@example.org",
        ] {
            assert!(is_email(good.as_bytes()), "{good}");
        }
    }

    #[test]
    fn what_has_been_used_for_smuggling_is_refused() {
        let long = format!("a@{}.com", "b.".repeat(126));
        for bad in [
            "",
            "@",
            "a@",
            "@b.co",
            "a@b",
            "a b@c.de",
            "a@b.co\n",
            "a@b.co\r\nBcc: c@d.ef",
            ".a@b.co",
            "a.@b.co",
            "a..b@c.de",
            "a@-b.co",
            "a@b-.co",
            "a@b..co",
            "a@b.co.",
            "a@b.123",
            "a@b.c",
            "\"a\"@b.co",
            "a@[127.0.0.1]",
            "a@@b.co",
            "a@b@c.de",
            &long,
        ] {
            assert!(!is_email(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn structure_is_the_famous_expression() {
        for good in ["a@b.c", "a b@c\n.d", "a@..b"] {
            assert!(is_email_structure(good.as_bytes()), "{good}");
        }
        for bad in ["a@b", "@b.c", "a@.c", "a@b.", "a@b@c.d"] {
            assert!(!is_email_structure(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn the_wide_grammar_knows_quotes_and_literals() {
        for good in ["\"a b\"@c.de", "a@[127.0.0.1]", "a@[IPv6:::1]", "a@io"] {
            assert!(is_email_rfc5321(good.as_bytes()), "{good}");
        }
        for bad in [
            "\"a\"b@c.de",
            "\"a\n\"@c.de",
            "a@[1.2.3]",
            "a@evil junk[127.0.0.1]",
            "\"\\\u{7}\"@a.bc",
        ] {
            assert!(!is_email_rfc5321(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn lengths_are_those_of_rfc_5321() {
        let (local, label) = ("a".repeat(64), "b".repeat(63));
        // 64, the sign, three labels of 63 with their dots, which makes 256.
        let filled = |last: usize| format!("{local}@{label}.{label}.{}.com", "c".repeat(last));
        type Grammar = fn(&[u8]) -> bool;
        for is_email in [is_email as Grammar, is_email_rfc5321] {
            let is_email = |text: &str| is_email(text.as_bytes());
            assert_eq!((filled(57).len(), filled(58).len()), (254, 255));
            assert!(is_email(&filled(57)) && !is_email(&filled(58)));
            assert!(is_email(&format!("{local}@b.co")) && !is_email(&format!("a{local}@b.co")));
            assert!(is_email(&format!("a@b.{label}.co")) && !is_email(&format!("a@b.{label}b.co")));
            assert!(is_email(&format!("a@b.{label}")) && !is_email(&format!("a@b.{label}b")));
        }
        let quoted = |inner: usize| format!("\"{}\"@b.co", "a".repeat(inner));
        assert!(is_email_rfc5321(quoted(62).as_bytes()));
        assert!(!is_email_rfc5321(quoted(63).as_bytes()));
    }

    #[test]
    fn the_signs_of_an_atom_are_those_of_rfc_5322() {
        for byte in 0..=255_u8 {
            let atom = byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
            let address = [b"a", &[byte], b"a@b.co".as_slice()].concat();
            // A dot stands between two atoms, an `@` makes the rest a domain with two.
            assert_eq!(is_email(&address), atom || byte == b'.', "{byte}");
        }
    }

    #[test]
    fn a_name_without_a_dot_is_reached_from_inside_only() {
        assert!(!is_email(b"a@localhost") && is_email_rfc5321(b"a@localhost"));
        // What looks like a top level domain stands before the sign.
        assert!(!is_email(b"a.xn--b@localhost"));
    }

    #[test]
    fn quotes_and_brackets_have_two_ends() {
        for good in [
            r#""a\"b"@c.de"#,
            r#""\\"@c.de"#,
            r#""\ "@c.de"#,
            r#"""@c.de"#,
            "a@[1.2.3.4]",
        ] {
            assert!(is_email_rfc5321(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            "a",
            "@",
            "a@",
            r#"""#,
            r#""a"#,
            r#""a\"#,
            r#""a\""#,
            r#""a\"@c.de"#,
            r#""a""#,
            r#""a"@"#,
            "a@[",
            "a@[]",
            "a@]",
            "a@[1.2.3.4",
            "a@1.2.3.4]",
            "a@[1.2.3.4]]",
            "a@[IPv6:]",
            "a@[::1]",
        ] {
            assert!(!is_email_rfc5321(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn some_domains_never_receive_mail() {
        for never in [
            "test",
            "a.test",
            "a.LOCAL",
            "b.example",
            "x.arpa",
            "localhost",
        ] {
            assert!(is_special_use_domain(never), "{never}");
        }
        for real in ["example.com", "test.org", "contest", ""] {
            assert!(!is_special_use_domain(real), "{real}");
        }
    }
}
