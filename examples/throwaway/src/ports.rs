//! Free ports on loopback.

use std::net::{Ipv4Addr, TcpListener};

/// Ports that were free a moment ago, each with the one 10,000 above it: there a Redis in cluster
/// mode listens for its peers, which is why none is 55,536 or more. They lie below the range from
/// which systems take the ports of outgoing connections.
pub(crate) fn candidates() -> impl Iterator<Item = u16> {
    let span = LAST - FIRST;
    // Two runs at once start their search at different places.
    let start = u16::try_from(std::process::id() % u32::from(span)).unwrap_or(0);
    (0..span)
        .map(move |step| FIRST + (start + step) % span)
        .filter(|&port| is_free(port) && is_free(port + 10_000))
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

const FIRST: u16 = 15_000;
const LAST: u16 = 32_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_passed_over() {
        let first = candidates().next().unwrap();
        let _held = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).unwrap();
        assert_ne!(candidates().next().unwrap(), first);
    }

    #[test]
    fn a_port_whose_cluster_bus_is_taken_is_passed_over() {
        let first = candidates().next().unwrap();
        let _held = TcpListener::bind((Ipv4Addr::LOCALHOST, first + 10_000)).unwrap();
        assert_ne!(candidates().next().unwrap(), first);
    }

    #[test]
    fn every_candidate_leaves_room_for_the_cluster_bus() {
        assert!(candidates().take(50).all(|port| port < 55_536));
    }
}
