//! Who may connect: so many in all, so many from one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;

use super::Limits;
use crate::request::ClientIp;

/// The open connections of a server, counted. Bounded by the limit in all.
#[derive(Clone, Debug)]
pub struct Admission(Arc<Door>);

#[derive(Debug)]
struct Door {
    connections: usize,
    connections_by_address: usize,
    proxies: ClientIp,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// Why a connection is closed as it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Full {
    /// As many are open as may be.
    InAll,
    /// The peer has as many open as one address may.
    ByAddress,
}

impl Admission {
    /// Lets as many in as these limits say. A clone counts with the original.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self(Arc::new(Door {
            connections: limits.connections,
            connections_by_address: limits.connections_by_address,
            proxies: limits.proxies.clone(),
            open: Mutex::default(),
        }))
    }

    /// Counts a connection until the permit is dropped, or says why it may not be.
    ///
    /// A /64 of IPv6 is one address. Proxies are counted in all only.
    ///
    /// # Errors
    ///
    /// When the server is full, or full for this peer.
    pub fn admit(&self, peer: IpAddr) -> Result<Permit, Full> {
        let door = &*self.0;
        let peer = peer.to_canonical();
        let counted = (!door.proxies.is_trusted(peer)).then(|| network(peer));
        let mut open = door.open.lock();
        if open.all >= door.connections {
            return Err(Full::InAll);
        }
        if let Some(network) = counted {
            let theirs = open.by_address.entry(network).or_default();
            // An entry of zero is never left behind: the limit is at least 1.
            if *theirs >= door.connections_by_address {
                return Err(Full::ByAddress);
            }
            *theirs += 1;
        }
        open.all += 1;
        Ok(Permit {
            door: Arc::clone(&self.0),
            counted,
        })
    }
}

/// A connection's place, free again when this is dropped.
#[derive(Debug)]
#[must_use = "the place is free again when this is dropped"]
pub struct Permit {
    door: Arc<Door>,
    counted: Option<IpAddr>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut open = self.door.open.lock();
        open.all -= 1;
        if let Some(network) = self.counted
            && let Some(theirs) = open.by_address.get_mut(&network)
        {
            *theirs -= 1;
            if *theirs == 0 {
                open.by_address.remove(&network);
            }
        }
    }
}

/// One customer commonly holds a whole /64.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::ForwardedHeader;

    fn admission() -> Admission {
        let mut limits = Limits::new(100);
        limits.connections = 5;
        limits.connections_by_address = 2;
        limits.proxies = ClientIp::behind(["10.0.0.0/8"], ForwardedHeader::XForwardedFor).unwrap();
        Admission::new(&limits)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_so_many_and_no_more_until_one_ends() {
        let admission = admission();
        let first = admission.admit(ip("192.0.2.1")).unwrap();
        let _second = admission.admit(ip("::ffff:192.0.2.1")).unwrap();
        assert_eq!(
            admission.admit(ip("192.0.2.1")).unwrap_err(),
            Full::ByAddress
        );
        let _other = admission.admit(ip("192.0.2.2")).unwrap();
        drop(first);
        let _third = admission.admit(ip("192.0.2.1")).unwrap();
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let admission = admission();
        let _first = admission.admit(ip("2001:db8::1")).unwrap();
        let _second = admission.admit(ip("2001:db8::2")).unwrap();
        assert!(admission.admit(ip("2001:db8::3")).is_err());
        assert!(admission.admit(ip("2001:db8:0:1::3")).is_ok());
    }

    #[test]
    fn proxies_are_counted_in_all_only() {
        let admission = admission();
        let permits: Vec<_> = (0..5)
            .map(|_| admission.admit(ip("10.0.0.1")).unwrap())
            .collect();
        assert_eq!(admission.admit(ip("192.0.2.1")).unwrap_err(), Full::InAll);
        drop(permits);
        assert!(admission.0.open.lock().by_address.is_empty());
        assert_eq!(admission.0.open.lock().all, 0);
    }
}
