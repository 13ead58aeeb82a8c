//! Finds the client's address, believing forwarded headers only from proxies that are trusted.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::ControlFlow;
use std::str::FromStr;
use std::sync::Arc;

use ipnet::IpNet;

use super::RequestHead;
use super::forwarded::{self, Hop};

/// Finds out which address a request came from.
///
/// By default that is the peer of the connection, and forwarded headers are ignored: whoever can
/// reach the service directly can write any header. Behind proxies, name their networks and the
/// *one* header they set; the header is then walked from its right end over all of its lines,
/// stepping over trusted proxies, and the first address that is not one of them is the client.
///
/// An entry that is no address (`unknown`, an obfuscated name, garbage) ends the walk: the client
/// is then the last address that a trusted proxy vouched for. A peer that is not trusted is itself
/// the client, whatever headers it sends.
///
/// # Examples
///
/// ```
/// use seawall_web::request::{ClientIp, ForwardedHeader};
///
/// let direct = ClientIp::peer();
/// let behind_a_proxy = ClientIp::behind(["10.0.0.0/8", "fd00::/8"], ForwardedHeader::XForwardedFor)?;
/// # let _ = (direct, behind_a_proxy);
/// # Ok::<(), seawall_web::request::InvalidCidr>(())
/// ```
///
/// # Cost
///
/// No allocation for `X-Forwarded-For`. At most 32 hops are walked; a longer chain of trusted
/// proxies ends there.
#[derive(Clone, Debug)]
pub struct ClientIp {
    trusted: Arc<[IpNet]>,
    header: ForwardedHeader,
    v4_prefix: u8,
    v6_prefix: u8,
}

/// The header that the proxies in front of the service set.
///
/// Exactly one, because a proxy that sets one of them passes the other through from the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`: a list of addresses.
    XForwardedFor,
    /// `Forwarded` (RFC 7239): a list of elements with `for=`.
    Forwarded,
}

impl ForwardedHeader {
    fn name(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        }
    }
}

impl ClientIp {
    /// Trusts no proxy: the client is the peer of the connection.
    #[must_use]
    pub fn peer() -> Self {
        Self {
            trusted: Arc::new([]),
            header: ForwardedHeader::XForwardedFor,
            v4_prefix: 32,
            v6_prefix: 64,
        }
    }

