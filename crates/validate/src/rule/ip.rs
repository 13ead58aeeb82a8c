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
                // Seven groups at most came before the gap.
                return true;
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

/// A decimal number of at most five digits, without leading zeros.
pub(super) const fn is_number_up_to(text: &[u8], most: u32) -> bool {
    if text.is_empty() || text.len() > 5 || (text.len() > 1 && text[0] == b'0') {
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
            "1:2:3:4:5::1.2.3.4",
            "1:2:3:4:5:6::1.2.3.4",
            "1:2:3:4:5:6:7::8",
            "1:2:3:4:5:6:7:8::",
            "1g2:3:4:5:6:7:8:9",
            "1g2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7g8",
            "0001.2.3.4",
            "1000.2.3.4",
            "123456::",
            "1:2:3:4:5:6:7:",
            "::1.2.3.4.5",
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
            assert_eq!(
                is_ip(text.as_bytes()),
                text.parse::<std::net::IpAddr>().is_ok()
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
            "10.0.0.0/99999999999",
            "10.0.0.0/+8",
        ] {
            assert!(!is_cidr(bad.as_bytes()), "{bad}");
        }
        assert!(is_cidr_network(b"10.0.0.0/8"));
        assert!(is_cidr_network(b"1.2.3.4/32"));
        assert!(!is_cidr_network(b"10.0.0.1/8"));
        assert!(is_cidr_network(b"::/0"));
    }

    #[test]
    fn numbers_end_where_they_should() {
        assert!(is_number_up_to(b"65535", 65_535) && is_number_up_to(b"0", 0));
        assert!(is_number_up_to(b"99999", 99_999));
        for bad in ["65536", "100000", "00", "", "1a"] {
            assert!(!is_number_up_to(bad.as_bytes(), 65_535), "{bad}");
        }
    }

    #[test]
    fn every_range_that_is_not_public_is_known_by_its_edges() {
        let is_public = |text: &str| is_public_ip(text.parse().unwrap());
        for public in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.0.1",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.88.98.1",
            "192.88.100.0",
            "192.167.0.1",
            "192.169.0.0",
            "198.17.0.1",
            "198.20.0.0",
            "198.51.99.1",
            "198.51.101.0",
            "203.0.112.1",
            "203.0.114.0",
            "223.255.255.255",
            "2000::",
            "2001:200::",
            "2001:db7::1",
            "2001:db9::",
            "3fff:1000::",
            // Tunnels and translators to an address that is public.
            "2002:808:808::",
            "64:ff9b::808:808",
        ] {
            assert!(is_public(public), "{public}");
        }
        for private in [
            "0.255.0.1",
            "10.0.0.0",
            "100.64.0.0",
            "100.127.255.255",
            "127.0.0.0",
            "169.254.0.0",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.0",
            "198.18.0.0",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.0",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::",
            "ff02::1",
            "1fff::",
            "4000::",
            "2001::1",
            "2001:1ff::",
            "2001:db8::1",
            "3fff::",
            "3fff:fff::",
            "::ffff:8.8.8.8",
            "2002:7f00:1::",
            "2002:a00:1::",
            "2002:c0a8:101::",
            "2002:a9fe:a9fe::",
            "64:ff9b::7f00:1",
            "64:ff9b::c0a8:101",
            "64:ff9b:1::808:808",
        ] {
            assert!(!is_public(private), "{private}");
        }
    }

    #[test]
    fn networks_have_nothing_behind_their_prefix() {
        for good in [
            "0.0.0.0/0",
            "128.0.0.0/1",
            "10.0.0.0/8",
            "1.2.3.4/32",
            "2001:db8::/32",
            "::1/128",
        ] {
            assert!(is_cidr_network(good.as_bytes()), "{good}");
        }
        for bad in [
            "64.0.0.0/1",
            "10.0.0.1/31",
            "2001:db8::1/32",
            "::1/127",
            "10.0.0.0",
            "::/129",
        ] {
            assert!(!is_cidr_network(bad.as_bytes()), "{bad}");
        }
    }
}
