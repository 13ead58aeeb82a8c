//! Where the reasons go.

use std::time::Duration;

use crate::Reason;

/// Learns how each component did. Every method does nothing unless implemented.
///
/// `component` is the name given in the code, hence fit for a metric's label; `key` is the member of a
/// [`join_all`](crate::Degrade::join_all), which may be anything and is not.
///
/// The methods are called while the join is polled: they should be quick and not panic.
pub trait Observer: Send + Sync {
    /// The component gave its value.
    fn served(&self, component: &str, key: Option<&str>) {
        let _ = (component, key);
    }

    /// The component gave nothing, for this reason, and this stood in.
    fn failed(&self, component: &str, key: Option<&str>, reason: &Reason, instead: Served) {
        let _ = (component, key, reason, instead);
    }
}

/// What stood in for a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Served {
    /// No answer at all: the component is critical.
    Refusal,
    /// An answer without it.
    Nothing,
    /// Its default.
    Default,
    /// Its last good value, of this age.
    Stale(Duration),
}
