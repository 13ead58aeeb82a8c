//! URIs (RFC 3986) and JSON Pointers (RFC 6901), by their grammar.

use super::ip::{is_ipv4, is_ipv6};

/// Whether this is a URI: a scheme, a colon, and the rest, all in ASCII. The grammar admits
/// `javascript:alert(1)`; for a link that people will follow, use `url`.
#[must_use]
pub fn is_uri(text: &[u8]) -> bool {
    let Some(colon) = text.iter().position(|byte| *byte == b':') else {
        return false;
    };
    is_scheme(&text[..colon]) && is_rest(&text[colon + 1..])
}

/// Whether this is a URI or a reference relative to one: `../a?b#c`.
#[must_use]
pub fn is_uri_reference(text: &[u8]) -> bool {
    if is_uri(text) {
        return true;
    }
    // A colon in the first segment would make it a scheme.
    let first = text
        .iter()
        .position(|byte| b"/?#".contains(byte))
        .unwrap_or(text.len());
    !text[..first].contains(&b':') && is_rest(text)
}

fn is_scheme(text: &[u8]) -> bool {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    text.first().is_some_and(u8::is_ascii_alphabetic) && text.iter().all(fits)
}

/// Everything behind the scheme.
fn is_rest(text: &[u8]) -> bool {
    let (text, fragment) = cut(text, b'#');
    let (text, query) = cut(text, b'?');
    let path = match text.strip_prefix(b"//") {
        None => text,
        Some(rest) => {
            let end = rest
                .iter()
                .position(|byte| *byte == b'/')
                .unwrap_or(rest.len());
            if !is_authority(&rest[..end]) {
                return false;
            }
            &rest[end..]
        }
    };
    made_of(path, b":@/") && made_of(query, b":@/?") && made_of(fragment, b":@/?")
}

fn cut(text: &[u8], at: u8) -> (&[u8], &[u8]) {
    match text.iter().position(|byte| *byte == at) {
        Some(place) => (&text[..place], &text[place + 1..]),
        None => (text, b""),
    }
}

fn is_authority(text: &[u8]) -> bool {
    let (user, host) = match text.iter().rposition(|byte| *byte == b'@') {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (&b""[..], text),
    };
    if !made_of(user, b":") {
        return false;
    }
    let literal = host.first() == Some(&b'[');
    let colon = match literal {
        true => host.iter().position(|byte| *byte == b']').map(|at| at + 1),
        false => Some(
            host.iter()
                .position(|byte| *byte == b':')
                .unwrap_or(host.len()),
        ),
    };
    let Some(colon) = colon else { return false };
    let (host, port) = host.split_at(colon);
    let port_fits = match port {
        [] => true,
        [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    let name_fits = |host| made_of(host, b"") && is_utf8_decoded(host);
    port_fits
        && if literal {
            is_literal(&host[1..host.len() - 1])
        } else {
            name_fits(host)
        }
}

/// An IPv6 address, perhaps with a zone (RFC 6874), or an address of the future.
fn is_literal(text: &[u8]) -> bool {
    if let [b'v' | b'V', rest @ ..] = text {
        let (version, address) = cut(rest, b'.');
        return !version.is_empty()
            && version.iter().all(u8::is_ascii_hexdigit)
            && !address.is_empty()
            && !address.contains(&b'%')
            && made_of(address, b":");
    }
    match text.windows(3).position(|three| three == b"%25") {
        Some(at) => {
            let zone = &text[at + 3..];
            let fits = |byte: u8| is_unreserved(byte) || byte == b'%';
            is_ipv6(&text[..at])
                && !zone.is_empty()
                && zone.iter().all(|byte| fits(*byte))
                && made_of(zone, b"")
        }
        None => is_ipv6(text) && !is_ipv4(text),
    }
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Whether the escapes of a host's name stand for UTF-8 (RFC 3986, 3.2.2).
fn is_utf8_decoded(text: &[u8]) -> bool {
    let mut bytes = text.iter();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
        out.push(match byte {
            b'%' => match (digit(bytes.next()), digit(bytes.next())) {
                (Some(high), Some(low)) => u8::try_from(high * 16 + low).unwrap_or_default(),
                _ => return false,
            },
            byte => *byte,
        });
    }
    std::str::from_utf8(&out).is_ok()
}

/// Unreserved characters, sub-delimiters, whole escapes, and those in `more`.
fn made_of(text: &[u8], more: &[u8]) -> bool {
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'%' => {
                let digits = text.get(at + 1..at + 3);
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return false;
                }
                at += 3;
            }
            byte if is_unreserved(byte)
                || b"!$&'()*+,;=".contains(&byte)
                || more.contains(&byte) =>
            {
                at += 1;
            }
            _ => return false,
        }
    }
    true
}

