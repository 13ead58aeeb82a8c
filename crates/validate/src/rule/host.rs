//! Host names and ports.

use super::ip::{is_ipv4, is_ipv6, is_number_up_to};

/// Whether this is a host name (RFC 1123): labels of 1 to 63 letters, digits and inner hyphens,
/// 253 bytes in all, no dot at the end, the last label no number (else `1.2.3.4` would be one).
#[must_use]
pub const fn is_hostname(text: &[u8]) -> bool {
    labels(text) > 0
}

/// Whether this is a host name of two labels or more whose last one could be a top level domain:
/// two letters at least, or the `xn--` of an internationalised one.
#[must_use]
pub const fn is_fqdn(text: &[u8]) -> bool {
    labels(text) > 1 && is_top_level(text)
}

/// The number of labels, or 0 if this is no host name.
const fn labels(text: &[u8]) -> usize {
    if text.is_empty() || text.len() > 253 {
        return 0;
    }
    let mut count = 1;
    let mut label = 0;
    let mut only_digits = true;
    let mut at = 0;
    while at < text.len() {
        let byte = text[at];
        if byte == b'.' {
            if at == label || at - label > 63 || text[at - 1] == b'-' {
                return 0;
            }
            count += 1;
            label = at + 1;
            only_digits = true;
        } else if byte.is_ascii_alphanumeric() || (byte == b'-' && at > label) {
            only_digits &= byte.is_ascii_digit();
        } else {
            return 0;
        }
        at += 1;
    }
    let last = at - label;
    if last == 0 || last > 63 || text[at - 1] == b'-' || only_digits {
        0
    } else {
        count
    }
}

/// Whether the last label could be a top level domain.
pub(super) const fn is_top_level(text: &[u8]) -> bool {
    let mut label = text.len();
    while label > 0 && text[label - 1] != b'.' {
        label -= 1;
    }
    let (_, last) = text.split_at(label);
    if let [b'x' | b'X', b'n' | b'N', b'-', b'-', _, ..] = last {
        return true;
    }
    let mut at = 0;
    while at < last.len() {
        if !last[at].is_ascii_alphabetic() {
            return false;
        }
        at += 1;
    }
    last.len() >= 2
}

/// Whether this is a port: 1 to 65535, without leading zeros.
#[must_use]
pub const fn is_port(text: &[u8]) -> bool {
    is_number_up_to(text, 65_535) && text[0] != b'0'
}

/// Whether this is a host name or address and, behind a colon, a port. An IPv6 address stands in
/// brackets. Port 0 is a port here, as in RFC 3986.
#[must_use]
pub const fn is_host_and_port(text: &[u8]) -> bool {
    let mut colon = text.len();
    while colon > 0 {
        colon -= 1;
        if text[colon] == b':' {
            let (host, port) = text.split_at(colon);
            let (_, port) = port.split_at(1);
            return is_number_up_to(port, 65_535) && is_host(host);
        }
    }
    false
}

const fn is_host(text: &[u8]) -> bool {
    if let [b'[', inner @ .., b']'] = text {
        return is_ipv6(inner);
    }
    is_hostname(text) || is_ipv4(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_labels() {
        for good in ["a", "example.com", "xn--nxasmq6b", "1a.b-c", "a.1b"] {
            assert!(is_hostname(good.as_bytes()), "{good}");
        }
        for bad in [
            "", ".", "a.", ".a", "a..b", "-a", "a-", "a_b", "1.2.3.4", "é", "a b",
        ] {
            assert!(!is_hostname(bad.as_bytes()), "{bad}");
        }
        assert!(!is_hostname("a".repeat(64).as_bytes()));
        assert!(!is_fqdn(b"localhost"));
        assert!(!is_fqdn(b"a.b2"));
        assert!(is_fqdn(b"a.xn--p1ai"));
    }

    #[test]
    fn ports_are_plain_numbers() {
        assert!(is_port(b"1") && is_port(b"65535"));
        for bad in ["", "0", "65536", "080", "+1", " 1"] {
            assert!(!is_port(bad.as_bytes()), "{bad}");
        }
        assert!(is_host_and_port(b"[::1]:80"));
        assert!(!is_host_and_port(b"::1:80"));
    }

    #[test]
    fn labels_and_names_are_as_long_as_rfc_1123_lets_them() {
        let label = "a".repeat(63);
        for good in [
            format!("{label}.bc"),
            format!("b.{label}"),
            format!("{}.{}.cc", "a".repeat(40), "b".repeat(40)),
            format!("{label}.{label}.{label}.{}", "b".repeat(61)),
        ] {
            assert!(
                is_hostname(good.as_bytes()) && is_fqdn(good.as_bytes()),
                "{good}"
            );
        }
        for bad in [
            format!("a{label}.bc"),
            format!("b.a{label}"),
            format!("{label}.{label}.{label}.{}", "b".repeat(62)),
            "a-.bc".to_owned(),
        ] {
            assert!(
                !is_hostname(bad.as_bytes()) && !is_fqdn(bad.as_bytes()),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_top_level_domain_is_letters_or_of_another_script() {
        for good in ["com", "a.de", "xn--p1ai", "a.XN--P1AI"] {
            assert!(is_top_level(good.as_bytes()), "{good}");
        }
        for bad in ["", "a.", "a.b", "a.b1", "xn--", "a.x--b"] {
            assert!(!is_top_level(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn a_port_stands_behind_a_host_of_any_kind() {
        for good in ["a:1", "a.bc:80", "1.2.3.4:0", "[::1]:65535"] {
            assert!(is_host_and_port(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            "a",
            ":1",
            "a:",
            "a:65536",
            "a_b:1",
            "::1:80",
            "[::1]",
            "[1.2.3.4]:1",
            "1.2.3:1",
        ] {
            assert!(!is_host_and_port(bad.as_bytes()), "{bad}");
        }
    }
}