    /// Trusts the proxies in these networks, written as CIDR (`10.0.0.0/8`) or as single addresses.
    ///
    /// # Errors
    ///
    /// When a text is no network: the error names it.
    pub fn behind<T: AsRef<str>>(
        networks: impl IntoIterator<Item = T>,
        header: ForwardedHeader,
    ) -> Result<Self, InvalidCidr> {
        let trusted = networks
            .into_iter()
            .map(|text| network(text.as_ref()))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            trusted,
            header,
            ..Self::peer()
        })
    }

    /// Keys IPv6 clients by the first `bits` of their address; 64 unless told otherwise, since one
    /// customer commonly holds a whole /64. A second, wider policy (/48) catches who rotates
    /// through several. Values above 128 mean 128.
    #[must_use]
    pub fn v6_prefix(mut self, bits: u8) -> Self {
        self.v6_prefix = bits.min(128);
        self
    }

    /// Keys IPv4 clients by the first `bits` of their address; 32 unless told otherwise. Values
    /// above 32 mean 32.
    #[must_use]
    pub fn v4_prefix(mut self, bits: u8) -> Self {
        self.v4_prefix = bits.min(32);
        self
    }

    /// Whether any proxy is trusted.
    #[must_use]
    pub fn trusts_proxies(&self) -> bool {
        !self.trusted.is_empty()
    }

    /// Whether this address belongs to a trusted proxy.
    #[must_use]
    pub fn is_trusted(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted
            .iter()
            .any(|network| network.contains(&address))
    }

    /// The client's address, in full.
    ///
    /// # Errors
    ///
    /// When the adapter knows no peer. That is a mistake in how the server was started, never the
    /// client's doing.
    #[inline]
    pub fn resolve(&self, head: &(impl RequestHead + ?Sized)) -> Result<IpAddr, NoPeer> {
        let peer = head.peer().ok_or(NoPeer)?.to_canonical();
        if self.trusted.is_empty() || !self.is_trusted(peer) {
            return Ok(peer);
        }
        Ok(self.walk(head, peer))
    }

    /// The client's address cut to its prefix: what limits are keyed by.
    ///
    /// # Errors
    ///
    /// As for [`resolve`](Self::resolve).
    #[inline]
    pub fn network(&self, head: &(impl RequestHead + ?Sized)) -> Result<IpAddr, NoPeer> {
        self.resolve(head).map(|address| self.cut(address))
    }

    fn cut(&self, address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V4(v4) => {
                let mask = u32::MAX
                    .checked_shl(32 - u32::from(self.v4_prefix))
                    .unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask))
            }
            IpAddr::V6(v6) => {
                let mask = u128::MAX
                    .checked_shl(128 - u32::from(self.v6_prefix))
                    .unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
            }
        }
    }

    /// Walks the header from its right end. Lines are visited left to right, so they are collected
    /// first; a request with more lines than hops we would follow has only its last ones kept.
    fn walk(&self, head: &(impl RequestHead + ?Sized), peer: IpAddr) -> IpAddr {
        let mut lines: smallvec::SmallVec<[Line; 2]> = smallvec::SmallVec::new();
        head.each_header(self.header.name(), &mut |value| {
            if lines.len() == MAX_HOPS {
                lines.remove(0);
            }
            lines.push(std::str::from_utf8(value).map(String::from).ok());
            ControlFlow::Continue(())
        });
        let mut client = peer;
        let mut hops = 0;
        for line in lines.iter().rev() {
            let Some(line) = line else { return client };
            let step = |hop: Hop| match hop {
                Hop::Opaque => ControlFlow::Break(client),
                Hop::Address(address) => {
                    client = address;
                    hops += 1;
                    if self.is_trusted(address) && hops < MAX_HOPS {
                        ControlFlow::Continue(())
                    } else {
                        ControlFlow::Break(client)
                    }
                }
            };
            let walked = match self.header {
                ForwardedHeader::XForwardedFor => {
                    forwarded::x_forwarded_for(line).try_for_each(step)
                }
                ForwardedHeader::Forwarded => forwarded::forwarded(line).try_for_each(step),
            };
            if let ControlFlow::Break(client) = walked {
                return client;
            }
        }
        client
    }
}

impl Default for ClientIp {
    fn default() -> Self {
        Self::peer()
    }
}

/// One header line as text; `None` when it was not UTF-8, which ends the walk like any other
/// unreadable entry.
type Line = Option<String>;

/// More hops than any sane chain of proxies has.
const MAX_HOPS: usize = 32;

fn network(text: &str) -> Result<IpNet, InvalidCidr> {
    let invalid = || InvalidCidr {
        text: text.to_owned(),
    };
    let trimmed = text.trim();
    IpNet::from_str(trimmed)
        .ok()
        .or_else(|| IpAddr::from_str(trimmed).ok().map(IpNet::from))
        .ok_or_else(invalid)
}

/// A text that should have been a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidCidr {
    text: String,
}

impl InvalidCidr {
    /// What was given.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for InvalidCidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no network: expected an address or CIDR such as 10.0.0.0/8",
            self.text
        )
    }
}

impl Error for InvalidCidr {}

/// The server did not record the peer's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoPeer;

impl fmt::Display for NoPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server did not record the address of the connection's peer")
    }
}

impl Error for NoPeer {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeHead;
    use proptest::prelude::*;

    const XFF: &str = "x-forwarded-for";

    fn proxied() -> ClientIp {
        ClientIp::behind(["10.0.0.0/8", "fd00::/8"], ForwardedHeader::XForwardedFor).unwrap()
    }

    fn check(client_ip: &ClientIp, head: &FakeHead, expected: &str) {
        assert_eq!(
            client_ip.resolve(head).unwrap(),
            expected.parse::<IpAddr>().unwrap()
        );
    }

    #[test]
    fn headers_of_an_untrusted_peer_change_nothing() {
        let head = FakeHead::from_peer("203.0.113.9").with_header(XFF, "1.2.3.4");
        check(&proxied(), &head, "203.0.113.9");
        check(&ClientIp::peer(), &head, "203.0.113.9");
    }

