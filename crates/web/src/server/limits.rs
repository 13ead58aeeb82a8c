//! What every server limits, whoever parses for it.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::request::ClientIp;

/// The limits that every server keeps, as plain numbers.
///
/// What adapters for frameworks build their own limits on, beside those that only their server has.
/// An adapter's builder sets the fields and calls [`check`](Self::check).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// How many connections may be open at once. Default 10,000: an idle connection costs some ten
    /// kilobytes, and as many fit a common limit on files.
    pub connections: usize,
    /// How many connections one address (one /64 of IPv6) may have open at once. Default 100: ample
    /// for an office behind one address.
    pub connections_by_address: usize,
    /// The proxies whose connections are not counted by address. Default: none.
    pub proxies: ClientIp,
    /// How long a head may take. Default 10 s: slow for any network.
    pub header_timeout: Duration,
    /// How long a connection may be kept without a request. Default 60 s: what common clients and
    /// load balancers keep theirs.
    pub idle_timeout: Duration,
    /// How long a peer may take none of what is written to it. Default 30 s: the longest gap of a
    /// mobile network that is worth waiting for.
    pub write_timeout: Duration,
    /// How many header lines a request may have.
    pub header_count: usize,
    /// How many bytes the header lines of a request may have together. Default 16 KiB, as common
    /// proxies have it.
    pub header_bytes: usize,
}

impl Limits {
    /// The defaults, with as many header lines as the server's parser holds.
    #[must_use]
    pub fn new(header_count: usize) -> Self {
        Self {
            connections: 10_000,
            connections_by_address: 100,
            proxies: ClientIp::peer(),
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(30),
            header_count,
            header_bytes: 16 * 1024,
        }
    }

    /// Checks what does not depend on the parser: connections and times.
    ///
    /// # Errors
    ///
    /// For a limit of zero, and for one by address that is above the limit in all.
    pub fn check(&self) -> Result<(), ServerLimitsError> {
        let check = ServerLimitsError::unless;
        check(self.connections > 0, "connections", "at least 1")?;
        check(
            (1..=self.connections).contains(&self.connections_by_address),
            "connections_by_address",
            "from 1 to `connections`",
        )?;
        for (key, span) in [
            ("header_timeout", self.header_timeout),
            ("idle_timeout", self.idle_timeout),
            ("write_timeout", self.write_timeout),
        ] {
            check(!span.is_zero(), key, "longer than zero")?;
        }
        Ok(())
    }

    /// Whether a head with these lines, names and values, may be.
    pub fn allow_head<'a>(&self, lines: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> bool {
        let (mut count, mut bytes) = (0, 0);
        for (name, value) in lines {
            count += 1;
            // Name, value, and what stands between and behind them.
            bytes += name.len() + value.len() + 4;
            if count > self.header_count || bytes > self.header_bytes {
                return false;
            }
        }
        true
    }
}

/// Limits that no server could keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerLimitsError {
    key: &'static str,
    expected: &'static str,
}

impl ServerLimitsError {
    /// Says what was expected of a limit, unless it holds: for limits that only one server has.
    ///
    /// # Errors
    ///
    /// When it does not hold.
    pub fn unless(holds: bool, key: &'static str, expected: &'static str) -> Result<(), Self> {
        if holds {
            Ok(())
        } else {
            Err(Self { key, expected })
        }
    }

    /// Which limit it is.
    #[must_use]
    pub fn key(&self) -> &'static str {
        self.key
    }
}

impl fmt::Display for ServerLimitsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` must be {}", self.key, self.expected)
    }
}

impl Error for ServerLimitsError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_server_could_keep_is_named() {
        type Set = fn(&mut Limits);
        let cases: [(Set, &str); 5] = [
            (|l| l.connections = 0, "connections"),
            (|l| l.connections = 5, "connections_by_address"),
            (|l| l.header_timeout = Duration::ZERO, "header_timeout"),
            (|l| l.idle_timeout = Duration::ZERO, "idle_timeout"),
            (|l| l.write_timeout = Duration::ZERO, "write_timeout"),
        ];
        for (set, key) in cases {
            let mut limits = Limits::new(100);
            set(&mut limits);
            assert_eq!(limits.check().unwrap_err().key(), key);
        }
        assert_eq!(Limits::new(100).check(), Ok(()));
    }

    #[test]
    fn a_head_has_so_many_lines_and_so_many_bytes() {
        let mut limits = Limits::new(2);
        limits.header_bytes = 20;
        let head = |lines: &[(&str, &str)]| {
            let lines = lines.iter().map(|(name, value)| (*name, value.as_bytes()));
            limits.allow_head(lines)
        };
        assert!(head(&[]));
        assert!(head(&[("a", "12345"), ("b", "12345")]), "20 bytes");
        assert!(!head(&[("a", "12345"), ("b", "123456")]), "21 bytes");
        assert!(!head(&[("a", ""), ("b", ""), ("c", "")]), "3 lines");
    }
}
