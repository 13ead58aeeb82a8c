//! What one peer may hold of the server, and for how long.

use std::sync::Arc;
use std::time::Duration;

use seawall_web::request::ClientIp;
use seawall_web::server::{Limits, ServerLimitsError};

/// The limits of a server, below every layer: connections, heads, streams and slow peers.
///
/// [`ServerLimits::default`] is meant for the open internet; each setter of the builder states its
/// default and the reason for it.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use seawall_axum::ServerLimits;
///
/// let limits = ServerLimits::builder()
///     .connections(2_000)
///     .header_timeout(Duration::from_secs(5))
///     .build()?;
/// # let _ = limits;
///
/// let impossible = ServerLimits::builder().header_count(0).build();
/// assert_eq!(impossible.unwrap_err().to_string(), "`header_count` must be from 1 to 100");
/// # Ok::<(), seawall_axum::ServerLimitsError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ServerLimits(Arc<Numbers>);

#[derive(Clone, Debug)]
pub(super) struct Numbers {
    /// What every server limits.
    pub(super) base: Limits,
    pub(super) h2_streams: u32,
    pub(super) h2_pending_resets: usize,
    pub(super) h2_local_resets: usize,
    pub(super) h2_send_buffer: u32,
}

impl ServerLimits {
    /// Starts from the defaults.
    pub fn builder() -> ServerLimitsBuilder {
        ServerLimitsBuilder {
            numbers: Numbers::default(),
        }
    }

    pub(super) fn numbers(&self) -> &Numbers {
        &self.0
    }
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            base: Limits::new(MOST_HEADERS),
            h2_streams: 100,
            h2_pending_resets: 20,
            h2_local_resets: 100,
            h2_send_buffer: 64 * 1024,
        }
    }
}

impl Numbers {
    /// How long until a connection is looked at again: no limit can be exceeded by more.
    pub(super) fn shortest_wait(&self) -> Duration {
        let limits = &self.base;
        limits
            .header_timeout
            .min(limits.idle_timeout)
            .min(limits.write_timeout)
    }
}

/// What the parser of HTTP/1 holds without an allocation.
const MOST_HEADERS: usize = 100;

/// Builds [`ServerLimits`]. Every setter states its default.
#[derive(Clone, Debug)]
#[must_use = "nothing is checked before `build`"]
pub struct ServerLimitsBuilder {
    numbers: Numbers,
}

impl ServerLimitsBuilder {
    /// How many connections may be open at once; those beyond are closed as they come. Default
    /// 10,000: an idle connection costs some ten kilobytes, and as many fit a common limit on files.
    pub fn connections(mut self, most: usize) -> Self {
        self.numbers.base.connections = most;
        self
    }

    /// How many connections one address (one /64 of IPv6) may have open at once; those beyond are
    /// closed as they come. Default 100: ample for an office behind one address, and a hundred
    /// addresses are needed to use up the default of [`connections`](Self::connections).
    pub fn connections_by_address(mut self, most: usize) -> Self {
        self.numbers.base.connections_by_address = most;
        self
    }

    /// The proxies in front of the service, whose connections are not counted by address: they
    /// speak for many. Default: none.
    pub fn proxies(mut self, client_ip: ClientIp) -> Self {
        self.numbers.base.proxies = client_ip;
        self
    }

    /// How long a head may take: from the connection to the end of the first request's head, and
    /// from the first byte of each further one. Default 10 s: slow for any network, and it bounds
    /// what a silent connection holds. Bytes that came along with the request before are not told
    /// apart from it; a head which they begin is bounded by [`idle_timeout`](Self::idle_timeout).
    pub fn header_timeout(mut self, limit: Duration) -> Self {
        self.numbers.base.header_timeout = limit;
        self
    }

    /// How long a connection may be kept without a request. Default 60 s: what common clients and
    /// load balancers keep theirs. Behind a load balancer it should be longer than the balancer's.
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.numbers.base.idle_timeout = limit;
        self
    }

    /// How long a peer may take none of what is written to it. Default 30 s: the longest gap of a
    /// mobile network that is worth waiting for.
    pub fn write_timeout(mut self, limit: Duration) -> Self {
        self.numbers.base.write_timeout = limit;
        self
    }

    /// How many header lines a request may have; 431 beyond. Default 100, which is also the most:
    /// what the parser of HTTP/1 holds without an allocation.
    pub fn header_count(mut self, most: usize) -> Self {
        self.numbers.base.header_count = most;
        self
    }

    /// How many bytes the header lines of a request may have together; 431 beyond. Default 16 KiB,
    /// as common proxies have it.
    pub fn header_bytes(mut self, most: u32) -> Self {
        self.numbers.base.header_bytes = most as usize;
        self
    }

    /// How many requests one HTTP/2 connection may have open at once. Default 100: the least that
    /// RFC 9113 recommends.
    pub fn h2_streams(mut self, most: u32) -> Self {
        self.numbers.h2_streams = most;
        self
    }

    /// How many streams a client may have reset that the server has not looked at yet; the
    /// connection is closed beyond. Default 20. This is what stops "rapid reset".
    pub fn h2_pending_resets(mut self, most: usize) -> Self {
        self.numbers.h2_pending_resets = most;
        self
    }

    /// How many streams the server may have to reset because of what the client sent; the
    /// connection is closed beyond. Default 100.
    pub fn h2_local_resets(mut self, most: usize) -> Self {
        self.numbers.h2_local_resets = most;
        self
    }

    /// How many bytes of an answer are kept for each HTTP/2 stream whose client does not read.
    /// Default 64 KiB.
    pub fn h2_send_buffer(mut self, bytes: u32) -> Self {
        self.numbers.h2_send_buffer = bytes;
        self
    }

    /// Checks the numbers.
    ///
    /// # Errors
    ///
    /// For a limit of zero, for one by address that is above the limit in all, and for heads that
    /// the parsers could not hold.
    pub fn build(self) -> Result<ServerLimits, ServerLimitsError> {
        let numbers = self.numbers;
        let check = ServerLimitsError::unless;
        numbers.base.check()?;
        check(
            (1..=MOST_HEADERS).contains(&numbers.base.header_count),
            "header_count",
            "from 1 to 100",
        )?;
        check(
            (1024..=1024 * 1024).contains(&numbers.base.header_bytes),
            "header_bytes",
            "from 1 KiB to 1 MiB",
        )?;
        check(numbers.h2_streams > 0, "h2_streams", "at least 1")?;
        check(numbers.h2_send_buffer > 0, "h2_send_buffer", "at least 1")?;
        Ok(ServerLimits(Arc::new(numbers)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_server_could_keep_is_named() {
        type Set = fn(ServerLimitsBuilder) -> ServerLimitsBuilder;
        let cases: [(Set, &str); 8] = [
            (|b| b.connections(0), "connections"),
            (|b| b.connections(5), "connections_by_address"),
            (|b| b.header_timeout(Duration::ZERO), "header_timeout"),
            (|b| b.idle_timeout(Duration::ZERO), "idle_timeout"),
            (|b| b.write_timeout(Duration::ZERO), "write_timeout"),
            (|b| b.header_count(101), "header_count"),
            (|b| b.header_bytes(10), "header_bytes"),
            (|b| b.h2_streams(0), "h2_streams"),
        ];
        for (set, key) in cases {
            let error = set(ServerLimits::builder()).build().unwrap_err();
            assert_eq!(error.key(), key);
        }
        assert!(ServerLimits::builder().build().is_ok());
    }
}