    #[test]
    fn trusted_proxies_are_stepped_over_from_the_right() {
        let head =
            FakeHead::from_peer("10.0.0.1").with_header(XFF, "6.6.6.6, 203.0.113.9, 10.0.0.2");
        check(&proxied(), &head, "203.0.113.9");
    }

    #[test]
    fn several_lines_are_one_list() {
        let head = FakeHead::from_peer("10.0.0.1")
            .with_header(XFF, "6.6.6.6, 203.0.113.9")
            .with_header(XFF, "10.0.0.3");
        check(&proxied(), &head, "203.0.113.9");
    }

    #[test]
    fn an_opaque_entry_ends_the_walk_at_the_last_vouched_address() {
        let head = FakeHead::from_peer("10.0.0.1").with_header(XFF, "1.1.1.1, unknown, 10.0.0.2");
        check(&proxied(), &head, "10.0.0.2");
        let broken = FakeHead::from_peer("10.0.0.1").with_header_bytes(XFF, b"1.1.1.1, \xff");
        check(&proxied(), &broken, "10.0.0.1");
    }

    #[test]
    fn a_chain_of_proxies_alone_gives_its_far_end() {
        let head = FakeHead::from_peer("10.0.0.1").with_header(XFF, "10.0.0.9, 10.0.0.2");
        check(&proxied(), &head, "10.0.0.9");
        check(&proxied(), &FakeHead::from_peer("10.0.0.1"), "10.0.0.1");
    }

    #[test]
    fn only_the_configured_header_counts() {
        let head = FakeHead::from_peer("10.0.0.1").with_header("forwarded", "for=1.2.3.4");
        check(&proxied(), &head, "10.0.0.1");
        let rfc = ClientIp::behind(["10.0.0.0/8"], ForwardedHeader::Forwarded).unwrap();
        check(&rfc, &head, "1.2.3.4");
    }

    #[test]
    fn mapped_addresses_are_their_ipv4_selves() {
        let head = FakeHead::from_peer("::ffff:10.0.0.1").with_header(XFF, "::ffff:203.0.113.9");
        check(&proxied(), &head, "203.0.113.9");
    }

    #[test]
    fn ipv6_clients_share_the_key_of_their_64() {
        let key = |peer| {
            ClientIp::peer()
                .network(&FakeHead::from_peer(peer))
                .unwrap()
        };
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:ffff:ffff:ffff"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        let wide = ClientIp::peer().v6_prefix(0).v4_prefix(0);
        assert_eq!(
            wide.network(&FakeHead::from_peer("2001:db8::1")).unwrap(),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED)
        );
        assert_eq!(
            wide.network(&FakeHead::from_peer("9.9.9.9")).unwrap(),
            IpAddr::V4(Ipv4Addr::UNSPECIFIED)
        );
    }

    #[test]
    fn a_missing_peer_is_an_error_and_not_a_guess() {
        assert_eq!(proxied().resolve(&FakeHead::default()), Err(NoPeer));
    }

    #[test]
    fn a_bad_network_is_named() {
        let error = ClientIp::behind(["10.0.0.0/33"], ForwardedHeader::Forwarded).unwrap_err();
        assert_eq!(
            error.to_string(),
            "\"10.0.0.0/33\" is no network: expected an address or CIDR such as 10.0.0.0/8"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// Whatever a client writes to the left, it cannot move the address that the proxy saw.
        #[test]
        fn a_client_cannot_forge_its_address(forged in "[ -~]{0,80}") {
            let head = FakeHead::from_peer("10.0.0.1").with_header(XFF, &format!("{forged}, 203.0.113.9"));
            prop_assert_eq!(proxied().resolve(&head).unwrap(), "203.0.113.9".parse::<IpAddr>().unwrap());
        }

        #[test]
        fn any_bytes_are_survived(line in proptest::collection::vec(any::<u8>(), 0..200)) {
            for header in [ForwardedHeader::XForwardedFor, ForwardedHeader::Forwarded] {
                let name = header.name();
                let client_ip = ClientIp::behind(["10.0.0.0/8"], header).unwrap();
                prop_assert!(client_ip.resolve(&FakeHead::from_peer("10.0.0.1").with_header_bytes(name, &line)).is_ok());
            }
        }
    }
}
