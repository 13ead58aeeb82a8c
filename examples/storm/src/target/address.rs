//! Where a service of the user's own listens: on this machine, or nowhere.

use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// An address of loopback. There is no other: storm is no weapon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target(SocketAddr);

impl Target {
    /// What is connected to.
    pub(crate) const fn address(self) -> SocketAddr {
        self.0
    }
}

/// What was expected.
pub(crate) const EXPECTED: &str = "http:// and a loopback address of IPv4 with a port, such as \
    http://127.0.0.1:8080 or http://localhost:8080, and no path";

impl FromStr for Target {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.strip_prefix("http://").ok_or(EXPECTED)?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = authority.rsplit_once(':').ok_or(EXPECTED)?;
        // A name is not looked up: what it means can change between the look and the attack.
        let host: Ipv4Addr = match host {
            "localhost" => Ipv4Addr::LOCALHOST,
            host => host.parse().map_err(|_| EXPECTED)?,
        };
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        let port: u16 = port.parse().map_err(|_| EXPECTED)?;
        if host.is_loopback() && digits && port != 0 {
            Ok(Self(SocketAddr::from((host, port))))
        } else {
            Err(EXPECTED)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_a_target() {
        let is = |text: &str| text.parse::<Target>().is_ok();
        for good in [
            "http://127.0.0.1:8080",
            "http://127.9.8.7:1/",
            "http://localhost:80",
        ] {
            assert!(is(good), "{good}");
        }
        for bad in [
            "127.0.0.1:8080",
            "https://127.0.0.1:8080",
            "http://127.0.0.1",
            "http://127.0.0.1:0",
            "http://127.0.0.1:+80",
            "http://10.0.0.1:80",
            "http://0.0.0.0:80",
            "http://127.0.0.1.example:80",
            "http://127.0.0.1:80@example:80",
            "http://2130706433:80",
            "http://[::1]:80",
            "http://localhost.example:80",
            "http://example:80",
            "http://127.0.0.1:80/api",
        ] {
            assert!(!is(bad), "{bad}");
        }
    }
}
