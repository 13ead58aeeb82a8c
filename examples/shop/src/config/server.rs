//! The sections about the server itself: `[server]`, `[health]` and `[drain]`.

use serde::Deserialize;

use super::Span;

/// `[server]`: what one peer may hold of the hardened service, below every layer.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Open connections.
    pub connections: usize,
    /// Open connections of one address.
    pub connections_by_address: usize,
    /// The time of a head, and of a connection that says nothing.
    pub header_timeout: Span,
    /// The time without a request.
    pub idle_timeout: Span,
    /// The time in which a peer takes nothing that is written to it.
    pub write_timeout: Span,
    /// Header lines of a request.
    pub header_count: usize,
    /// Bytes of all header lines of a request.
    pub header_bytes: u32,
    /// Requests at once on one HTTP/2 connection.
    pub h2_streams: u32,
    /// The time of a request's body.
    pub body_timeout: Span,
}

/// `[health]`: how the components are watched.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Watch {
    /// How often each component is asked.
    pub every: Span,
    /// How long it may take to answer.
    pub timeout: Span,
    /// So many failures in a row make it failing.
    pub fail_after: u32,
}

/// `[drain]`: how the hardened service goes away.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DrainTimes {
    /// How long it goes on once it has said so.
    pub pause: Span,
    /// How long requests in flight may still take once nobody is accepted any more.
    pub maximum: Span,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connections_by_address: 100,
            header_timeout: Span::from_secs(10),
            idle_timeout: Span::from_secs(60),
            write_timeout: Span::from_secs(30),
            header_count: 100,
            header_bytes: 16 * 1024,
            h2_streams: 100,
            body_timeout: Span::from_secs(8),
        }
    }
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            every: Span::from_secs(1),
            timeout: Span::from_secs(2),
            fail_after: 2,
        }
    }
}

impl Default for DrainTimes {
    fn default() -> Self {
        Self {
            pause: Span::from_secs(5),
            maximum: Span::from_secs(10),
        }
    }
}