/// Whether this is a JSON Pointer: empty, or `/` before each step, `~` only as `~0` and `~1`.
#[must_use]
pub const fn is_json_pointer(text: &[u8]) -> bool {
    if text.is_empty() {
        return true;
    }
    if text[0] != b'/' {
        return false;
    }
    let mut at = 0;
    while at < text.len() {
        if text[at] == b'~' && (at + 1 == text.len() || !matches!(text[at + 1], b'0' | b'1')) {
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
    fn the_examples_of_the_rfc() {
        for good in [
            "ftp://ftp.is.co.za/rfc/rfc1808.txt",
            "ldap://[2001:db8::7]/c=GB?objectClass?one",
            "mailto:John.Doe@example.com",
            "news:comp.infosystems.www.servers.unix",
            "tel:+1-816-555-1212",
            "telnet://192.0.2.16:80/",
            "urn:oasis:names",
            "a:",
            "a://u:p@h:/",
        ] {
            assert!(is_uri(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            "//a",
            ":a",
            "1a:b",
            "a:%zz",
            "a:b c",
            "a://[::1",
            "a://[::g]",
            "a://h:x",
            "a:#b#c",
            "a:\\",
            "a://%ff",
        ] {
            assert!(!is_uri(bad.as_bytes()), "{bad}");
        }
        for good in ["", "//a", "../b", "?q", "#f", "a/b:c", "./a:b"] {
            assert!(is_uri_reference(good.as_bytes()), "{good}");
        }
        assert!(!is_uri_reference(b"1a:b"));
    }

    #[test]
    fn pointers_escape_their_tildes() {
        assert!(is_json_pointer(b"") && is_json_pointer(b"/a/~0~1"));
        assert!(!is_json_pointer(b"a") && !is_json_pointer(b"/~2") && !is_json_pointer(b"/~"));
    }

    #[test]
    fn hosts_in_brackets_are_addresses_of_today_or_of_the_future() {
        for good in [
            "::1",
            "::1%25en1",
            "::1%25a%41",
            "v1.a",
            "Vf.a:b",
            "v1f.a!b",
        ] {
            assert!(is_uri(format!("a://[{good}]/").as_bytes()), "{good}");
        }
        for bad in [
            "",
            "1.2.3.4",
            "::1%25",
            "::1%en1",
            "::1%25a!b",
            "::1%25a%4",
            "1%25a",
            "v.a",
            "v1.",
            "v1",
            "vg.a",
            "v1.a%41",
            "v1.a/b",
            "v1.a b",
        ] {
            assert!(!is_uri(format!("a://[{bad}]/").as_bytes()), "{bad}");
        }
    }

    #[test]
    fn escapes_are_whole_and_those_of_a_host_are_utf_8() {
        for good in [
            "a:%41",
            "a:b%41c%5a",
            "a:?%41#%41",
            "a://%c3%a4.de/",
            "a://h/%ff",
        ] {
            assert!(is_uri(good.as_bytes()), "{good}");
        }
        for bad in [
            "a:%", "a:%4", "a:%g1", "a:%4g", "a:b%4", "a://%c3/", "a://h%/", "a:?%", "a:#%",
        ] {
            assert!(!is_uri(bad.as_bytes()), "{bad}");
        }
    }
}
