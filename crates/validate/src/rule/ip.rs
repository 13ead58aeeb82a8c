//! Internet addresses, in their usual spelling only: leading zeros, which some readers take for
//! octal, and zones are refused.

/// Whether this is an IPv4 address in dotted decimal.
#[must_use]
pub const fn is_ipv4(text: &[u8]) -> bool {
    let mut at = 0;
    let mut part = 0;
    loop {
        let start = at;
        let mut value = 0_u16;
        while at < text.len() && text[at].is_ascii_digit() && at - start < 3 {
            value = value * 10 + (text[at] - b'0') as u16;
            at += 1;
        }
        let leading_zero = at - start > 1 && text[start] == b'0';
        if at == start || value > 255 || leading_zero {
            return false;
        }
        part += 1;
        if part == 4 {
            return at == text.len();
        }
        if at >= text.len() || text[at] != b'.' {
            return false;
        }
        at += 1;
    }
}

/// Whether this is an IPv6 address (RFC 4291, 2.2), without a zone.
#[must_use]
pub const fn is_ipv6(text: &[u8]) -> bool {
    let mut at = 0;
    let mut groups = 0;
    let mut gap = false;
    if text.len() >= 2 && text[0] == b':' {
        if text[1] != b':' {
            return false;
        }
        gap = true;
        at = 2;
        if text.len() == 2 {
            return true;
        }
    }
    loop {
        let start = at;
        while at < text.len() && text[at].is_ascii_hexdigit() && at - start < 5 {
            at += 1;
        }
        if at < text.len() && text[at] == b'.' {
            let (_, tail) = text.split_at(start);
            // The last two groups may be written as IPv4.
            return is_ipv4(tail) && (groups == 6 && !gap || groups < 6 && gap);
        }
        if at == start || at - start > 4 {
            return false;
        }
        groups += 1;
        if at == text.len() {
            return if gap { groups < 8 } else { groups == 8 };
        }
        if text[at] != b':' || groups == 8 {
            return false;
        }
        at += 1;
        if at < text.len() && text[at] == b':' {
            if gap {
                return false;
            }
            gap = true;
            at += 1;
            if at == text.len() {
                return groups < 8;
            }
        }
    }
}

/// Whether this is an IPv4 or IPv6 address.
#[must_use]
pub const fn is_ip(text: &[u8]) -> bool {
    is_ipv4(text) || is_ipv6(text)
}

/// Whether this is an address, a slash, and the length of a prefix: `10.0.0.0/8`.
#[must_use]
pub const fn is_cidr(text: &[u8]) -> bool {
    let mut slash = text.len();
    while slash > 0 {
        slash -= 1;
        if text[slash] == b'/' {
            let (address, length) = text.split_at(slash);
            let (_, length) = length.split_at(1);
            let most = if is_ipv4(address) {
                32
            } else if is_ipv6(address) {
                128
            } else {
                return false;
            };
            return is_number_up_to(length, most);
        }
    }
    false
}

/// Whether this is a CIDR block whose address has no bits behind the prefix: `10.0.0.0/8`, and not
/// `10.1.0.0/8`.
#[must_use]
pub fn is_cidr_network(text: &[u8]) -> bool {
    if !is_cidr(text) {
        return false;
    }
    let Some((address, length)) = std::str::from_utf8(text)
        .ok()
        .and_then(|t| t.split_once('/'))
    else {
        return false;
    };
    let Ok(length) = length.parse::<u32>() else {
        return false;
    };
    match address.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(v4)) => v4.to_bits().unbounded_shl(length) == 0,
        Ok(std::net::IpAddr::V6(v6)) => v6.to_bits().unbounded_shl(length) == 0,
        Err(_) => false,
    }
}

/// Whether this address is reachable from anywhere: not loopback, private, link-local, shared,
/// documentation, benchmarking, multicast or reserved, nor an IPv6 address that wraps such an IPv4
/// one.
#[must_use]
pub const fn is_public_ip(address: std::net::IpAddr) -> bool {
    match address {
        std::net::IpAddr::V4(v4) => is_public_v4(v4),
        std::net::IpAddr::V6(v6) => is_public_v6(v6),
    }
}

const fn is_public_v4(v4: std::net::Ipv4Addr) -> bool {
    !matches!(
        v4.octets(),
        [0 | 10 | 127 | 224..=255, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [192, 168, ..]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    )
}

const fn joined(high: u16, low: u16) -> std::net::Ipv4Addr {
    std::net::Ipv4Addr::from_bits((high as u32) << 16 | low as u32)
}

const fn is_public_v6(v6: std::net::Ipv6Addr) -> bool {
    match v6.segments() {
        // Only 2000::/3 is given out. Within it are tunnels that carry an IPv4 address, and ranges
        // for documentation and protocols.
        [0x2002, high, low, ..] => is_public_v4(joined(high, low)),
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [0x2000..=0x3fff, ..] => true,
        // Addresses that a translator turns into IPv4.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_public_v4(joined(high, low)),
        _ => false,
    }
}

/// A decimal number without leading zeros.
pub(super) const fn is_number_up_to(text: &[u8], most: u32) -> bool {
    if text.is_empty() || text.len() > 9 || (text.len() > 1 && text[0] == b'0') {
        return false;
    }
    let mut value = 0_u32;
    let mut at = 0;
    while at < text.len() {
        if !text[at].is_ascii_digit() {
            return false;
        }
        value = value * 10 + (text[at] - b'0') as u32;
        at += 1;
    }
    value <= most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_standard_library() {
        let spellings = [
            "1.2.3.4",
            "0.0.0.0",
            "255.255.255.255",
            "256.1.1.1",
            "01.2.3.4",
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.",
            ".1.2.3",
            "1..2.3",
            "",
            "::",
            "::1",
            "1::",
            "1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9",
            "::1:2:3:4:5:6:7",
            "1::2::3",
            ":1",
            "1:",
            ":",
            ":::",
            "1:::2",
            "12345::",
            "::ffff:1.2.3.4",
            "1:2:3:4:5:6:1.2.3.4",
            "1:2:3:4:5:6:7:1.2.3.4",
            "::1.2.3",
            "fe80::1%eth0",
            "g::",
            "1:2:3:4:5:6:7::",
            "::2:3:4:5:6:7:8",
            "1::8:1.2.3.4",
        ];
        for text in spellings {
            assert_eq!(
                is_ipv4(text.as_bytes()),
                text.parse::<std::net::Ipv4Addr>().is_ok(),
                "{text}"
            );
            assert_eq!(
                is_ipv6(text.as_bytes()),
                text.parse::<std::net::Ipv6Addr>().is_ok(),
                "{text}"
            );
        }
    }

    #[test]
    fn blocks_have_a_prefix_that_fits() {
        assert!(is_cidr(b"10.0.0.1/8"));
        assert!(is_cidr(b"::/128"));
        for bad in [
            "10.0.0.0",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/08",
            "10.0.0.0/",
            "/8",
        ] {
            assert!(!is_cidr(bad.as_bytes()), "{bad}");
        }
        assert!(is_cidr_network(b"10.0.0.0/8"));
        assert!(is_cidr_network(b"1.2.3.4/32"));
        assert!(!is_cidr_network(b"10.0.0.1/8"));
        assert!(is_cidr_network(b"::/0"));
    }
}
