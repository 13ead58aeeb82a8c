//! Who decided, and why not.

/// Who decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// The store.
    Store,
    /// A store in this process, standing in for one that is out of reach.
    Local,
    /// A local memory of earlier denials.
    DenyCache,
    /// Nobody: the store is out of reach, and the policies let pass then.
    FailOpen,
    /// Nobody: the store is out of reach or refused, and the policies deny then.
    FailClosed,
}

/// Why a caller may not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// A quota is spent, or the cost is above the capacity.
    OverLimit,
    /// A key is blocked.
    Blocked,
    /// A memory store has no room for another key, and denies then.
    StoreFull,
    /// The store refused to decide, or the keys do not belong to the policies.
    StoreRefused,
    /// The store is out of reach, and a policy denies then.
    StoreUnavailable,
}
