//! Which dependencies are broken on purpose, so that nobody is blamed for what storm did.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use shop::domain::Component;

/// A counter for each component: even when it is well, odd while it is broken. Reading it before and
/// after a request tells whether the component was broken at any time in between.
#[derive(Debug, Default)]
pub(crate) struct Mending([AtomicU64; Component::ALL.len()]);

impl Mending {
    pub(super) fn broke(&self, component: Component) {
        self.turn(component, 1);
    }

    pub(super) fn mended(&self, component: Component) {
        self.turn(component, 0);
    }

    /// Steps to the next number of this parity; a component that is broken twice stays odd.
    fn turn(&self, component: Component, parity: u64) {
        let counter = self.counter(component);
        if counter.load(SeqCst) % 2 != parity {
            counter.fetch_add(1, SeqCst);
        }
    }

    /// To be compared with a later call.
    pub(crate) fn mark(&self, component: Component) -> u64 {
        self.counter(component).load(SeqCst)
    }

    pub(crate) fn is_broken(&self, component: Component) -> bool {
        self.mark(component) % 2 == 1
    }

    fn counter(&self, component: Component) -> &AtomicU64 {
        let place = Component::ALL.iter().position(|known| *known == component);
        &self.0[place.expect("ALL lists every component")]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_in_between_shows() {
        let mending = Mending::default();
        let before = mending.mark(Component::Search);
        mending.broke(Component::Search);
        mending.broke(Component::Search);
        assert!(mending.is_broken(Component::Search));
        mending.mended(Component::Search);
        mending.mended(Component::Search);
        assert!(!mending.is_broken(Component::Search));
        assert_ne!(mending.mark(Component::Search), before);
        assert_eq!(mending.mark(Component::Database), 0);
    }
}
