//! Reads the addresses out of `X-Forwarded-For` and `Forwarded` lines.
//!
//! Both headers list hops from left to right, each proxy appending the address it was called
//! from. Only the right end was written by a proxy that we may know, so readers walk from there.

use std::net::{IpAddr, SocketAddr};

/// What one hop wrote about the party that called it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hop {
    /// An address, canonical, without its port.
    Address(IpAddr),
    /// `unknown`, an obfuscated name, or something unreadable: the chain cannot be followed past it.
    Opaque,
}

/// Splits an `X-Forwarded-For` line into its hops, right to left.
pub(super) fn x_forwarded_for(line: &str) -> impl Iterator<Item = Hop> + '_ {
    line.rsplit(',')
        .map(|entry| hop(entry.trim_matches([' ', '\t'])))
}

/// Splits a `Forwarded` line (RFC 7239, section 4) into the `for` of its elements, right to left.
///
/// An element without `for` says nothing about the caller and is opaque. A quoted string that does
/// not end makes the rest of the line unreadable; since readers start at the right, the whole line
/// is then one opaque hop.
pub(super) fn forwarded(line: &str) -> impl Iterator<Item = Hop> + '_ {
    let mut elements = split_unquoted(line, ',');
    let broken = elements.is_none();
    let hops = elements.take().unwrap_or_default();
    hops.into_iter()
        .rev()
        .map(element_for)
        .chain(broken.then_some(Hop::Opaque))
}

fn element_for(element: &str) -> Hop {
    let Some(pairs) = split_unquoted(element, ';') else {
        return Hop::Opaque;
    };
    let mut found = None;
    for pair in pairs {
        let Some((name, value)) = pair.split_once('=') else {
            continue;
        };
        if name.trim_matches([' ', '\t']).eq_ignore_ascii_case("for") {
            // A parameter may occur once per element (RFC 7239, section 4).
            if found
                .replace(hop(unquote(value.trim_matches([' ', '\t']))))
                .is_some()
            {
                return Hop::Opaque;
            }
        }
    }
    found.unwrap_or(Hop::Opaque)
}

/// Strips one pair of quotes. Addresses need no escapes, so a value with a backslash stays
/// unreadable and ends up opaque.
fn unquote(value: &str) -> &str {
    value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(value)
}

/// Splits at a separator outside quoted strings; `None` when a quoted string does not end.
fn split_unquoted(text: &str, separator: char) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            c if c == separator && !quoted => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if quoted {
        return None;
    }
    parts.push(&text[start..]);
    Some(parts)
}

/// Reads an address with or without port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`,
/// `[2001:db8::1]`, `[2001:db8::1]:80`. Some load balancers append ports, so they are stripped.
fn hop(text: &str) -> Hop {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let address = if let Some(inner) = bare {
        inner.parse::<std::net::Ipv6Addr>().ok().map(IpAddr::V6)
    } else {
        text.parse::<IpAddr>()
            .ok()
            .or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
            .or_else(|| obfuscated_port(text))
    };
    address.map_or(Hop::Opaque, |address| Hop::Address(address.to_canonical()))
}

/// RFC 7239 allows `_name` in place of a port; the address before it still counts.
fn obfuscated_port(text: &str) -> Option<IpAddr> {
    let (host, port) = text.rsplit_once(':')?;
    let named = port.strip_prefix('_')?;
    if named.is_empty()
        || !named
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    {
        return None;
    }
    match host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse::<std::net::Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Hop {
        Hop::Address(text.parse().unwrap())
    }

    fn check_xff(line: &str, expected: &[Hop]) {
        assert_eq!(
            x_forwarded_for(line).collect::<Vec<_>>(),
            expected,
            "{line}"
        );
    }

    fn check_forwarded(line: &str, expected: &[Hop]) {
        assert_eq!(forwarded(line).collect::<Vec<_>>(), expected, "{line}");
    }

    #[test]
    fn x_forwarded_for_is_read_from_the_right() {
        check_xff(
            "192.0.2.1, 198.51.100.2",
            &[address("198.51.100.2"), address("192.0.2.1")],
        );
        check_xff("192.0.2.1:4711", &[address("192.0.2.1")]);
        check_xff("[2001:db8::1]:443", &[address("2001:db8::1")]);
        check_xff("2001:db8::1", &[address("2001:db8::1")]);
        check_xff("::ffff:192.0.2.1", &[address("192.0.2.1")]);
    }

    #[test]
    fn what_is_no_address_is_opaque() {
        for line in [
            "unknown",
            "_hidden",
            "",
            "1.2.3",
            "<script>",
            "192.0.2.1:notaport",
            "[::1",
            "\"192.0.2.1\"",
        ] {
            check_xff(line, &[Hop::Opaque]);
        }
    }

    /// The examples of RFC 7239, sections 4, 6 and 7.4.
    #[test]
    fn forwarded_examples_of_the_rfc() {
        check_forwarded("for=\"_gazonk\"", &[Hop::Opaque]);
        check_forwarded(
            "For=\"[2001:db8:cafe::17]:4711\"",
            &[address("2001:db8:cafe::17")],
        );
        check_forwarded(
            "for=192.0.2.60;proto=http;by=203.0.113.43",
            &[address("192.0.2.60")],
        );
        check_forwarded(
            "for=192.0.2.43, for=198.51.100.17",
            &[address("198.51.100.17"), address("192.0.2.43")],
        );
        check_forwarded(
            "for=192.0.2.43,for=\"[2001:db8:cafe::17]\",for=unknown",
            &[
                Hop::Opaque,
                address("2001:db8:cafe::17"),
                address("192.0.2.43"),
            ],
        );
        check_forwarded("for=192.0.2.43:_port", &[address("192.0.2.43")]);
    }

    #[test]
    fn a_quote_that_does_not_end_hides_the_whole_line() {
        check_forwarded("for=192.0.2.1, for=\"10.0.0.1", &[Hop::Opaque]);
    }

    #[test]
    fn separators_inside_quotes_do_not_split() {
        check_forwarded("for=192.0.2.1;host=\"a,b;c\"", &[address("192.0.2.1")]);
    }

    #[test]
    fn a_repeated_parameter_is_opaque() {
        check_forwarded("for=192.0.2.1;for=192.0.2.2", &[Hop::Opaque]);
    }
}
