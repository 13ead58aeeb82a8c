//! W3C Trace Context: `traceparent` and `tracestate`, read strictly and passed on.
//!
//! A service that calls others takes part in a trace by passing on what it received, with an id of
//! its own as the parent. [`TraceContext`] does so for both headers together, by the rules that join
//! them: without a valid `traceparent`, and exactly one, a new trace begins and `tracestate` is
//! dropped; an invalid `tracestate` is dropped alone.
//!
//! # Examples
//!
//! ```
//! use seawall_errors::trace::TraceContext;
//!
//! let inbound = TraceContext::from_headers(
//!     [b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
//!     [b"vendor=abc"],
//! );
//! let outbound = inbound.child();
//!
//! assert_eq!(outbound.parent().trace_id(), inbound.parent().trace_id());
//! assert_ne!(outbound.parent().parent_id(), inbound.parent().parent_id());
//! assert_eq!(outbound.state().to_string(), "vendor=abc");
//! ```

mod parent;
mod state;

pub use parent::{TraceParent, TraceParentError};
pub use state::{TraceState, TraceStateError};

/// Holds both headers of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    parent: TraceParent,
    state: TraceState,
}

impl TraceContext {
    /// Takes a trace up from the headers of a request, or begins one that is not sampled.
    ///
    /// Give every line of both headers, in order.
    #[must_use]
    pub fn from_headers<P: AsRef<[u8]>, S: AsRef<[u8]>>(
        parents: impl IntoIterator<Item = P>,
        states: impl IntoIterator<Item = S>,
    ) -> Self {
        Self::received(parents, states).unwrap_or_else(|| Self::root(false))
    }

    /// Takes a trace up from the headers of a request, if there is a valid one.
    ///
    /// Give every line of both headers, in order.
    #[must_use]
    pub fn received<P: AsRef<[u8]>, S: AsRef<[u8]>>(
        parents: impl IntoIterator<Item = P>,
        states: impl IntoIterator<Item = S>,
    ) -> Option<Self> {
        let mut parents = parents.into_iter();
        let (only, None) = (parents.next()?, parents.next()) else {
            return None;
        };
        Some(Self {
            parent: TraceParent::parse(only.as_ref()).ok()?,
            state: TraceState::parse(states).unwrap_or_default(),
        })
    }

    /// Begins a trace.
    #[must_use]
    pub fn root(sampled: bool) -> Self {
        Self {
            parent: TraceParent::root(sampled),
            state: TraceState::default(),
        }
    }

    /// The context for a call that is made on behalf of this one: the same trace, a new parent.
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            parent: self.parent.child(),
            state: self.state.clone(),
        }
    }

    /// The `traceparent`.
    #[must_use]
    pub fn parent(&self) -> TraceParent {
        self.parent
    }

    /// The `tracestate`; when it is empty, send none.
    #[must_use]
    pub fn state(&self) -> &TraceState {
        &self.state
    }

    /// The `tracestate`, to change it.
    #[must_use]
    pub fn state_mut(&mut self) -> &mut TraceState {
        &mut self.state
    }
}
