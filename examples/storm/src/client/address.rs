//! Addresses of 127.0.0.0/8, one a client, so that limits by address are real.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use tokio::net::{TcpSocket, TcpStream};

use crate::dice::Dice;

/// Hands out addresses, each once.
#[derive(Debug)]
pub(crate) struct Addresses {
    next: AtomicU32,
}

impl Addresses {
    /// Starts at a place that the seed decides.
    pub(crate) fn new(seed: u64) -> Self {
        let start = Dice::new(seed, "addresses").below(1 << 20);
        Self {
            next: AtomicU32::new(u32::try_from(start).expect("20 bits fit into 32")),
        }
    }

    /// An address that no client of this run has.
    pub(crate) fn take(&self) -> Ipv4Addr {
        address(self.next.fetch_add(1, Relaxed))
    }

    /// An address in [`PROXIES`].
    pub(crate) fn take_proxy(&self) -> Ipv4Addr {
        let [_, _, c, d] = self.take().octets();
        Ipv4Addr::new(127, 255, c, d)
    }
}

/// The network of the proxies that the hardened shop is told to trust. [`Addresses::take`] hands
/// none of it out, since its clients have no 255 in their addresses.
pub(crate) const PROXIES: &str = "127.255.0.0/16";

/// The address of a number: 127.a.b.c with each of a, b, c from 1 to 254. The shops themselves are at
/// 127.0.0.1, and nobody is at a network's first or last address.
fn address(number: u32) -> Ipv4Addr {
    let digit =
        |place: u32| u8::try_from(number / place % 254 + 1).expect("1 to 254 fit into a byte");
    Ipv4Addr::new(127, digit(254 * 254), digit(254), digit(1))
}

/// Connects from an address.
pub(crate) async fn connect(from: Ipv4Addr, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((from, 0)))?;
    let stream = socket.connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_address_is_handed_out_twice() {
        let addresses = Addresses::new(3);
        let taken: HashSet<Ipv4Addr> = (0..100_000).map(|_| addresses.take()).collect();
        assert_eq!(taken.len(), 100_000);
        assert!(taken.iter().all(Ipv4Addr::is_loopback));
        assert!(taken.iter().all(|address| address.octets()[1] != 255));
    }

    #[test]
    fn proxies_are_apart_from_clients_and_from_each_other() {
        let addresses = Addresses::new(3);
        let proxies: HashSet<Ipv4Addr> = (0..60_000).map(|_| addresses.take_proxy()).collect();
        assert_eq!(proxies.len(), 60_000);
        assert!(
            proxies
                .iter()
                .all(|proxy| proxy.octets()[..2] == [127, 255])
        );
    }
}
