//! Who may connect: so many in all, so many from one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::limits::ServerLimits;

/// The open connections of all workers, counted. Bounded by the limit in all.
#[derive(Clone, Debug)]
pub(super) struct Admission {
    limits: ServerLimits,
    open: Arc<Mutex<Open>>,
    ended: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// Why a connection is closed as it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    InAll,
    ByAddress,
}

impl Admission {
    pub(super) fn new(limits: ServerLimits) -> Self {
        Self {
            limits,
            open: Arc::default(),
            ended: Arc::default(),
        }
    }

    /// Ready when no connection is open.
    pub(super) async fn emptied(&self) {
        loop {
            // Asked for first, so that a connection that ends meanwhile is heard of.
            let ended = self.ended.notified();
            if self.open.lock().all == 0 {
                return;
            }
            ended.await;
        }
    }

    /// Counts a connection until the permit is dropped, or says why it may not be.
    pub(super) fn admit(&self, peer: IpAddr) -> Result<Permit, Full> {
        let numbers = self.limits.numbers();
        let peer = peer.to_canonical();
        let counted = (!numbers.is_proxy(peer)).then(|| network(peer));
        let mut open = self.open.lock();
        if open.all >= numbers.connections {
            return Err(Full::InAll);
        }
        if let Some(network) = counted {
            let theirs = open.by_address.entry(network).or_default();
            // An entry of zero is never left behind: the limit is at least 1.
            if *theirs >= numbers.connections_by_address {
                return Err(Full::ByAddress);
            }
            *theirs += 1;
        }
        open.all += 1;
        Ok(Permit {
            open: Arc::clone(&self.open),
            ended: Arc::clone(&self.ended),
            counted,
        })
    }
}

/// A connection's place, free again when this is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    open: Arc<Mutex<Open>>,
    ended: Arc<Notify>,
    counted: Option<IpAddr>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut open = self.open.lock();
        open.all -= 1;
        if let Some(network) = self.counted
            && let Some(theirs) = open.by_address.get_mut(&network)
        {
            *theirs -= 1;
            if *theirs == 0 {
                open.by_address.remove(&network);
            }
        }
        if open.all == 0 {
            self.ended.notify_waiters();
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
    use seawall_web::request::ForwardedHeader;

    use super::*;

    fn admission() -> Admission {
        let proxies =
            seawall_web::request::ClientIp::behind(["10.0.0.0/8"], ForwardedHeader::XForwardedFor);
        let limits = ServerLimits::builder()
            .connections(5)
            .connections_by_address(2)
            .proxies(proxies.unwrap());
        Admission::new(limits.build().unwrap())
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
        assert!(admission.open.lock().by_address.is_empty());
        assert_eq!(admission.open.lock().all, 0);
    }
}
