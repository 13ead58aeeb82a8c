//! Which layers stand outside of whoever reads this: the request knows.

use http::Extensions;
use seawall_web::order::{self, Layers};
use seawall_web::request::Known;

/// A set of layers, kept with what else is [`Known`]: each extension of its own makes the map grow.
///
/// In release builds only those marks are left that something decides by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outside(Layers);

impl Outside {
    pub(crate) const ERRORS: Self = Self(Layers::ERRORS);
    pub(crate) const RATE_LIMIT: Self = Self(Layers::RATE_LIMIT);

    /// Those that have left their mark so far.
    #[inline]
    pub(crate) fn of(extensions: &Extensions) -> Self {
        Self(extensions.get().map_or(Layers::NONE, Known::layers))
    }

    /// Leaves a mark for those below, and tells who has left one before.
    #[inline]
    pub(crate) fn enter(extensions: &mut Extensions, layers: Self) -> Self {
        let known = extensions.get_or_insert_default::<Known>();
        let before = known.pass(layers.0);
        if cfg!(debug_assertions) {
            order::look(layers.0, before, &mut |rule| {
                tracing::warn!(target: "seawall::order", "{rule}");
            });
        }
        Self(before)
    }

    /// The same for a layer whose mark nobody decides by: nothing in release builds.
    #[inline]
    pub(crate) fn pass(extensions: &mut Extensions, layer: Layers) {
        if cfg!(debug_assertions) {
            Self::enter(extensions, Self(layer));
        }
    }

    pub(crate) const fn with(self, layers: Self) -> Self {
        Self(self.0.with(layers.0))
    }

    /// The same for a layer whose mark nobody decides by: nothing in release builds.
    pub(crate) const fn passing(self, layer: Layers) -> Self {
        if cfg!(debug_assertions) {
            Self(self.0.with(layer))
        } else {
            self
        }
    }

    /// Whether all of these are among them.
    pub(crate) const fn has(self, layers: Self) -> bool {
        self.0.has(layers.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_add_up() {
        let mut extensions = Extensions::new();
        assert_eq!(Outside::of(&extensions), Outside::default());
        let before = Outside::enter(&mut extensions, Outside::ERRORS);
        assert_eq!(before, Outside::default());
        let before = Outside::enter(&mut extensions, Outside::RATE_LIMIT);
        assert_eq!(before, Outside::ERRORS);
        let both = Outside::ERRORS.with(Outside::RATE_LIMIT);
        assert_eq!(Outside::of(&extensions), both);
        assert!(both.has(Outside::ERRORS) && !Outside::RATE_LIMIT.has(Outside::ERRORS));
        assert!(!Outside::ERRORS.has(both));
    }
}
