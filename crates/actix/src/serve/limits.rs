//! What one peer may hold of the server, and for how long.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use seawall_web::request::ClientIp;
use seawall_web::server::{Limits, ServerLimitsError};

/// The limits of a server, below every layer: connections, heads and slow peers.
///
/// [`ServerLimits::default`] is meant for the open internet; each setter of the builder states its
/// default and the reason for it.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use seawall_actix::ServerLimits;
///
/// let limits = ServerLimits::builder()
///     .connections(2_000)
///     .header_timeout(Duration::from_secs(5))
///     .build()?;
/// # let _ = limits;
///
/// let impossible = ServerLimits::builder().header_count(0).build();
/// assert_eq!(impossible.unwrap_err().to_string(), "`header_count` must be from 1 to 96");
/// # Ok::<(), seawall_actix::ServerLimitsError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ServerLimits(Arc<Numbers>);

#[derive(Clone, Debug)]
pub(super) struct Numbers {
    /// What every server limits.
    pub(super) base: Limits,
    pub(super) workers: usize,
    pub(super) linger_timeout: Duration,
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
            workers: available_parallelism().map_or(1, NonZeroUsize::get),
            linger_timeout: Duration::from_secs(1),
        }
    }
}

impl Numbers {
    /// How long until a connection is looked at again: no limit can be exceeded by more.
    pub(super) fn shortest_wait(&self) -> Duration {
        self.base.header_timeout.min(self.base.idle_timeout)
    }
}

/// What the parser holds.
const MOST_HEADERS: usize = 96;

/// Builds [`ServerLimits`]. Every setter states its default.
#[derive(Clone, Debug)]
#[must_use = "nothing is checked before `build`"]
pub struct ServerLimitsBuilder {
    numbers: Numbers,
}

impl ServerLimitsBuilder {
    /// How many threads serve. Default: as many as there are processors.
    pub fn workers(mut self, threads: usize) -> Self {
        self.numbers.workers = threads;
        self
    }

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

    /// How long a head may take: from the connection to the end of the first request's head (408
    /// beyond; a connection that stays silent is closed without a word), and from the first byte of
    /// each further one. Default 10 s: slow for any network, and it bounds what a silent connection
    /// holds. Bytes that came along with the request before are not told apart from it; a head which
    /// they begin is bounded by [`idle_timeout`](Self::idle_timeout).
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

    /// How long a connection that is to be closed may take to take its last bytes and close its own
    /// side: what stands unread of a refused body is read and thrown away meanwhile (1 MiB at most),
    /// so that the answer arrives. Default 1 s.
    pub fn linger_timeout(mut self, limit: Duration) -> Self {
        self.numbers.linger_timeout = limit;
        self
    }

    /// How many header lines a request may have; 431 beyond. Default 96, which is also the most:
    /// what actix's parser holds.
    pub fn header_count(mut self, most: usize) -> Self {
        self.numbers.base.header_count = most;
        self
    }

    /// How many bytes the header lines of a request may have together; 431 beyond. Default 16 KiB,
    /// as common proxies have it. The most is 120 KiB, which actix's parser holds beside the rest
    /// of a head.
    pub fn header_bytes(mut self, most: usize) -> Self {
        self.numbers.base.header_bytes = most;
        self
    }

    /// Checks the numbers.
    ///
    /// # Errors
    ///
    /// For a limit of zero, for one by address that is above the limit in all, and for heads that
    /// the parser could not hold.
    pub fn build(self) -> Result<ServerLimits, ServerLimitsError> {
        let numbers = self.numbers;
        let check = ServerLimitsError::unless;
        numbers.base.check()?;
        check(numbers.workers > 0, "workers", "at least 1")?;
        check(
            !numbers.linger_timeout.is_zero(),
            "linger_timeout",
            "longer than zero",
        )?;
        check(
            (1..=MOST_HEADERS).contains(&numbers.base.header_count),
            "header_count",
            "from 1 to 96",
        )?;
        check(
            (1024..=120 * 1024).contains(&numbers.base.header_bytes),
            "header_bytes",
            "from 1 KiB to 120 KiB",
        )?;
        Ok(ServerLimits(Arc::new(numbers)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_server_could_keep_is_named() {
        type Set = fn(ServerLimitsBuilder) -> ServerLimitsBuilder;
        let cases: [(Set, &str); 9] = [
            (|b| b.workers(0), "workers"),
            (|b| b.connections(0), "connections"),
            (|b| b.connections(5), "connections_by_address"),
            (|b| b.header_timeout(Duration::ZERO), "header_timeout"),
            (|b| b.idle_timeout(Duration::ZERO), "idle_timeout"),
            (|b| b.write_timeout(Duration::ZERO), "write_timeout"),
            (|b| b.linger_timeout(Duration::ZERO), "linger_timeout"),
            (|b| b.header_count(97), "header_count"),
            (|b| b.header_bytes(10), "header_bytes"),
        ];
        for (set, key) in cases {
            let error = set(ServerLimits::builder()).build().unwrap_err();
            assert_eq!(error.key(), key);
        }
        assert!(ServerLimits::builder().build().is_ok());
    }
}
